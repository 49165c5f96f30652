import Clients
import SocketAddresses
import SystemCalls
import Testing

/// Tests of the clients with scripted servers.
///
/// A script contains the greeting and the replies. The server sends one reply after each receive.
@Suite(.timeLimit(.minutes(1))) struct SimulatedClientsTests {
    private final class Transcript: Sendable {
        private let text = Monitor<[String]>([])
        func add(_ line: String) { text.withLock { $0.append(line) } }
        var lines: [String] { text.withLock { $0 } }
    }

    /// Runs one client against a server that sends the n-th reply after its n-th receive.
    private func run(
        greeting: String = "*", replies: [String], timeout: Duration = .seconds(10), isCutAfterwards: Bool = false
    ) throws -> (SimulatedClient.Outcome, [String]) {
        let listener = try ListeningSocket(address: .loopback(port: 0), backlog: 8, isNonBlocking: false)
        let address = try listener.localAddress
        let script = Script(listener: listener, greeting: greeting, replies: replies, isCutAfterwards: isCutAfterwards)
        let server = try PosixThread { script.play() }
        let transcript = Transcript()
        let outcomes = SimulatedClients.run(
            count: 1, connectingTo: address,
            pace: .init(pause: .milliseconds(30), farewell: .milliseconds(30), timeout: timeout)
        ) { transcript.add($0) }
        server.join()
        return (try #require(outcomes.first), transcript.lines)
    }

    private final class Script: Sendable {
        let listener: ListeningSocket
        let greeting: String
        let replies: [String]
        let isCutAfterwards: Bool

        init(listener: consuming ListeningSocket, greeting: String, replies: [String], isCutAfterwards: Bool) {
            self.listener = listener
            self.greeting = greeting
            self.replies = replies
            self.isCutAfterwards = isCutAfterwards
        }

        func play() {
            guard case .connection(let socket)? = try? listener.accept(isNonBlocking: false) else { return }
            var buffer = ReusableBuffer(capacity: 4096)
            do {
                try socket.setReceiveTimeout(.seconds(5))
                _ = try socket.sendAll(Array(greeting.utf8).span)
                for reply in replies {
                    _ = try buffer.fill { output throws(SystemCallError) in try socket.receive(into: &output) }
                    _ = try socket.sendAll(Array(reply.utf8).span)
                }
                if isCutAfterwards { return }
                // Receives until the client disconnects.
                while case .bytes? = try? buffer.fill({ output throws(SystemCallError) in
                    try socket.receive(into: &output)
                }) {}
            } catch {}
        }
    }

    @Test func aRightServerSatisfies() throws {
        let (outcome, lines) = try run(replies: ["bcdbcuf", "234", "36bc1111"])
        #expect(outcome.failure == nil)
        #expect(
            lines.map { String($0.drop { $0 != "c" }) } == [
                "conn0 connected...", "conn0 sending b'^abc$de^abte$f'", "conn0 received b'bcdbcuf'",
                "conn0 sending b'xyz^123'", "conn0 received b'234'", "conn0 sending b'25$^ab0000$abab'",
                "conn0 received b'36bc1111'", "conn0 disconnecting",
            ])
        #expect(lines.allSatisfy { $0.wholeMatch(of: /INFO:\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}:conn0 .*/) != nil })
    }

    @Test func aWrongByteIsNamed() throws {
        let failure = try run(replies: ["bcdbcuf", "2x4", "36bc1111"]).0.failure
        #expect(failure == "byte 8 of the replies is b'x' instead of b'3'")
    }

    @Test func aWrongGreetingIsNamed() throws {
        #expect(try run(greeting: "!", replies: []).0.failure == "the server sent b'!' instead of the greeting b'*'")
    }

    @Test func surplusIsNamed() throws {
        #expect(try run(replies: ["bcdbcuf", "234", "36bc1111!"]).0.failure == "unexpected b'!' after the last reply")
    }

    @Test func aMissingReplyTimesOut() throws {
        let failure = try run(replies: ["bcdbcuf", "234", "36bc"], timeout: .milliseconds(400)).0.failure
        #expect(failure?.hasSuffix("b'1111' is missing") == true, "\(failure ?? "")")
    }

    @Test func aReplyBeforeItsRequestIsNamed() throws {
        let failure = try run(greeting: "*bcdbcuf", replies: []).0.failure
        #expect(failure == "received the reply b'bcdbcuf' before the client sent its request")
    }

    @Test func aCutConnectionIsNamed() throws {
        let failure = try run(replies: ["bcd"], isCutAfterwards: true).0.failure
        #expect(failure == "the server closed the connection: b'bcuf23436bc1111' is missing")
    }

    @Test func aSilentServerTimesOut() throws {
        let (outcome, _) = try run(greeting: "", replies: [], timeout: .milliseconds(200))
        #expect(outcome.failure?.hasSuffix("the greeting b'*' is missing") == true)
        #expect(outcome.greeted == nil)
    }

    @Test func aClosedPortFailsTheClient() throws {
        let address = try ListeningSocket(address: .loopback(port: 0), backlog: 1, isNonBlocking: false).localAddress
        let outcomes = SimulatedClients.run(count: 2, connectingTo: address, pace: .init()) { _ in }
        #expect(outcomes.map(\.name) == ["conn0", "conn1"])
        #expect(outcomes.allSatisfy { $0.failure == "connect: Connection refused (\(address))" })
    }
}
