import SocketAddresses
import SystemCalls
import Testing

/// Tests of the kernel's state of a connection (`TCP_INFO`).
@Suite(.timeLimit(.minutes(1))) struct TCPStateTests {
    @Test func countsReceivedAndAcknowledgedBytes() throws {
        let pair = try Pair()
        _ = try pair.client.sendAll([1, 2, 3].span)
        #expect(try pair.server.wait(for: .readable, timeout: .seconds(20)))
        let state = try #require(TCPState(of: pair.server.rawValue))
        #expect(state.receivedByteCount == 3)
        #expect(state.sinceReceived < .seconds(20))
        #expect(!state.peerHasShutDown)
        #expect(StreamSocket.unreadByteCount(on: pair.server.rawValue) == 3)
        try wait(pair.client.rawValue) { !$0.hasUnacknowledged }
        // The kernel counts the SYN of the handshake as one more byte.
        #expect(try #require(TCPState(of: pair.client.rawValue)).acknowledgedByteCount >= 3)
    }

    @Test func eachAcknowledgementRestartsItsTime() throws {
        let pair = try Pair()
        _ = try pair.client.sendAll([1].span)
        let client = pair.client.rawValue
        try wait(client) { !$0.hasUnacknowledged }
        try wait(client) { $0.sinceAcknowledged >= .milliseconds(60) }
        let sent = ContinuousClock.now
        _ = try pair.client.sendAll([2].span)
        try wait(client) { !$0.hasUnacknowledged }
        let state = try #require(TCPState(of: client))
        // The kernel's clock advances in ticks of up to 10 ms.
        #expect(state.sinceAcknowledged <= sent.duration(to: .now) + .milliseconds(20))
        _ = pair.server.rawValue
    }

    @Test func knowsWhichSideHasSentFIN() throws {
        let pair = try Pair()
        #expect(try !#require(TCPState(of: pair.client.rawValue)).finIsAcknowledged)
        try pair.client.shutdown(.write)
        #expect(try pair.server.wait(for: .readable, timeout: .seconds(20)))
        #expect(try #require(TCPState(of: pair.server.rawValue)).peerHasShutDown)
        #expect(try !#require(TCPState(of: pair.client.rawValue)).peerHasShutDown)
        try wait(pair.client.rawValue) { $0.finIsAcknowledged }
        #expect(try !#require(TCPState(of: pair.server.rawValue)).finIsAcknowledged)
        try pair.server.shutdown(.write)
        try wait(pair.client.rawValue) { $0.peerHasShutDown && $0.finIsAcknowledged }
        try wait(pair.server.rawValue) { $0.peerHasShutDown && $0.finIsAcknowledged }
    }

    @Test func bytesThatThePeerDoesNotReadKeepTheFINUnacknowledged() throws {
        let pair = try Pair()
        try pair.client.setSendTimeout(.milliseconds(50))
        let block = [UInt8](repeating: 0, count: 1 << 20)
        while try pair.client.sendAll(block.span) == block.count {}
        try pair.client.shutdown(.write)
        let state = try #require(TCPState(of: pair.client.rawValue))
        #expect(state.hasUnacknowledged)
        #expect(!state.finIsAcknowledged)
        #expect(try !#require(TCPState(of: pair.server.rawValue)).peerHasShutDown)
    }

    @Test func aDescriptorThatIsNotASocketHasNoState() { #expect(TCPState(of: 0) == nil) }

    @Test func aDescriptorIsClosedByItsNumber() throws {
        let pair = try Pair()
        let number = try StreamSocket.connect(to: pair.listener.localAddress, timeout: .seconds(20)).release()
        let accepted = try Pair.accept(from: pair.listener)
        StreamSocket.close(number)
        try wait(accepted) { $0.peerHasShutDown }
        StreamSocket.close(accepted)
    }

    /// Reads the state repeatedly until a condition holds, or fails after 20 seconds.
    private func wait(_ descriptor: Int32, until condition: (TCPState) -> Bool) throws {
        let deadline = ContinuousClock.now.advanced(by: .seconds(20))
        while try !condition(#require(TCPState(of: descriptor))) { try #require(ContinuousClock.now < deadline) }
    }

    @Test func theAddressOfThePeerIsKnown() throws {
        let pair = try Pair()
        #expect(StreamSocket.remoteAddress(of: pair.server.rawValue) == (try pair.client.localAddress))
        #expect(StreamSocket.remoteAddress(of: 0) == nil)
    }

    @Test func aCorkedSocketSendsItsBytesTogetherWithTheFIN() throws {
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
}

/// Both ends of a connection, and the listener that accepted it.
private struct Pair: ~Copyable {
    let listener: ListeningSocket
    let client: StreamSocket
    let server: StreamSocket

    init() throws {
        let listener = try ListeningSocket(address: .loopback(port: 0), backlog: 1, isNonBlocking: false)
        let connected = try StreamSocket.connect(to: listener.localAddress, timeout: .seconds(20)).release()
        let accepted = try Pair.accept(from: listener)
        self.listener = listener
        client = StreamSocket(adopting: connected)
        server = StreamSocket(adopting: accepted)
    }

    static func accept(from listener: borrowing ListeningSocket) throws -> Int32 {
        switch try listener.accept(isNonBlocking: false) {
        case .connection(let socket): return socket.release()
        default: throw SystemCallError(code: 0, call: "accept")
        }
    }
}
