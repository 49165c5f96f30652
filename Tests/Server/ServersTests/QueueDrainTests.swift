import Glibc
import Servers
import SocketAddresses
import SystemCalls
import Testing

/// Tests that a drain serves every client in the kernel's queue, however many they are.
@Suite(.serialized, .timeLimit(.minutes(3))) struct QueueDrainTests {
    @Test(arguments: Model.queueing.indices) func everyClientInTheQueueIsServed(_ index: Int) async {
        // Runs in its own process, because it needs many descriptors, and because `select` needs low ones.
        await #expect(processExitsWith: .success) { [index] in try Self.drainLongQueue(Model.queueing[index]) }
    }

    private static func drainLongQueue(_ model: Model) throws {
        try DescriptorLimit.set(soft: .max)
        var configuration = ServerConfiguration(address: .loopback(port: 0))
        configuration.backlog = 100
        let server = model.makeServer(configuration)
        let address = try server.start()
        // The queue becomes longer than the server knows. This also happens if clients refill it during the drain.
        let listeners = (3..<1024).filter { isListener($0, address) }
        #expect(!listeners.isEmpty)
        for listener in listeners { #expect(listen(listener, 4096) == 0) }
        let queueLimit = try #require(try readNumber("/proc/sys/net/core/somaxconn"))
        let isBounded = if case .descriptors = model.model.capacity { true } else { false }
        let count = min(isBounded ? 400 : 3000, queueLimit, (try DescriptorLimit.current().soft - 100) / 2)
        var clients: [Int32] = []
        for _ in 0..<count { clients.append(try TestClient(address).release()) }
        server.stop()
        let summary = try server.run()
        var greeted = 0
        for client in clients { greeted += (try? TestClient(adopting: client).receiveToEnd()) == [0x2A] ? 1 : 0 }
        #expect(greeted == count)
        #expect(summary.acceptedConnections == count)
    }

    private static func isListener(_ descriptor: Int32, _ address: SocketAddress) -> Bool {
        var isListening: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        return unsafe getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &isListening, &length) == 0 && isListening == 1
    }

    private static func readNumber(_ path: String) throws -> Int? {
        Int(try TextFile.read(path).prefix { $0.isNumber })
    }
}
