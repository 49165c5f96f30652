import IncrementProtocol
import Measurements
import SystemCalls
import Testing

@testable import LoadGenerator

/// Tests of the load generator's parts that need no socket.
@Suite struct PureTests {
    @Test(arguments: [
        ("16", "16"), ("1", "1"), ("16777216", "16777216"), ("16:90,4096:9,65536:1", "16:90,4096:9,65536:1"),
        ("7,9", "7:1,9:1"),
    ])
    func sizesAreParsed(_ text: String, _ printed: String) throws {
        #expect(try #require(PayloadSizes(parsing: text)).description == printed)
    }

    @Test(arguments: ["", "0", "-1", "16777217", "a", "16:", "16:0", "16:1:2", ",", "16,", "16:1000001", "１６"])
    func anInvalidSizeIsRejected(_ text: String) { #expect(PayloadSizes(parsing: text) == nil) }

    @Test(arguments: [
        ("p99<5ms", Requirement.Subject.percentile(.response, .p99), false, 5e6),
        ("service.p50<100us", .percentile(.service, .p50), false, 1e5),
        ("wire.p99.9<1s", .percentile(.wire, .p999), false, 1e9),
        ("max<2.5ms", .longest(.response), false, 2.5e6),
        ("wire.mean>1us", .mean(.wire), true, 1e3),
        ("rate>10000", .rate, true, 10_000),
    ])
    func requirementsAreParsed(
        _ text: String, _ subject: Requirement.Subject, _ isLeast: Bool, _ limit: Double
    ) throws {
        let requirement = try #require(Requirement(parsing: text))
        #expect(requirement.subject == subject)
        #expect(requirement.isLeast == isLeast)
        #expect(requirement.limit == limit)
        #expect(requirement.needsKernelTimestamps == text.hasPrefix("wire"))
    }

    @Test(arguments: ["", "p99", "p99<", "p99<5", "p100<1ms", "q<1ms", "rate>1ms", "p<1ms", "lag.p50<1ms", "p99=1ms"])
    func anInvalidRequirementIsRejected(_ text: String) { #expect(Requirement(parsing: text) == nil) }

    @Test func theRepliesOfThePatternAreThoseOfTheProtocol() {
        var random = SeededRandom(seed: 7)
        let pattern = KeyedPattern(payloadCounts: [1, 16, 300], random: &random)
        for index in 0..<3 {
            let size = pattern.sizes[index]
            var machine = ServerMachine()
            var output = ReusableBuffer(capacity: size.requestsCount)
            pattern.requests.withRows(size.requestStart..<size.requestStart + size.requestsCount) { bytes in
                _ = output.fill { machine.receive(bytes, into: &$0) }
            }
            #expect(output.count == size.repliesCount)
            let difference = output.withBytes { reply in
                pattern.replies.withRows(size.replyStart..<size.replyStart + size.repliesCount) {
                    firstDifference(reply, $0)
                }
            }
            #expect(difference == nil)
        }
    }

    @Test func aSeedMakesTheSamePattern() {
        func bytes(_ seed: UInt64) -> [UInt8] {
            var random = SeededRandom(seed: seed)
            let pattern = KeyedPattern(payloadCounts: [16], random: &random)
            return (0..<pattern.requests.count).map { pattern.requests[$0] }
        }
        #expect(bytes(1) == bytes(1))
        #expect(bytes(1) != bytes(2))
    }

    @Test func aStreamHasRepliesToTheBytesThatWereSent() {
        let size = KeyedPattern.Size(payloadCount: 4, frameMask: 3, requestStart: 0, replyStart: 0)
        // After each byte of ^abcd$^abcd$, the total number of reply bytes is: 0 1 2 3 4 4 for the first message, and
        // 4 5 6 7 8 8 for the second.
        #expect((0...13).map { size.repliedCount(for: $0) } == [0, 0, 1, 2, 3, 4, 4, 4, 5, 6, 7, 8, 8, 8])
    }

    private let mine: [UInt8] = Array(10..<26)
    private let next: [UInt8] = Array(40..<56)
    private let other: [UInt8] = Array(100..<116)

    private func diagnosis(_ received: [UInt8], _ expected: [UInt8]? = nil) -> FaultDiagnosis {
        FaultDiagnosis.of(received: received, expected: expected ?? mine + next, others: [other])
    }

    @Test func oneWrongByteIsWrong() {
        #expect(diagnosis([99] + mine.dropFirst() + next) == .wrong)
        #expect(diagnosis([99]) == .wrong)
    }

    @Test func bytesOfNoConnectionAreWrong() { #expect(diagnosis([UInt8](repeating: 200, count: 16)) == .wrong) }

    @Test func theReplyOfAnotherConnectionIsCrossTalk() {
        #expect(diagnosis(other) == .crossTalk(0))
        #expect(diagnosis(other + mine) == .crossTalk(0))
        #expect(diagnosis(other, []) == .crossTalk(0))
    }

    @Test func aMissingReplyIsLoss() {
        #expect(diagnosis(next) == .loss(16))
        #expect(diagnosis(Array(mine.dropFirst(3)) + next) == .loss(3))
    }

    @Test func addedBytesAreSurplus() {
        #expect(diagnosis([1, 2, 3] + mine + next) == .surplus(3))
        #expect(diagnosis([1, 2, 3], []) == .surplus(3))
    }

    @Test func aShortMatchIsNotCrossTalk() {
        // Two bytes may match another connection's reply by chance.
        #expect(diagnosis(Array(other.prefix(2))) == .wrong)
    }

    @Test func queuesKeepTheirOrder() {
        var queues = ConnectionQueues(count: 2, capacity: 3)
        for connection in [1, 2, 3] { queues.append(connection, to: 0) }
        queues.append(9, to: 1)
        #expect(queues.removeFirst(of: 0) == 1)
        queues.append(4, to: 0)
        #expect([queues.removeFirst(of: 0), queues.removeFirst(of: 0), queues.removeFirst(of: 0)] == [2, 3, 4])
        let (first, second) = (queues.isEmpty(0), queues.isEmpty(1))
        #expect(first)
        #expect(!second)
        #expect(queues.removeFirst(of: 1) == 9)
    }
}
