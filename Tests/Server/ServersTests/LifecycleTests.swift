import Servers
import SocketAddresses
import SystemCalls
import Testing

/// Tests of the guarantees of `start`, `run` and `stop` in every model.
@Suite(.serialized, .timeLimit(.minutes(2))) struct LifecycleTests {
    @Test(arguments: Model.all) func stopsWithoutClients(_ model: Model) throws {
        #expect(try RunningServer(model).stop().acceptedConnections == 0)
    }

    @Test(arguments: Model.all) func aStopBeforeRunMakesItReturn(_ model: Model) throws {
        let server = model.makeServer(ServerConfiguration(address: .loopback(port: 0)))
        server.stop()
        _ = try server.start()
        _ = try server.run()
    }

    @Test(arguments: Model.all) func aStopBetweenStartAndRunMakesItReturn(_ model: Model) throws {
        let server = model.makeServer(ServerConfiguration(address: .loopback(port: 0)))
        _ = try server.start()
        server.stop()
        _ = try server.run()
    }

    @Test(arguments: Model.all) func runWithoutStartFails(_ model: Model) {
        let server = model.makeServer(ServerConfiguration(address: .loopback(port: 0)))
        #expect(throws: ServerError.self) { try server.run() }
    }

    @Test(arguments: Model.all) func aDrainSendsBufferedRepliesAndThenFIN(_ model: Model) throws {
        let server = try RunningServer(model)
        let client = try TestClient.greeted(by: server)
        // The reply is far longer than one segment, and the client reads only a part of it before the drain.
        try client.send([0x5E] + [UInt8](repeating: 0x61, count: 150_000) + [0x24])
        #expect(try client.receive(100_000).count == 100_000)
        server.server.stop()
        // The client receives the remaining bytes of the reply. It then receives FIN, not a reset.
        #expect(try client.receiveToEnd() == [UInt8](repeating: 0x62, count: 50_000))
        #expect(try server.wait().acceptedConnections == 1)
    }

    @Test(arguments: Model.all) func noConnectionIsAcceptedDuringADrain(_ model: Model) throws {
        let server = try RunningServer(model)
        let client = try TestClient.greeted(by: server)
        server.server.stop()
        #expect(try client.receiveToEnd().isEmpty)
        _ = try server.wait()
        #expect(throws: SystemCallError.self) { _ = try StreamSocket.connect(to: server.address, timeout: .seconds(5)) }
    }

    @Test(arguments: Model.all) func aClientThatDoesNotReadDelaysADrainOnlyUntilItsTimeout(_ model: Model) throws {
        let server = try RunningServer(model, drainTimeout: .milliseconds(300))
        let client = try TestClient.greeted(by: server)
        try client.socket.setSendTimeout(.milliseconds(200))
        let block = [UInt8](repeating: 0x61, count: 1 << 20)
        _ = try client.socket.sendAll([0x5E].span)
        while try client.socket.sendAll(block.span) == block.count {}
        let begin = ContinuousClock.now
        try server.stop()
        #expect(begin.duration(to: .now) < .seconds(10))
    }

    @Test(arguments: Model.all) func aSecondStopClosesAtOnce(_ model: Model) throws {
        let server = try RunningServer(model, drainTimeout: .seconds(600))
        let client = try TestClient.greeted(by: server)
        try client.socket.setSendTimeout(.milliseconds(200))
        let block = [UInt8](repeating: 0x61, count: 1 << 20)
        _ = try client.socket.sendAll([0x5E].span)
        while try client.socket.sendAll(block.span) == block.count {}
        server.server.stop()
        server.server.stop()
        _ = try server.wait()
    }

    @Test(arguments: Model.all) func anAddressInUseIsNamed(_ model: Model) throws {
        let first = try RunningServer(model)
        let second = model.makeServer(ServerConfiguration(address: first.address))
        let error = #expect(throws: ServerError.self) { try second.start() }
        #expect(error?.cause.code == Errno.addressInUse)
        #expect(error?.address == first.address)
        try first.stop()
    }

    @Test(arguments: Model.all) func servesIPv6(_ model: Model) throws {
        let server = model.makeServer(ServerConfiguration(address: try SocketAddress(parsing: "[::1]:0")))
        let address = try server.start()
        #expect(address.host == "::1")
        #expect(address.port != 0)
        server.stop()
        _ = try server.run()
    }
}
