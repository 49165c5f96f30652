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
}
