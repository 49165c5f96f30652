import Administration
import SocketAddresses
import SystemCalls
import Testing

/// Tests that connections at the limit make room for further connections, and in which order.
@Suite(.timeLimit(.minutes(1))) struct AdminRoomTests {
    private func withServer(maxConnections: Int, _ body: (SocketAddress) throws -> Void) throws {
        let routes = AdminRoutes(isReady: { true }, isAlive: { true }, metrics: { [] })
        let limits = AdminLimits(
            maxConnections: maxConnections, connectionTimeout: .seconds(3600), stopGrace: .seconds(3600))
        let server = try AdminServer(at: .loopback(port: 0), routes: routes, limits: limits)
        defer {
            server.stop()
            server.join()
        }
        try body(server.address)
    }

    /// Returns whether the server has closed the connection of a client that has received nothing.
    private func isClosed(_ client: borrowing AdminClient) throws -> Bool {
        try client.socket.wait(for: .readable, timeout: .zero)
    }

    @Test func theOldestSilentConnectionMakesRoom() throws {
        try withServer(maxConnections: 3) { address in
            let clients =
                [try AdminClient(address), try AdminClient(address), try AdminClient(address)]
                as InlineArray<3, AdminClient>
            // An incomplete request does not count as a request.
            try clients[0].send("GET /healthz HTTP/1.0\r\n")
            var others: [Int32] = []
            for next in 0..<3 {
                #expect(try AdminClient.get(address, "/healthz").hasSuffix("ok\n"))
                #expect(try clients[next].receiveToEnd().isEmpty)
                for later in (next + 1)..<3 { #expect(try !isClosed(clients[later])) }
                // A silent client takes the place again.
                others.append(try StreamSocket.connect(to: address, timeout: .seconds(20)).release())
            }
            for other in others { StreamSocket.close(other) }
        }
    }

    @Test func aConnectionWithAResponseMakesRoomBeforeASilentOne() throws {
        try withServer(maxConnections: 2) { address in
            let silent = try AdminClient(address)
            let finished = try AdminClient(address)
            try finished.send("GET /healthz HTTP/1.0\r\n\r\n")
            #expect(try finished.receiveToEnd().hasSuffix("ok\n"))
            #expect(try AdminClient.get(address, "/healthz").hasSuffix("ok\n"))
            #expect(try !isClosed(silent))
            try silent.send("GET /readyz HTTP/1.0\r\n\r\n")
            #expect(try silent.receiveToEnd().hasSuffix("ready\n"))
        }
    }

    /// Twice as many silent clients as connections, each of which connects again when it is closed.
    @Test func silentClientsThatReturnDoNotKeepOutARequest() throws {
        try withServer(maxConnections: 64) { address in
            var silent: [Int32] = []
            for round in 0..<10 {
                for _ in 0..<(round == 0 ? 128 : 64) {
                    silent.append(try StreamSocket.connect(to: address, timeout: .seconds(20)).release())
                }
                #expect(try AdminClient.get(address, "/healthz").hasSuffix("ok\n"))
            }
            for number in silent { StreamSocket.close(number) }
        }
    }
}
