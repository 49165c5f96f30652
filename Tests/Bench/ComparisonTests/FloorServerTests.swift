import LoadGenerator
import Measurements
import SocketAddresses
import Synchronization
import SystemCalls
import Testing

@testable import Comparison

/// Tests that the floor server sends the same replies as other servers.
@Suite(.timeLimit(.minutes(1))) struct FloorServerTests {
    private final class Running: Sendable {
        let address: SocketAddress
        private let threads = ThreadGroup()
        private let isOver = Atomic<Bool>(false)

        init(busy: Duration = .zero) throws {
            let started = Monitor<SocketAddress?>(nil)
            let over = Flag()
            flag = over
            try threads.start {
                guard var server = try? FloorServer(listeningOn: .loopback(port: 0), busy: busy) else { return }
                let address = try? server.address
                started.withLock { $0 = address }
                started.notifyAll()
                try? server.run { over.isSet.load(ordering: .relaxed) }
            }
            address = started.wait { $0 }
        }

        private let flag: Flag
        final class Flag: Sendable { let isSet = Atomic<Bool>(false) }

        deinit {
            flag.isSet.store(true, ordering: .relaxed)
            threads.joinAll()
        }
    }

    private func plan(_ address: SocketAddress, sizes: String, count: Int) throws -> LoadPlan {
        var plan = LoadPlan(
            connections: LoadConnections(targets: [address], sizes: try #require(PayloadSizes(parsing: sizes))),
            pace: .closed)
        plan.warmUp = .zero
        plan.duration = nil
        plan.count = count
        return plan
    }

    @Test(arguments: ["1", "16", "100000", "1:5,16:5,70000:1"]) func everyByteHasAReply(_ sizes: String) throws {
        let server = try Running()
        var plan = try plan(server.address, sizes: sizes, count: 300)
        plan.connections.count = 5
        plan.connections.depth = 3
        let result = try LoadRun(plan)()
        #expect(result.faults.isEmpty, "\(result.faults)")
        #expect(result.count == 300)
    }

    @Test func aSlowReaderGetsEverything() throws {
        let server = try Running()
        var plan = try plan(server.address, sizes: "16", count: 500)
        plan.connections.slowReaderCount = 2
        plan.connections.slowInterval = .milliseconds(1)
        plan.connections.idleCount = 3
        let result = try LoadRun(plan)()
        #expect(result.faults.isEmpty, "\(result.faults)")
        #expect(result.byteCount > 500 * 16)
    }

    @Test func aBusyServerTakesAtLeastItsDelay() throws {
        let server = try Running(busy: .milliseconds(2))
        let result = try LoadRun(try plan(server.address, sizes: "16", count: 20))()
        #expect(result.faults.isEmpty, "\(result.faults)")
        #expect(try #require(result.response.min) >= 1_990_000)
    }
}
