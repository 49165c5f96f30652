import Servers
import SystemCalls
import Testing

/// Tests of connection limits in every model.
///
/// If a connection exceeds a limit, the server closes this connection and reports the reason, exactly once. It closes
/// no other connection.
@Suite(.serialized, .timeLimit(.minutes(3))) struct ConnectionLimitTests {
    @Test(arguments: Model.simultaneous) func anIdleConnectionIsClosedAndABusyOneIsNot(_ model: Model) throws {
        let log = LogRecorder()
        let server = try RunningServer(
            model, limits: ConnectionLimits(idleTimeout: .milliseconds(300)), logger: log.logger)
        let busy = try TestClient.greeted(by: server)
        let idle = try TestClient.greeted(by: server)
        try idle.socket.setNonBlocking(true)
        var buffer = ReusableBuffer(capacity: 1)
        let deadline = ContinuousClock.now.advanced(by: .seconds(20))
        while try buffer.fill({ output throws(SystemCallError) in try idle.socket.receive(into: &output) }) != .end {
            try busy.exchange("busy")
            try #require(ContinuousClock.now < deadline)
        }
        try busy.exchange("still served")
        #expect(server.server.metrics.closedConnections == [.idle: 1])
        try server.stop()
        #expect(log.messages.count { $0.contains("closed a connection") } == 1)
        #expect(log.messages.contains { $0.contains("connection=2") && $0.contains("limit=idle_timeout") })
    }

    @Test(arguments: Model.oneAtATime) func anIdleConnectionIsClosedAndTheNextClientServed(_ model: Model) throws {
        let server = try RunningServer(model, limits: ConnectionLimits(idleTimeout: .milliseconds(200)))
        let idle = try TestClient.greeted(by: server)
        let next = try TestClient(server.address)
        #expect(try idle.receiveToEnd().isEmpty)
        #expect(try next.receive(1) == [0x2A])
        try next.exchange("served")
        #expect(server.server.metrics.closedConnections == [.idle: 1])
        try server.stop()
    }

    @Test(arguments: Model.all) func aClientThatAcceptsNoReplyBytesIsReset(_ model: Model) throws {
        let log = LogRecorder()
        let server = try RunningServer(
            model, limits: ConnectionLimits(writeTimeout: .milliseconds(300)), logger: log.logger)
        let client = try TestClient.greeted(by: server)
        // The server's reset may arrive while the client is still sending.
        try? client.fillUp()
        // After the timeout, the server resets the connection, and the client cannot send any more.
        let deadline = ContinuousClock.now.advanced(by: .seconds(20))
        while (try? client.socket.sendAll([0x61].span)) != nil { try #require(ContinuousClock.now < deadline) }
        #expect(server.server.metrics.closedConnections == [.stalled: 1])
        try server.stop()
        #expect(log.messages.count { $0.contains("closed a connection") && $0.contains("limit=write_timeout") } == 1)
    }

    @Test(arguments: Model.simultaneous) func aSlowSenderIsClosedAndAFastOneIsNot(
        _ model: Model
    ) throws {
        let log = LogRecorder()
        let server = try RunningServer(
            model, limits: ConnectionLimits(minReadRate: 10_000, rateWindow: .milliseconds(300)), logger: log.logger)
        let quick = try TestClient.greeted(by: server)
        // This client opens a message, and sends far faster than the minimum rate.
        try quick.send("^")
        let slow = try TestClient.greeted(by: server)
        try slow.send("^a")
        #expect(try slow.receive(1) == [0x62])
        // A client without an open message may be silent.
        let silent = try TestClient.greeted(by: server)
        try silent.exchange("silent from here on")
        try slow.socket.setNonBlocking(true)
        var buffer = ReusableBuffer(capacity: 16)
        let block = [UInt8](repeating: 0x61, count: 4096)
        let deadline = ContinuousClock.now.advanced(by: .seconds(20))
        while try buffer.fill({ output throws(SystemCallError) in try slow.socket.receive(into: &output) }) != .end {
            try quick.send(block)
            #expect(try quick.receive(block.count).count == block.count)
            try #require(ContinuousClock.now < deadline)
        }
        try silent.exchange("still served")
        #expect(server.server.metrics.closedConnections == [.slow: 1])
        try quick.send("$")
        try server.stop()
        #expect(log.messages.contains { $0.contains("connection=2") && $0.contains("limit=min_read_rate") })
    }

    @Test(arguments: Model.simultaneous) func aConnectionThatWouldExceedTheTotalIsReset(_ model: Model) throws {
        let log = LogRecorder()
        let server = try RunningServer(model, maxBufferedTotal: 20_000, logger: log.logger)
        let active = try TestClient.greeted(by: server)
        var stalled: [Int32] = []
        for _ in 0..<8 {
            let client = try TestClient.greeted(by: server)
            // `fillUp` throws if the server resets this connection because it would exceed the limit.
            try? client.fillUp()
            stalled.append(client.release())
        }
        // The server resets each connection that would exceed the limit, and serves the other connections.
        let deadline = ContinuousClock.now.advanced(by: .seconds(20))
        while server.server.metrics.closedConnections[.buffered, default: 0] == 0 {
            try #require(ContinuousClock.now < deadline)
            PosixThread.sleep(.milliseconds(1))
        }
        try active.exchange("served")
        #expect(server.server.metrics.bufferedByteCount <= 20_000)
        for client in stalled { StreamSocket.close(client) }
        try server.stop()
        #expect(server.server.metrics.bufferedByteCount == 0)
        #expect(log.messages.contains { $0.contains("closed a connection") && $0.contains("limit=max_buffered_total") })
    }
}

extension TestClient {
    /// Opens a message, and sends until the server stops reading.
    func fillUp() throws {
        try socket.setSendTimeout(.milliseconds(100))
        let block = [UInt8](repeating: 0x61, count: 1 << 20)
        _ = try socket.sendAll([0x5E].span)
        while try socket.sendAll(block.span) == block.count {}
    }
}
