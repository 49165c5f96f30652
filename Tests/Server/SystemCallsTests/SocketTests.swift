import SocketAddresses
import SystemCalls
import Testing

@Suite(.timeLimit(.minutes(1))) struct SocketTests {
    private final class Pair {
        private var socket: StreamSocket?
        let server: StreamSocket

        init(client: consuming StreamSocket, server: consuming StreamSocket) {
            socket = consume client
            self.server = server
        }

        func send(_ bytes: [UInt8]) throws { #expect(try socket?.sendAll(bytes.span) == bytes.count) }
        func endClient() throws { try socket?.shutdown(.write) }
        func resetClient() throws { try socket.take()?.closeReset() }
    }

    private func pair() throws -> Pair {
        let listener = try ListeningSocket(address: .loopback(port: 0), backlog: 8, isNonBlocking: false)
        let client = try StreamSocket.connect(to: try listener.localAddress, timeout: .seconds(5))
        switch try listener.accept(isNonBlocking: true) {
        case .connection(let server): return Pair(client: client, server: server)
        case .wouldBlock: throw SystemCallError(code: 11, call: "accept")
        case .failed(let error): throw error
        }
    }

    private func receive(_ socket: borrowing StreamSocket) throws -> (IOResult, [UInt8]) {
        var buffer = ReusableBuffer(capacity: 100)
        let result = try buffer.fill { output throws(SystemCallError) in try socket.receive(into: &output) }
        return (result, buffer.withBytes { span in span.indices.map { span[$0] } })
    }

    @Test func wouldBlockAndEndAreResults() throws {
        let pair = try pair()
        #expect(try receive(pair.server).0 == .wouldBlock)
        try pair.send([1, 2, 3])
        try pair.endClient()
        #expect(try pair.server.wait(for: .readable, timeout: .seconds(5)))
        #expect(try receive(pair.server).1 == [1, 2, 3])
        #expect(try pair.server.wait(for: .readable, timeout: .seconds(5)))
        #expect(try receive(pair.server).0 == .end)
    }

    @Test func aResetIsAnError() throws {
        let pair = try pair()
        try pair.resetClient()
        #expect(try pair.server.wait(for: .readable, timeout: .seconds(5)))
        #expect(throws: SystemCallError(code: Errno.connectionReset, call: "recv")) {
            _ = try receive(pair.server)
        }
    }

    @Test func aWriteAfterAResetFailsWithoutASignal() throws {
        let pair = try pair()
        try pair.resetClient()
        #expect(try pair.server.wait(for: .readable, timeout: .seconds(5)))
        // The first send detects the reset. By default, the second send would raise SIGPIPE.
        for _ in 0..<2 { #expect(throws: SystemCallError.self) { _ = try pair.server.send([1].span) } }
    }

    @Test func connectingToAClosedPortFails() throws {
        let address = try ListeningSocket(address: .loopback(port: 0), backlog: 1, isNonBlocking: false).localAddress
        #expect(throws: SystemCallError(code: Errno.connectionRefused, call: "connect")) {
            _ = try StreamSocket.connect(to: address, timeout: .seconds(5))
        }
    }

    @Test func anAddressInUseIsAnError() throws {
        let first = try ListeningSocket(address: .loopback(port: 0), backlog: 1, isNonBlocking: false)
        let address = try first.localAddress
        #expect(throws: SystemCallError(code: Errno.addressInUse, call: "bind")) {
            _ = try ListeningSocket(address: address, backlog: 1, isNonBlocking: false)
        }
        #expect(first.rawValue >= 0)
    }

    @Test func servesIPv6() throws {
        let listener = try ListeningSocket(
            address: SocketAddress(parsing: "[::1]:0"), backlog: 1, isNonBlocking: false)
        let client = try StreamSocket.connect(to: try listener.localAddress)
        #expect(try client.localAddress.family == .ipv6)
    }
}

@Suite struct MemoryTests {
    @Test func aQueueIsFirstInFirstOut() {
        let queue = ByteQueue()
        var expected: [UInt8] = []
        var taken: [UInt8] = []
        for round in 0..<200 {
            let bytes = (0..<(round * 37 % 5000)).map { UInt8(truncatingIfNeeded: $0 &+ round) }
            queue.append(bytes.span)
            expected += bytes
            let count = min(queue.count, round * 53 % 4000)
            queue.withBytes { span in taken += (0..<count).map { span[$0] } }
            queue.removeFirst(count)
        }
        queue.withBytes { span in taken += span.indices.map { span[$0] } }
        queue.removeFirst(.max)
        #expect(taken == expected)
        #expect(queue.count == 0)
    }

    @Test func aReusableBufferRespectsItsLimit() {
        var buffer = ReusableBuffer(capacity: 8)
        buffer.fill(limit: 3) { #expect($0.freeCapacity == 3) }
        buffer.fill(limit: -1) { #expect($0.freeCapacity == 0) }
        buffer.fill { output in output.append(1) }
        #expect(buffer.count == 1)
    }

}
