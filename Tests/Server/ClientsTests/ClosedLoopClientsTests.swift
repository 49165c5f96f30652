import Clients
import SocketAddresses
import SystemCalls
import Testing

/// The measuring clients against servers that follow a script.
@Suite(.timeLimit(.minutes(1))) struct ClosedLoopClientsTests {
    /// What a client meets.
    private enum Treatment: Sendable {
        /// Its greeting, and each message's answer.
        case answered
        /// Neither.
        case ignored
        /// Its greeting only.
        case greeted
        /// Its greeting, and one byte of each answer wrong.
        case answeredWrongly
        /// Its greeting, and the end once it has sent something.
        case left
    }

    /// A server that treats the n-th client as the script says, on a thread of its own, until all have left.
    private final class Script: Sendable {
        let listener: ListeningSocket
        let treatments: [Treatment]

        init(_ treatments: [Treatment]) throws {
            listener = try ListeningSocket(address: .loopback(port: 0), backlog: 8, isNonBlocking: false)
            self.treatments = treatments
        }

        func play() {
            var open: [Int32: Treatment] = [:]
            do {
                var poller = try EpollPoller()
                for treatment in treatments {
                    guard case .connection(let client) = try listener.accept(isNonBlocking: true) else { return }
                    if treatment != .ignored { _ = try client.sendAll([0x2A].span) }
                    try poller.add(client.rawValue, .readable)
                    open[client.release()] = treatment
                }
                while !open.isEmpty {
                    for index in 0..<(try poller.wait(timeout: nil)) {
                        let descriptor = poller.ready(at: index).descriptor
                        guard let treatment = open[descriptor] else { continue }
                        if try serve(descriptor, treatment) { continue }
                        try poller.remove(descriptor)
                        open[descriptor] = nil
                        StreamSocket.close(descriptor)
                    }
                }
            } catch { Issue.record(error) }
        }

        /// Returns whether the client stays.
        private func serve(_ descriptor: Int32, _ treatment: Treatment) throws(SystemCallError) -> Bool {
            var buffer = ReusableBuffer(capacity: 100)
            let result: IOResult
            do throws(SystemCallError) {
                result = try buffer.fill { output throws(SystemCallError) in
                    try StreamSocket.receive(on: descriptor, into: &output)
                }
            } catch { return false }
            guard result != .end, treatment != .left else { return false }
            var answer = "bcdefghijklmnopq"
            if treatment == .answeredWrongly { answer = "bcdefghijklmnop!" }
            if treatment == .answered || treatment == .answeredWrongly {
                _ = try StreamSocket.send(Array(answer.utf8).span, on: descriptor)
            }
            return true
        }
    }

    /// Runs clients against a script, and waits until its thread has ended.
    private func run(
        _ treatments: [Treatment], _ body: (inout ClosedLoopClients) throws -> Void
    ) throws {
        let script = try Script(treatments)
        let threads = ThreadGroup()
        try threads.start { script.play() }
        defer { threads.joinAll() }
        // The clients have left when this returns, and the script ends.
        try exchange(treatments.count, with: try script.listener.localAddress, body)
    }

    private func exchange(
        _ count: Int, with address: SocketAddress, _ body: (inout ClosedLoopClients) throws -> Void
    ) throws {
        var clients = try ClosedLoopClients()
        try clients.connect(upTo: count, to: address)
        try clients.awaitGreetings(patience: .milliseconds(300))
        try body(&clients)
    }

    @Test func theActiveOnesExchangeUntilAllAnswersHaveCome() throws {
        try run([.answered, .answered, .answered]) { clients in
            #expect(clients.count == 3)
            #expect(clients.greetedCount == 3)
            let outcome = try clients.exchange(active: 2, answers: 10, time: .seconds(20))
            #expect(outcome.answers >= 10)
            // Two were on their way at most when the tenth came.
            #expect(outcome.answers <= 11)
            #expect(outcome.answeredClients == 2)
            #expect(outcome.rate > 0)
            // Nothing is owed from before.
            #expect(try clients.exchange(active: 3, answers: 30, time: .seconds(20)).answeredClients == 3)
        }
    }

    @Test func whoIsNotGreetedTakesNoPart() throws {
        try run([.ignored, .answered]) { clients in
            #expect(clients.greetedCount == 1)
            let outcome = try clients.exchange(active: 5, answers: 4, time: .seconds(20))
            #expect(outcome.answeredClients == 1)
        }
    }

    @Test func whoIsNotAnsweredHoldsUpNobody() throws {
        try run([.greeted, .answered]) { clients in
            let outcome = try clients.exchange(active: 2, time: .milliseconds(50))
            #expect(outcome.answeredClients == 1)
            #expect(outcome.answers > 0)
            // The first is owed an answer still: it does not send again.
            #expect(try clients.exchange(active: 1, answers: 3, time: .milliseconds(500)).answers == 3)
        }
    }

    @Test func whoIsLeftIsNotCountedAnyMore() throws {
        try run([.left, .answered]) { clients in
            let outcome = try clients.exchange(active: 2, answers: 5, time: .seconds(20))
            #expect(outcome.answeredClients == 1)
            #expect(clients.greetedCount == 1)
        }
    }

    @Test func aWrongAnswerFails() throws {
        try run([.answeredWrongly]) { clients in
            do {
                _ = try clients.exchange(active: 1, time: .seconds(20))
                Issue.record("a wrong answer was taken")
            } catch let error as SystemCallError {
                #expect(error.code == Errno.protocolError)
            }
        }
    }

    @Test func noTimeIsNoAnswer() throws {
        try run([.answered]) { clients in
            let outcome = try clients.exchange(active: 1, time: .zero)
            #expect(outcome.answers == 0)
            #expect(outcome.rate == 0)
            #expect(try clients.exchange(active: 0, time: .milliseconds(10)).answers == 0)
        }
    }

    @Test func aStalledClientSendsUntilNothingIsTaken() throws {
        let listener = try ListeningSocket(address: .loopback(port: 0), backlog: 8, isNonBlocking: false)
        // Nobody accepts: the kernel takes what its buffers hold.
        let sent = try StalledClient(connectingTo: try listener.localAddress).sentBytes
        #expect(sent > 1)
        #expect(sent < 64 << 20)
        #expect(try StalledClient(connectingTo: try listener.localAddress, limit: 1000).sentBytes < 128 << 10)
    }

    @Test func eachRequestHasItsOwnConnection() throws {
        let listener = try ListeningSocket(address: .loopback(port: 0), backlog: 8, isNonBlocking: false)
        let address = try listener.localAddress
        let answers = ["*bcd", "*bcd", "*bce"]
        let threads = ThreadGroup()
        try threads.start { [listener = Held(listener)] in
            for answer in answers {
                guard case .connection(let client)? = try? listener.socket.accept(isNonBlocking: false) else { return }
                var buffer = ReusableBuffer(capacity: 100)
                while case .bytes? = try? buffer.fill({ output throws(SystemCallError) in
                    try client.receive(into: &output)
                }) {}
                _ = try? client.sendAll(Array(answer.utf8).span)
            }
        }
        defer { threads.joinAll() }
        let outcome = try ConnectPerRequest.run(against: address, count: 2, time: .seconds(20))
        #expect(outcome.answers == 2)
        #expect(outcome.rate > 0)
        let error = #expect(throws: SystemCallError.self) {
            _ = try ConnectPerRequest.run(against: address, count: 1, time: .seconds(20))
        }
        #expect(error?.code == Errno.protocolError)
    }

    private final class Held: Sendable {
        let socket: ListeningSocket
        init(_ socket: consuming ListeningSocket) { self.socket = socket }
    }
}
