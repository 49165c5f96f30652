import Servers
import SystemCalls
import Testing

/// Tests of a server's metrics, in every model.
@Suite(.serialized, .timeLimit(.minutes(2))) struct MetricsTests {
    @Test(arguments: Model.all) func connectionsBytesAndMessagesAreCounted(_ model: Model) throws {
        let server = try RunningServer(model, maxConnections: 1000, measures: true)
        for _ in 0..<3 {
            let client = try TestClient.greeted(by: server)
            for _ in 0..<5 { try client.exchange("abcd") }
            // The server counts two messages that arrive in one segment.
            try client.send("^a$^b$")
            #expect(try client.receive(2) == Array("bc".utf8))
            try client.socket.shutdown(.write)
            #expect(try client.receiveToEnd().isEmpty)
        }
        let open = try TestClient.greeted(by: server)
        let metrics = try settled(server) {
            $0.receivedByteCount == 3 * 36 && $0.openConnections == 1 && $0.sentByteCount == 4 + 3 * 22
        }
        #expect(metrics.acceptedConnections == 4)
        #expect(metrics.messageCount == 3 * 7)
        #expect(metrics.sentByteCount == 4 + 3 * 22)
        #expect(metrics.replyLatency.counts.reduce(0, +) >= 18)
        #expect(metrics.replyLatency.counts.reduce(0, +) <= 21)
        #expect(metrics.replyLatency.sum > 0)
        #expect(metrics.bufferedByteCount == 0)
        #expect(metrics.isAlive(within: .seconds(20)))
        try open.exchange("served")
        try server.stop()
        #expect(server.server.metrics.openConnections == 0)
    }

    @Test(arguments: Model.all) func aServerThatDoesNotMeasureStillCountsConnections(_ model: Model) throws {
        let server = try RunningServer(model)
        let client = try TestClient.greeted(by: server)
        try client.exchange("a")
        let metrics = server.server.metrics
        #expect(metrics.acceptedConnections == 1)
        #expect(metrics.openConnections == 1)
        #expect(metrics.messageCount == 0)
        try server.stop()
    }

    @Test(arguments: Model.simultaneous) func rejectionsAreCountedByReason(_ model: Model) throws {
        let server = try RunningServer(model, maxConnections: 1)
        let first = try TestClient.greeted(by: server)
        for _ in 0..<3 { #expect(try TestClient(server.address).receiveToEnd().isEmpty) }
        #expect(server.server.metrics.rejectedConnections == [.limit: 3])
        try first.exchange("served")
        try server.stop()
    }

    @Test(arguments: Model.all) func messagesAreCountedDuringADrain(_ model: Model) throws {
        let server = try RunningServer(model, measures: true)
        let client = try TestClient.greeted(by: server)
        try client.send("^a")
        #expect(try client.receive(1) == Array("b".utf8))
        server.server.stop()
        try client.waitUntilConnectionsAreRefused(at: server)
        // The latency of a reply does not include the time during which the message was open.
        let begin = ContinuousClock.now
        #expect(try !client.socket.wait(for: .readable, timeout: .milliseconds(300)))
        let before = server.server.metrics
        try client.send("b$")
        #expect(try client.receiveToEnd() == Array("c".utf8))
        let metrics = try settled(server) { $0.receivedByteCount == 4 && $0.messageCount == 1 }
        let latency = Duration.nanoseconds(metrics.replyLatency.sum - before.replyLatency.sum)
        #expect(latency < begin.duration(to: .now) - .milliseconds(200), "the latency must not include the wait")
        try client.socket.shutdown(.write)
        _ = try server.wait()
    }

    @Test(arguments: Model.all) func noLatencyIsLongerThanTheConnection(_ model: Model) throws {
        let begin = ContinuousClock.now
        let server = try RunningServer(model, measures: true)
        let client = try TestClient.greeted(by: server)
        // The client does not read, so the server stops reading while replies are buffered. Its loop keeps iterating.
        try client.fillUp()
        if model.servesSimultaneously { try TestClient.greeted(by: server).exchange("a") }
        try client.socket.shutdown(.write)
        _ = try client.receiveToEnd()
        let latency = try server.stop().replyLatency
        let count = latency.counts.reduce(0, +)
        #expect(count > 1)
        #expect(.nanoseconds(latency.sum) <= begin.duration(to: .now) * count)
    }

    @Test(arguments: Model.queueing) func aLoopReportsItsIterationsAndLag(_ model: Model) throws {
        let server = try RunningServer(model, loops: 2, measures: true)
        let client = try TestClient.greeted(by: server)
        try client.exchange("a")
        let loops = try settled(server) { metrics in
            metrics.loops.contains { $0.iterationTime.counts.reduce(0, +) > 0 }
                && metrics.loops.allSatisfy { $0.lag.counts.reduce(0, +) > 2 }
        }.loops
        #expect(loops.count == (model.model.family == .loops ? 2 : 1))
        #expect(loops.allSatisfy { $0.sinceTick < .seconds(20) })
        if model.model.family != .readiness { #expect(loops.map(\.madeBuffers).reduce(0, +) > 0) }
        try server.stop()
    }

    /// Waits until the metrics have reached the expected state, and returns them.
    private func settled(_ server: RunningServer, _ isSettled: (ServerMetrics) -> Bool) throws -> ServerMetrics {
        let deadline = ContinuousClock.now.advanced(by: .seconds(20))
        while true {
            let metrics = server.server.metrics
            if isSettled(metrics) { return metrics }
            try #require(ContinuousClock.now < deadline, "\(metrics)")
            PosixThread.sleep(.milliseconds(1))
        }
    }
}
