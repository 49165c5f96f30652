import Servers
import SocketAddresses
import SystemCalls
import Testing

/// Tests of the guarantees that a drain gives to clients in every model.
@Suite(.serialized, .timeLimit(.minutes(3))) struct DrainTests {
    @Test(arguments: Model.all) func anOpenMessageIsAllowedToFinishDuringADrain(_ model: Model) throws {
        let server = try RunningServer(model, drainTimeout: .seconds(600))
        let client = try TestClient.greeted(by: server)
        try client.send("^ab")
        #expect(try client.receive(2) == Array("bc".utf8))
        server.server.stop()
        try client.waitUntilConnectionsAreRefused(at: server)
        for letter in ["c", "d", "e"] {
            try client.send(letter)
            #expect(try client.receive(1).count == 1)
        }
        try client.send("f$")
        #expect(try client.receiveToEnd() == Array("g".utf8))
        _ = try server.wait()
    }

    @Test(arguments: Model.all) func anOpenMessageDelaysADrainUntilItsTimeoutAndIsNotReset(_ model: Model) throws {
        let server = try RunningServer(model, drainTimeout: .milliseconds(300))
        let client = try TestClient.greeted(by: server)
        try client.send("^ab")
        server.server.stop()
        // The client receives the replies to all bytes that the server has received. It then receives FIN, not a reset.
        #expect(try client.receiveToEnd() == Array("bc".utf8))
        _ = try server.wait()
    }

    @Test(arguments: Model.all) func aClientThatHalfClosesInAMessageDoesNotDelayADrain(_ model: Model) throws {
        let server = try RunningServer(model, drainTimeout: .seconds(600))
        let client = try TestClient.greeted(by: server)
        try client.send("^ab")
        #expect(try client.receive(2) == Array("bc".utf8))
        server.server.stop()
        try client.socket.shutdown(.write)
        #expect(try client.receiveToEnd().isEmpty)
        _ = try server.wait()
    }

    @Test(arguments: Model.all) func anActiveClientReceivesFINWithItsReply(_ model: Model) throws {
        let server = try RunningServer(model, drainTimeout: .seconds(600))
        let client = try TestClient.greeted(by: server)
        try client.send("^a")
        #expect(try client.receive(1) == Array("b".utf8))
        server.server.stop()
        try client.waitUntilConnectionsAreRefused(at: server)
        try client.send("z$")
        #expect(try client.receive(1) == [0x7B])
        // FIN arrives in the same segment as the reply, so the client need not wait for FIN.
        try client.socket.setNonBlocking(true)
        var buffer = ReusableBuffer(capacity: 1)
        let result = try buffer.fill { output throws(SystemCallError) in try client.socket.receive(into: &output) }
        #expect(result == .end)
        _ = try server.wait()
    }

    @Test(arguments: Model.queueing) func aClientInTheBacklogReceivesTheGreetingAndFIN(_ model: Model) throws {
        let server = model.makeServer(ServerConfiguration(address: .loopback(port: 0)))
        let address = try server.start()
        var clients: [Int32] = []
        for _ in 0..<50 { clients.append(try TestClient(address).release()) }
        // The server is stopped before it has accepted any of these clients.
        server.stop()
        let summary = try server.run()
        for client in clients { #expect(try TestClient(adopting: client).receiveToEnd() == [0x2A]) }
        #expect(summary.acceptedConnections == 50)
    }

    @Test(arguments: Model.simultaneous.indices) func underSteadyLoadADrainLosesNothingThatWasReceived(_ index: Int)
        async
    {
        // Runs in its own process, because tests of `select` need low descriptor numbers.
        await #expect(processExitsWith: .success) { [index] in
            try Self.drainUnderSteadyLoad(Model.simultaneous[index])
        }
    }

    private static func drainUnderSteadyLoad(_ model: Model) throws {
        // `select` supports only descriptors below 1024, and the clients use descriptors of the same process.
        let count = model.model.capacity != .unbounded && model.model.capacity != .poolThreads ? 400 : 500
        let server = try RunningServer(model, drainTimeout: .seconds(60), poolThreads: 500)
        let load = try SteadyLoad(to: server.address, connections: count)
        try load.run(messages: 5 * count)
        server.server.stop()
        try load.runUntilFIN()
        let summary = try server.wait()
        #expect(load.tornReplyCount == 0)
        #expect(load.failureCount == 0, "\(load.failures)")
        #expect(load.endCount == count)
        // The server has replied to every message it received, and the clients have received every byte of the replies.
        let size = SteadyLoad.message.count
        #expect(summary.receivedByteCount % size == 0)
        #expect(summary.sentByteCount - count == summary.receivedByteCount / size * SteadyLoad.reply.count)
        #expect(load.receivedByteCount == summary.sentByteCount - count)
    }
}

extension TestClient {
    /// Waits until the drain has begun and the server accepts no more clients.
    func waitUntilConnectionsAreRefused(at server: RunningServer) throws {
        let deadline = ContinuousClock.now.advanced(by: .seconds(20))
        while (try? StreamSocket.connect(to: server.address, timeout: .seconds(5))) != nil {
            try #require(ContinuousClock.now < deadline)
        }
    }
}
