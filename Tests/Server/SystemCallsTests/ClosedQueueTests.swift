import Glibc
import SocketAddresses
import SystemCalls
import Testing

/// Tests of the queue of a listening socket when it must not grow any more.
@Suite(.timeLimit(.minutes(1))) struct ClosedQueueTests {
    @Test func theQueueKeepsItsClientsAndTakesNoFurtherOnes() throws {
        let listener = try ListeningSocket(address: .loopback(port: 0), backlog: 8, isNonBlocking: true)
        let address = try listener.localAddress
        var clients: [Int32] = []
        for _ in 0..<5 { clients.append(try StreamSocket.connect(to: address, timeout: .seconds(20)).release()) }
        ListeningSocket.closeQueue(of: listener.rawValue)
        #expect(throws: SystemCallError.self) {
            _ = try StreamSocket.connect(to: address, timeout: .milliseconds(200)).rawValue
        }
        var accepted = 0
        while let connection = ListeningSocket.acceptWaiting(on: listener.rawValue) {
            let socket = StreamSocket(adopting: connection)
            #expect(try socket.sendAll([0x2A].span) == 1)
            accepted += 1
        }
        #expect(accepted == 5)
        for client in clients { StreamSocket.close(client) }
    }

    /// A connection inherits the filter of its listener if its handshake ends while the filter is attached.
    @Test func anAcceptedConnectionHasNoFilter() throws {
        let listener = try ListeningSocket(address: .loopback(port: 0), backlog: 8, isNonBlocking: true)
        // This filter lets all packets pass, so that a connection can inherit it.
        var instruction: (UInt16, UInt8, UInt8, UInt32) = (6, 0, 0, .max)
        let attached = unsafe withUnsafeMutablePointer(to: &instruction) { instruction in
            var program = (UInt16(1), UnsafeMutableRawPointer(instruction))
            return unsafe setsockopt(
                listener.rawValue, SOL_SOCKET, SO_ATTACH_FILTER, &program,
                socklen_t(unsafe MemoryLayout.size(ofValue: program)))
        }
        try #require(attached == 0)
        let client = try StreamSocket.connect(to: listener.localAddress, timeout: .seconds(20))
        ListeningSocket.closeQueue(of: listener.rawValue)
        let connection = StreamSocket(adopting: try #require(ListeningSocket.acceptWaiting(on: listener.rawValue)))
        // Removing a filter fails if there is none.
        var unused: Int32 = 0
        let removed = unsafe setsockopt(connection.rawValue, SOL_SOCKET, SO_DETACH_FILTER, &unused, 4)
        #expect(removed == -1)
        #expect(errno == ENOENT)
        #expect(try connection.sendAll([0x2A].span) == 1)
        #expect(try client.receive(upTo: 1) == [0x2A])
    }
}
