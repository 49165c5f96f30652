import Foundation
import Logging
import SocketAddresses
import SystemCalls
import Testing

@testable import Servers

/// Tests of limits that differ between models.
@Suite(.serialized, .timeLimit(.minutes(2))) struct ModelLimitTests {
    /// Returns whether the server sends the client its greeting.
    private func isServed(_ client: borrowing TestClient) throws -> Bool { try client.receive(1) == [0x2A] }

    @Test(arguments: Model.bounded.indices) func clientsAboveTheHighestDescriptorAreRejectedAndTheOthersServed(
        _ index: Int
    ) async {
        // Runs in its own process, because it uses up descriptors that other tests need.
        await #expect(processExitsWith: .success) { [index] in
            try DescriptorLimit.set(soft: .max)
            let model = Model.bounded[index]
            guard case .descriptors(let limit) = model.model.capacity else { return }
            let log = LogRecorder()
            let server = try RunningServer(model, logger: log.logger)
            let first = try TestClient.greeted(by: server)
            // Opens descriptors until only numbers above the limit are free. The server is in the same process, so it
            // gets such a number too.
            var taken: [Int32] = []
            while (taken.last ?? 0) < limit {
                taken.append(try StreamSocket.connect(to: server.address, timeout: .seconds(20)).release())
            }
            let beyond = try TestClient(server.address)
            #expect(try beyond.receiveToEnd().isEmpty)
            try first.exchange("still served")
            for descriptor in taken { StreamSocket.close(descriptor) }
            let summary = try server.stop()
            #expect(summary.rejectedConnectionCount > 0)
            #expect(summary.acceptedConnections < limit)
            #expect(log.messages.contains { $0.contains("rejected") && $0.contains("below 1024") })
        }
    }

    @Test(arguments: Model.pooled) func aPoolQueuesClientsAndThenRejects(_ model: Model) throws {
        let log = LogRecorder()
        let server = try RunningServer(model, poolThreads: 2, poolQueueLimit: 3, logger: log.logger)
        let first = try TestClient.greeted(by: server)
        let second = try TestClient.greeted(by: server)
        let queued =
            [try TestClient(server.address), try TestClient(server.address), try TestClient(server.address)]
            as InlineArray<3, TestClient>
        // The queue of the server is full, so the server rejects this client. The clients in the queue wait.
        #expect(try TestClient(server.address).receiveToEnd().isEmpty)
        #expect(try !queued[0].socket.wait(for: .readable, timeout: .milliseconds(100)))
        try second.exchange("second")
        try first.socket.shutdown(.write)
        #expect(try first.receiveToEnd().isEmpty)
        #expect(try isServed(queued[0]))
        try queued[0].exchange("a thread is free")
        let summary = try server.stop()
        #expect(summary.acceptedConnections == 3)
        #expect(summary.rejectedConnectionCount == 1)
        #expect(log.messages.contains { $0.contains("the queue of 3 clients is full") })
    }

    @Test(.disabled(if: Sanitizer.isThread, "Thread Sanitizer needs more memory than the test leaves"))
    func withoutThreadsClientsAreRejectedAndTheServerContinues() async {
        await #expect(processExitsWith: .success) {
            let log = LogRecorder()
            let server = try RunningServer(try Model.named("threads"), logger: log.logger)
            let first = try TestClient.greeted(by: server)
            // The memory is enough for only a few thread stacks of 8 MB.
            try AddressSpaceLimit.set(beyondUsed: 64 << 20)
            var rejected = false
            var clients: [Int32] = []
            for _ in 0..<100 where !rejected {
                let client = try TestClient(server.address)
                rejected = try client.receive(1).isEmpty
                clients.append(client.release())
            }
            #expect(rejected)
            try first.exchange("still served")
            try AddressSpaceLimit.set(beyondUsed: 1 << 40)
            try TestClient.greeted(by: server).exchange("served again")
            for client in clients { close(client) }
            #expect(try server.stop().rejectedConnectionCount > 0)
            #expect(log.messages.contains { $0.contains("the system cannot start another thread") })
        }
    }

    @Test(arguments: Model.all) func aStopInterruptsTheWaitForAClient(_ model: Model) throws {
        // The drain timeout is so long that only the stop itself can end the wait.
        let server = try RunningServer(model, drainTimeout: .seconds(3600))
        let clients =
            [try TestClient.greeted(by: server), try TestClient(server.address), try TestClient(server.address)]
            as InlineArray<3, TestClient>
        try clients[0].exchange("served")
        if model.servesSimultaneously { #expect(try isServed(clients[1])) }
        _ = try server.stop()
        #expect(try clients[0].receiveToEnd().isEmpty)
    }

    @Test func theKernelDistributesClientsOverTheLoops() async {
        // Runs in its own process, because tests of `select` need low descriptor numbers.
        await #expect(processExitsWith: .success) { try Self.distributeClients() }
    }

    private static func distributeClients() throws {
        let log = LogRecorder()
        let server = try RunningServer(try Model.named("libuv-loops"), loops: 4, logger: log.logger)
        var clients: [Int32] = []
        for _ in 0..<400 {
            let client = try TestClient.greeted(by: server)
            clients.append(client.release())
        }
        for client in clients { close(client) }
        #expect(try server.stop().acceptedConnections == 400)
        let counts = log.messages.compactMap {
            $0.wholeMatch(of: /loop ended connections=(\d+) loop=\d/).flatMap { Int($0.1) }
        }
        #expect(counts.count == 4)
        // The kernel distributes clients by a hash. On average, each loop gets 100 clients, with a standard deviation
        // of 8.7. The expected range is five standard deviations to each side.
        #expect(counts.allSatisfy { (56...144).contains($0) }, "\(counts)")
    }

    @Test func aLoopThatStopsDoesNotAffectClientsOfOtherLoops() throws {
        let model = try Model.named("libuv-loops")
        let log = LogRecorder()
        let server = try RunningServer(model, loops: 2, logger: log.logger)
        let core = try #require(server.server as? LoopServer)
        var clients: [Int32] = []
        for _ in 0..<40 { clients.append(try TestClient.greeted(by: server).release()) }
        core.workers[0].stop()
        let deadline = ContinuousClock.now.advanced(by: .seconds(20))
        while !log.messages.contains(where: { $0.contains("loop ended") }) {
            try #require(ContinuousClock.now < deadline)
            PosixThread.sleep(.milliseconds(1))
        }
        var ended = 0
        var buffer = ReusableBuffer(capacity: 1)
        for client in clients {
            let client = TestClient(adopting: client)
            try client.socket.setNonBlocking(true)
            let result = try buffer.fill { output throws(SystemCallError) in try client.socket.receive(into: &output) }
            if result == .end { ended += 1 }
            if result == .end { continue }
            try client.socket.setNonBlocking(false)
            try client.exchange("served on")
        }
        #expect(ended > 0)
        #expect(ended < 40)
        // The remaining loop serves all new clients.
        for _ in 0..<20 { try TestClient.greeted(by: server).exchange("new") }
        #expect(try server.stop().acceptedConnections == 60)
    }

    @Test func aLoopThatFailsDoesNotAffectClientsOfOtherLoops() throws {
        let log = LogRecorder()
        let model = try Model.named("libuv-loops")
        var configuration = ServerConfiguration(address: .loopback(port: 0))
        configuration.loops = 3
        let server = model.makeServer(configuration, logger: log.logger)
        let address = try server.start()
        // Running a closed loop fails. The test has no other way to make a loop fail.
        try #require(server as? LoopServer).workers[1].abandon()
        let outcome = Monitor<ServerMetrics?>(nil)
        let threads = ThreadGroup()
        try threads.start { outcome.withLock { $0 = try? server.run() } }
        for _ in 0..<20 {
            let client = try TestClient(address)
            #expect(try isServed(client))
            try client.exchange("served by the others")
        }
        server.stop()
        threads.joinAll()
        #expect(outcome.withLock { $0?.acceptedConnections } == 20)
        #expect(log.messages.contains { $0.contains("loop failed") && $0.contains("loop=1") })
        #expect(log.messages.count { $0.contains("loop ended") } == 2)
    }

    @Test func aServerHasAtLeastOneThreadAndLoop() throws {
        // A configuration with zero threads runs one thread.
        let server = try RunningServer(try Model.named("thread-pool"), poolThreads: 0, poolQueueLimit: 0)
        try TestClient.greeted(by: server).exchange("one thread")
        try server.stop()
    }
}

/// Records log messages, one line each, with sorted metadata.
final class LogRecorder: Sendable {
    private let lines = Monitor<[String]>([])
    var messages: [String] { lines.withLock { $0 } }

    var logger: Logger {
        Logger(label: "test") { [self] _ in Handler(recorder: self) }
    }

    private struct Handler: LogHandler {
        let recorder: LogRecorder
        var logLevel = Logger.Level.trace
        var metadata: Logger.Metadata = [:]
        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        init(recorder: LogRecorder) { self.recorder = recorder }

        func log(event: LogEvent) {
            let pairs = (event.metadata ?? [:]).map { "\($0.key)=\($0.value)" }.sorted()
            recorder.lines.withLock { $0.append(([event.message.description] + pairs).joined(separator: " ")) }
        }
    }
}

/// The limit on the memory that the process may map (`RLIMIT_AS`).
enum AddressSpaceLimit {
    static func set(beyondUsed extra: Int) throws {
        let statm = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
        let pages = try #require(statm.split(separator: " ").first.flatMap { Int($0) })
        var limit = rlimit()
        unsafe getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
        limit.rlim_cur = rlim_t(pages * Int(getpagesize()) + extra)
        #expect(unsafe setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0)
    }
}
