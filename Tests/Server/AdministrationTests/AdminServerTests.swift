@testable import Administration
import HTTPProtocol
import LibUV
import SocketAddresses
import Synchronization
import SystemCalls
import Testing

@Suite(.timeLimit(.minutes(1))) struct AdminServerTests {
    /// The state that the routes report; a test can change it.
    final class Facts: Sendable {
        let isReady = Atomic<Bool>(true)
        let isAlive = Atomic<Bool>(true)
        let scrapes = Atomic<Int>(0)

        var routes: AdminRoutes {
            AdminRoutes(
                isReady: { self.isReady.load(ordering: .relaxed) }, isAlive: { self.isAlive.load(ordering: .relaxed) },
                metrics: {
                    let scrapes = self.scrapes.add(1, ordering: .relaxed).newValue
                    return [MetricFamily(.counter, "scrapes_total", help: "Scrapes.", Double(scrapes))]
                })
        }
    }

    /// Limits with timeouts longer than any test.
    private static let patient = AdminLimits(connectionTimeout: .seconds(3600), stopGrace: .seconds(3600))

    private func withServer(
        _ limits: AdminLimits = patient, facts: Facts = Facts(), _ body: (SocketAddress, Facts) throws -> Void
    ) throws {
        let server = try AdminServer(at: .loopback(port: 0), routes: facts.routes, limits: limits)
        defer {
            server.stop()
            server.join()
        }
        try body(server.address, facts)
    }

    @Test func eachPathHasItsResponse() throws {
        try withServer { address, facts in
            #expect(try AdminClient.get(address, "/healthz").hasSuffix("\r\n\r\nok\n"))
            #expect(try AdminClient.get(address, "/readyz").hasSuffix("\r\n\r\nready\n"))
            #expect(try AdminClient.get(address, "/").contains("/metrics"))
            #expect(try AdminClient.get(address, "/none").hasPrefix("HTTP/1.1 404 Not Found\r\n"))
            let metrics = try AdminClient.get(address, "/metrics")
            #expect(metrics.contains("\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"))
            #expect(metrics.hasSuffix("# TYPE scrapes_total counter\nscrapes_total 1\n"))
            #expect(try AdminClient.get(address, "/metrics").hasSuffix("scrapes_total 2\n"))
        }
    }

    @Test func aServerThatIsNotReadyOrNotAliveRespondsWith503() throws {
        try withServer { address, facts in
            facts.isReady.store(false, ordering: .relaxed)
            let readiness = try AdminClient.get(address, "/readyz")
            #expect(readiness.hasPrefix("HTTP/1.1 503 Service Unavailable\r\n"))
            #expect(readiness.hasSuffix("\r\n\r\ndraining\n"))
            let health = try AdminClient.get(address, "/healthz")
            #expect(health.hasPrefix("HTTP/1.1 200 OK\r\n"))
            facts.isAlive.store(false, ordering: .relaxed)
            let failure = try AdminClient.get(address, "/healthz")
            #expect(failure.hasPrefix("HTTP/1.1 503 Service Unavailable\r\n"))
        }
    }

    @Test func aResponseToHEADHasNoContent() throws {
        try withServer { address, _ in
            let response = try AdminClient.ask(address, "HEAD /healthz HTTP/1.0\r\n\r\n")
            #expect(response.hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(response.contains("\r\nContent-Length: 3\r\n"))
            #expect(response.hasSuffix("\r\n\r\n"))
        }
    }

    @Test(arguments: [
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", 405), ("GET / HTTP/1.1\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", 413), ("\u{16}\u{3}\u{1}\u{2}\u{0}", 400),
        ("GET /\(String(repeating: "a", count: 9000)) HTTP/1.1\r\n\r\n", 414), ("GET / HTTP/3.0\r\n\r\n", 505),
        ("GET / HTTP/1.0\r\n\(String(repeating: "a: b\r\n", count: 200))\r\n", 431),
    ]) func aRejectedRequestGetsItsStatus(_ request: String, _ status: Int) throws {
        try withServer { address, _ in
            let response = try AdminClient.ask(address, request)
            #expect(response.hasPrefix("HTTP/1.1 \(status) "))
        }
    }

    @Test func aRequestMayArriveByteByByte() throws {
        try withServer { address, _ in
            let client = try AdminClient(address)
            for character in "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n".unicodeScalars {
                try client.send(String(character))
            }
            #expect(try client.receiveToEnd().hasSuffix("\r\n\r\nok\n"))
        }
    }

    @Test func bytesAfterARequestDoNotDestroyTheResponse() throws {
        try withServer { address, _ in
            // The server rejects the first line. The client then sends more bytes than the kernel can buffer.
            let client = try AdminClient(address)
            try client.send("POST / HTTP/1.1\r\n")
            for _ in 0..<64 { try client.send(String(repeating: "x", count: 256 * 1024)) }
            #expect(try client.receiveToEnd().hasPrefix("HTTP/1.1 405 "))
        }
    }

    @Test func aClientThatShutsDownItsWriteSideGetsItsResponse() throws {
        try withServer { address, _ in
            let client = try AdminClient(address)
            try client.send("GET /healthz HTTP/1.0\r\n\r\n")
            try client.socket.shutdown(.write)
            #expect(try client.receiveToEnd().hasSuffix("\r\n\r\nok\n"))
        }
    }

    @Test func aClientMayCloseWithoutARequest() throws {
        try withServer { address, _ in
            let client = try AdminClient(address)
            try client.send("GET /heal")
            try client.socket.shutdown(.write)
            #expect(try client.receiveToEnd().isEmpty)
            try AdminClient(address).closeReset()
            #expect(try AdminClient.get(address, "/healthz").hasSuffix("ok\n"))
        }
    }

    @Test func aConnectionWithoutARequestIsClosedAfterTheTimeout() throws {
        try withServer(AdminLimits(connectionTimeout: .milliseconds(20))) { address, _ in
            let client = try AdminClient(address)
            try client.send("GET / HTTP/1.1\r\n")
            #expect(try client.receiveToEnd().isEmpty)
        }
    }

    @Test func openConnectionsDoNotDelayAStop() throws {
        let facts = Facts()
        let limits = AdminLimits(maxConnections: 2, connectionTimeout: .seconds(3600))
        let server = try AdminServer(at: .loopback(port: 0), routes: facts.routes, limits: limits)
        // The first client sends no request, the second stays connected after its response, and the third waits in the
        // backlog.
        let silent = try AdminClient(server.address)
        let lingering = try AdminClient(server.address)
        try lingering.send("GET /healthz HTTP/1.0\r\n\r\n")
        #expect(try lingering.receiveToEnd().hasSuffix("ok\n"))
        let waiting = try AdminClient(server.address)
        server.stop()
        server.stop()
        server.join()
        #expect(try silent.receiveToEnd().isEmpty)
        #expect(throws: SystemCallError(code: Errno.connectionRefused, call: "connect")) {
            _ = try AdminClient(server.address)
        }
        withExtendedLifetime(waiting.socket.rawValue) {}
    }

    @Test func aPortInUseIsAnError() throws {
        try withServer { address, facts in
            #expect(throws: SystemCallError(code: Errno.addressInUse, call: "uv_listen")) {
                _ = try AdminServer(at: address, routes: facts.routes)
            }
        }
    }

    @Test func allHandlesAreClosedAfterAStop() throws {
        // Each of the four clients can have two connections: one whose end the server has not noticed yet, and a new one.
        let limits = AdminLimits(maxConnections: 8, connectionTimeout: .seconds(3600))
        let loop = try AdminLoop(routes: Facts().routes, limits: limits)
        let address = try loop.listen(on: .loopback(port: 0))
        let clients = ThreadGroup()
        let answered = Atomic<Int>(0)
        for _ in 0..<4 {
            try clients.start {
                for _ in 0..<25 {
                    guard let text = try? AdminClient.get(address, "/metrics"), text.hasPrefix("HTTP/1.1 200") else {
                        continue
                    }
                    answered.add(1, ordering: .relaxed)
                }
            }
        }
        let stopping = ThreadGroup()
        try stopping.start {
            clients.joinAll()
            loop.stopper.stop()
        }
        let leftOpen = loop.run()
        stopping.joinAll()
        #expect(answered.load(ordering: .relaxed) == 100)
        #expect(leftOpen.isEmpty)
        #expect((1...8).contains(loop.peakConnections))
        let buffers = loop.loop.statistics.buffers
        #expect(buffers.inFlight == 0 && buffers.held == 0)
    }
}
