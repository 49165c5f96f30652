import ProxyProtocol
import Servers
import SocketAddresses
import SystemCalls
import Testing

/// Tests of clients behind a proxy that forwards their addresses, in every model.
@Suite(.serialized, .timeLimit(.minutes(2))) struct ForwardedClientTests {
    /// A header for the client 203.0.113.7:51234, written by hand from the specification of the PROXY protocol.
    private static let header: [UInt8] =
        [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A, 0x21, 0x11, 0x00, 0x0C]
        + [203, 0, 113, 7, 10, 0, 0, 1, 0xC8, 0x22, 0x23, 0x82]
    /// The header that a proxy sends for its own health checks.
    private static let local: [UInt8] =
        [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A, 0x20, 0x00, 0x00, 0x00]

    private func server(_ model: Model, _ log: LogRecorder, trusting blocks: [String] = ["127.0.0.1"]) throws
        -> RunningServer
    {
        try RunningServer(model, trustedProxies: try blocks.map { try CIDRBlock(parsing: $0) }, logger: log.logger)
    }

    @Test(arguments: Model.all) func theLogHasTheAddressOfTheProxysClient(_ model: Model) throws {
        let log = LogRecorder()
        let server = try server(model, log)
        let client = try server.connect()
        try client.send(Self.header)
        #expect(try client.receive(1) == [0x2A])
        try client.exchange("forwarded")
        try client.socket.shutdown(.write)
        #expect(try client.receiveToEnd().isEmpty)
        try server.stop()
        #expect(
            log.messages.contains {
                $0.hasPrefix("accepted client=203.0.113.7:51234 connection=1 proxy=127.0.0.1:")
            }, "\(log.messages)")
    }

    @Test(arguments: Model.all) func theHeaderMayArriveInPiecesAndWithTheFirstMessage(_ model: Model) throws {
        let server = try RunningServer(model, measures: true, trustedProxies: [try CIDRBlock(parsing: "127.0.0.0/8")])
        for cut in [1, 12, 15, 16, 27, 28, 30] {
            let client = try server.connect()
            let bytes = Self.header + Array("^a$^b".utf8)
            try client.send(Array(bytes[..<cut]))
            try client.send(Array(bytes[cut...]))
            #expect(try client.receive(3) == [0x2A, 0x62, 0x63])
            try client.send("c$")
            #expect(try client.receive(1) == [0x64])
            try client.socket.shutdown(.write)
            #expect(try client.receiveToEnd().isEmpty)
        }
        let summary = try server.stop()
        #expect(summary.acceptedConnections == 7)
        // The server does not count the bytes of a header as received bytes.
        #expect(summary.receivedByteCount == 7 * "^a$^bc$".utf8.count)
        // A message that arrives with the header counts once.
        #expect(summary.messageCount == 7 * 2)
    }

    @Test(arguments: Model.all) func theProxysOwnConnectionsAreServed(_ model: Model) throws {
        let server = try server(model, LogRecorder())
        let check = try server.connect()
        try check.send(Self.local)
        #expect(try check.receive(1) == [0x2A])
        try check.exchange("health")
        try server.stop()
    }

    @Test(arguments: Model.all) func anInvalidHeaderClosesTheConnectionWithAReason(_ model: Model) throws {
        let log = LogRecorder()
        let server = try server(model, log)
        let client = try server.connect()
        try client.send("^abc$")
        // The server sends nothing to a client without a valid header.
        #expect((try? client.receiveToEnd()) ?? [] == [])
        #expect(server.server.metrics.closedConnections == [.proxyHeader: 1])
        try server.stop()
        #expect(log.messages.count { $0.contains("closed a connection") && $0.contains("limit=proxy_protocol") } == 1)
    }

    /// The servers of all models wait for the header at the same time.
    @Test func aMissingHeaderClosesTheConnection() throws {
        let servers = try Model.all.map { try server($0, LogRecorder()) }
        let clients = try servers.map { server in
            let client = try server.connect()
            try client.send(Array(Self.header.prefix(20)))
            return client.release()
        }
        for (index, client) in clients.enumerated() {
            let client = TestClient(adopting: client)
            #expect(try client.receiveToEnd().isEmpty, "\(Model.all[index])")
            #expect(servers[index].server.metrics.closedConnections == [.proxyHeader: 1], "\(Model.all[index])")
        }
        for server in servers { try server.stop() }
    }

    @Test(arguments: Model.all) func aProxyThatDisconnectsInItsHeaderAffectsNoOtherClient(_ model: Model) throws {
        let log = LogRecorder()
        let server = try server(model, log)
        // The first proxy resets its connection. The second proxy shuts down its write side. Neither proxy sends a
        // header.
        try server.connect().reset()
        try server.connect().socket.shutdown(.write)
        let client = try server.connect()
        try client.send(Self.header)
        #expect(try client.receive(1) == [0x2A])
        #expect(server.server.metrics.closedConnections.isEmpty)
        try server.stop()
        #expect(!log.messages.contains { $0.contains("closed a connection") })
    }

    @Test(arguments: Model.all) func theHeaderOfAnUntrustedClientIsIgnored(_ model: Model) throws {
        let log = LogRecorder()
        let server = try server(model, log, trusting: ["192.0.2.0/24", "2001:db8::/32"])
        let client = try TestClient.greeted(by: server)
        // This client is not a trusted proxy. The server ignores its header, like all bytes before a message.
        try client.send(Self.header)
        try client.exchange("own")
        try server.stop()
        #expect(log.messages.contains { $0.hasPrefix("accepted client=127.0.0.1:") })
        #expect(!log.messages.contains { $0.contains("203.0.113.7") })
    }

    @Test(arguments: Model.all) func aSilentProxyDoesNotDelayADrain(_ model: Model) throws {
        let server = try server(model, LogRecorder())
        let client = try server.connect()
        try client.send(Array(Self.header.prefix(5)))
        let served = try server.connect()
        if model.servesSimultaneously {
            try served.send(Self.header)
            #expect(try served.receive(1) == [0x2A])
        }
        server.server.stop()
        _ = try server.wait()
        #expect((try? client.receiveToEnd()) ?? [] == [])
    }
}
