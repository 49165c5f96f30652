import IncrementProtocol
import Measurements
import SocketAddresses
import SystemCalls
import Testing

@testable import LoadGenerator

/// Tests of sending requests and of receiving and checking replies; the test itself acts as the server.
@Suite(.timeLimit(.minutes(1))) struct ExchangeTests {
    /// Both ends of a connection, and the parts of the engine that send and receive on it.
    private struct Exchange: ~Copyable {
        var connection = Connection()
        var requests: RequestTable
        var sender: RequestSender
        var receiver = ReplyReceiver(takesTimestamps: false)
        var checker = ReplyChecker(sampleCapacity: 2)
        let pattern: KeyedPattern
        let peer: StreamSocket

        init(payloads: String = "3", depth: Int = 2) throws {
            let listener = try ListeningSocket(address: .loopback(port: 0), backlog: 1, isNonBlocking: false)
            let client = try StreamSocket.connect(to: try listener.localAddress)
            try client.setNonBlocking(true)
            guard case .connection(let peer) = try listener.accept(isNonBlocking: false) else {
                throw SystemCallError(code: 0, call: "accept")
            }
            let sizes = try #require(PayloadSizes(parsing: payloads))
            self.peer = peer
            var random = SeededRandom(seed: 5)
            pattern = KeyedPattern(payloadCounts: sizes.shares.map(\.byteCount), random: &random)
            sender = RequestSender(sizes, random: random)
            requests = RequestTable(connectionCount: 1, depth: depth, takesTimestamps: false)
            connection.descriptor = client.release()
            connection.state = .open
        }

        deinit { _ = StreamSocket(adopting: connection.descriptor) }

        mutating func begin() {
            let request = sender.makeRequest(on: connection, intended: 1, sent: 2, lag: 3, isContended: false)
            requests.rows[requests.row(connection.begunCount, of: connection)] = request
            connection.begunCount += 1
            connection.nextFrame += 1
        }

        mutating func send() throws -> Bool { try sender.send(on: &connection, &requests, pattern) }

        /// Receives bytes at the server's end, and returns them.
        func receiveAtPeer() throws -> [UInt8] {
            var buffer = ReusableBuffer(capacity: 1 << 16)
            _ = try buffer.fill { output throws(SystemCallError) in try peer.receive(into: &output) }
            return buffer.withBytes { bytes in bytes.indices.map { bytes[$0] } }
        }

        /// Receives once, checks all received bytes, and returns the findings.
        mutating func check() throws -> [String] {
            guard case .bytes = try receiver.receive(on: connection.descriptor) else { return ["nothing"] }
            var findings: [String] = []
            var offset = 0
            while offset < receiver.input.count {
                let request = requests.rows[requests.row(connection.repliedCount, of: connection)]
                let finding = checker.check(receiver.input, from: &offset, on: &connection, request, pattern)
                findings.append("\(finding)")
                if case .wrong = finding { return findings }
                if case .complete = finding {
                    connection.repliedCount += 1
                    connection.partlyReceived = 0
                    checker.record(RequestSample(slot: request.slot))
                }
            }
            return findings
        }

        /// Returns the reply that the protocol requires.
        static func reply(to request: [UInt8]) -> [UInt8] {
            var machine = ServerMachine()
            var output = ReusableBuffer(capacity: request.count)
            _ = output.fill { machine.receive(request.span, into: &$0) }
            return output.withBytes { bytes in bytes.indices.map { bytes[$0] } }
        }
    }

    @Test func requestsAreSentAndRepliesChecked() throws {
        var exchange = try Exchange()
        exchange.begin()
        exchange.begin()
        #expect(try exchange.send())
        let sent = try exchange.receiveAtPeer()
        #expect(sent.count == 2 * 5)
        #expect(exchange.connection.sentByteCount == 10)
        #expect(exchange.connection.sentCount == 2)
        let reply = Exchange.reply(to: sent)
        _ = try exchange.peer.sendAll(Array(reply.prefix(2)).span)
        #expect(try exchange.check() == ["incomplete"])
        _ = try exchange.peer.sendAll(Array(reply.dropFirst(2)).span)
        #expect(try exchange.check() == ["complete", "complete"])
        #expect(exchange.checker.verifiedByteCount == 6)
        var slots: [UInt32] = []
        exchange.checker.takeSamples { slots.append($0.slot) }
        #expect(slots == [0, 1])
        exchange.checker.takeSamples { slots.append($0.slot) }
        #expect(slots == [0, 1])
    }

    @Test func theOffsetOfAWrongByteIsReported() throws {
        var exchange = try Exchange()
        exchange.begin()
        #expect(try exchange.send())
        var reply = Exchange.reply(to: try exchange.receiveAtPeer())
        reply[2] ^= 1
        _ = try exchange.peer.sendAll(reply.span)
        #expect(try exchange.check() == ["wrong(after: 2)"])
    }

    @Test func aByteBeyondTheReplyIsWrong() throws {
        var exchange = try Exchange(depth: 1)
        exchange.begin()
        // The peer sends the reply although the request has not been sent yet. Such an early reply completes no
        // request. The byte after the reply is wrong.
        let request = exchange.requests.rows[0]
        let reply = exchange.pattern.replyRange(of: request).map { exchange.pattern.replies[$0] }
        _ = try exchange.peer.sendAll((reply + [7]).span)
        #expect(try exchange.check() == ["incomplete", "wrong(after: 0)"])
    }

    @Test func aFullSocketIsNotALoss() throws {
        var exchange = try Exchange(payloads: "6000000", depth: 1)
        exchange.begin()
        #expect(try !exchange.send())
        #expect(exchange.connection.sentCount == 0)
        #expect(exchange.connection.partlySent == exchange.connection.sentByteCount)
        var received = try exchange.receiveAtPeer().count
        while try !exchange.send() { received += try exchange.receiveAtPeer().count }
        #expect(exchange.connection.sentCount == 1)
        #expect(exchange.connection.partlySent == 0)
        while received < 6_000_002 { received += try exchange.receiveAtPeer().count }
        #expect(exchange.connection.sentByteCount == received)
    }

    @Test func streamsAreCheckedToo() throws {
        var exchange = try Exchange()
        exchange.connection.role = .bulk
        try exchange.sender.sendStream(on: &exchange.connection, exchange.pattern, limit: 23)
        let sent = try exchange.receiveAtPeer()
        #expect(sent.count == 23)
        let reply = Exchange.reply(to: sent)
        #expect(exchange.pattern.awaitedByteCount(ofStream: exchange.connection) == reply.count)
        // The reply contains three bytes for each of the four complete messages, and two bytes for the fifth message.
        #expect(reply.count == 14)
        #expect(exchange.pattern.awaitedReplyCount(of: exchange.connection) == 5)
        let awaited = exchange.pattern.awaitedBytes(
            of: exchange.connection, exchange.requests, skipping: 1, limit: 100)
        #expect(awaited == Array(reply.dropFirst()))
        _ = try exchange.peer.sendAll((reply + [0]).span)
        _ = try exchange.receiver.receive(on: exchange.connection.descriptor)
        var offset = 0
        let finding = exchange.checker.checkStream(
            exchange.receiver.input, from: &offset, on: &exchange.connection, exchange.pattern)
        #expect("\(finding)" == "wrong(after: 0)")
        #expect(offset == 14)
    }

    @Test func samplesBeyondTheCapacityAreDropped() {
        var checker = ReplyChecker(sampleCapacity: 2)
        for slot in 0..<UInt32(4) { checker.record(RequestSample(slot: slot)) }
        var slots: [UInt32] = []
        checker.takeSamples { slots.append($0.slot) }
        #expect(slots == [0, 1])
    }

    @Test func everySizeOfAMixIsDrawn() throws {
        let sizes = try #require(PayloadSizes(parsing: "1:1,16:8,300:1"))
        var sender = RequestSender(sizes, random: SeededRandom(seed: 3))
        var counts = [0, 0, 0]
        for _ in 0..<10_000 {
            let request = sender.makeRequest(on: Connection(), intended: 0, sent: 0, lag: 0, isContended: false)
            counts[request.size] += 1
        }
        #expect((800...1200).contains(counts[0]) && (7700...8300).contains(counts[1]), "\(counts)")
        #expect(sender.begunCount == 10_000)
        sender.beginTraffic()
        let next = sender.makeRequest(on: Connection(), intended: 0, sent: 0, lag: 0, isContended: false)
        #expect(next.slot == 0)
    }
}
