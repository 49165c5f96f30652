import SocketAddresses
import SystemCalls
import Testing

/// Tests of what the kernel reports about a connection.
@Suite(.timeLimit(.minutes(1))) struct TCPStateTests {
    @Test func tellsWhatCameAndWhatWasTaken() throws {
        let pair = try Pair()
        _ = try pair.client.sendAll([1, 2, 3].span)
        #expect(try pair.server.wait(for: .readable, timeout: .seconds(20)))
        let state = try #require(TCPState(of: pair.server.rawValue))
        #expect(state.receivedByteCount == 3)
        #expect(state.sinceReceived < .seconds(20))
        #expect(!state.peerHasEnded)
        #expect(StreamSocket.unreadByteCount(on: pair.server.rawValue) == 3)
        let deadline = ContinuousClock.now.advanced(by: .seconds(20))
        while try #require(TCPState(of: pair.client.rawValue)).hasUnacknowledged {
            try #require(ContinuousClock.now < deadline)
        }
        // The count includes the SYN of the handshake.
        #expect(try #require(TCPState(of: pair.client.rawValue)).acknowledgedByteCount >= 3)
    }

    @Test func tellsThatThePeerHasEnded() throws {
        let pair = try Pair()
        try pair.client.shutdown(.write)
        #expect(try pair.server.wait(for: .readable, timeout: .seconds(20)))
        #expect(try #require(TCPState(of: pair.server.rawValue)).peerHasEnded)
        #expect(try !#require(TCPState(of: pair.client.rawValue)).peerHasEnded)
    }

    @Test func tellsThatBytesAreNotTaken() throws {
        let pair = try Pair()
        try pair.client.setSendTimeout(.milliseconds(50))
        let block = [UInt8](repeating: 0, count: 1 << 20)
        while try pair.client.sendAll(block.span) == block.count {}
        #expect(try #require(TCPState(of: pair.client.rawValue)).hasUnacknowledged)
        _ = pair.server.rawValue
    }

    @Test func whatIsNoConnectionHasNoState() { #expect(TCPState(of: 0) == nil) }

    @Test func theAddressOfThePeerIsTold() throws {
        let pair = try Pair()
        #expect(StreamSocket.remoteAddress(of: pair.server.rawValue) == (try pair.client.localAddress))
        #expect(StreamSocket.remoteAddress(of: 0) == nil)
    }

    @Test func theEndOfACorkedSideBringsTheBytesWithIt() throws {
        let pair = try Pair()
        StreamSocket.cork(pair.server.rawValue)
        _ = try pair.server.sendAll([7].span)
        #expect(try !pair.client.wait(for: .readable, timeout: .zero))
        try StreamSocket.shutdown(.write, on: pair.server.rawValue)
        var buffer = ReusableBuffer(capacity: 4)
        #expect(
            try buffer.fill { output throws(SystemCallError) in try pair.client.receive(into: &output) } == .bytes(1))
        try pair.client.setNonBlocking(true)
        #expect(try buffer.fill { output throws(SystemCallError) in try pair.client.receive(into: &output) } == .end)
    }

    @Test func aMonitorWaitsForAtMostAsLongAsItIsTold() {
        let monitor = Monitor(0)
        #expect(monitor.wait(timeout: .milliseconds(20)) { $0 == 1 ? true : nil } == nil)
        monitor.withLock { $0 = 1 }
        #expect(monitor.wait(timeout: .seconds(20)) { $0 == 1 ? true : nil } == true)
    }

}

/// Both ends of a connection.
private struct Pair: ~Copyable {
    let client: StreamSocket
    let server: StreamSocket

    init() throws {
        let listener = try ListeningSocket(address: .loopback(port: 0), backlog: 1, isNonBlocking: false)
        let connected = try StreamSocket.connect(to: listener.localAddress, timeout: .seconds(20)).release()
        let accepted = try Pair.accept(from: listener)
        client = StreamSocket(adopting: connected)
        server = StreamSocket(adopting: accepted)
    }

    private static func accept(from listener: borrowing ListeningSocket) throws -> Int32 {
        switch try listener.accept(isNonBlocking: false) {
        case .connection(let socket): return socket.release()
        default: throw SystemCallError(code: 0, call: "accept")
        }
    }
}
