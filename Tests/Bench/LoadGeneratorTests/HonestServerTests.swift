import Measurements
import SocketAddresses
import Synchronization
import SystemCalls
import Testing

@testable import LoadGenerator

/// Tests of loads with correct servers; they check counts, but no durations.
@Suite(.timeLimit(.minutes(2))) struct HonestServerTests {
    /// Creates a plan with the given number of requests, and without a warm-up.
    static func plan(
        _ address: SocketAddress, pace: LoadPlan.Pace = .closed, count: Int? = 1000, sizes: String = "16",
        _ change: (inout LoadPlan) -> Void = { _ in }
    ) throws -> LoadPlan {
        var plan = LoadPlan(
            connections: LoadConnections(targets: [address], sizes: try #require(PayloadSizes(parsing: sizes))),
            pace: pace)
        plan.warmUp = .zero
        plan.duration = nil
        plan.count = count
        change(&plan)
        return plan
    }

    @Test(arguments: [1, 4, 64], [1, 3, 16]) func aClosedLoopCountsEveryRequest(connections: Int, depth: Int) throws {
        let server = try HonestServer()
        let plan = try Self.plan(server.address, count: 3000) {
            $0.connections.count = connections
            $0.connections.depth = depth
        }
        let result = try LoadRun(plan)()
        #expect(result.faults.isEmpty, "\(result.faults)")
        #expect(result.count == 3000)
        #expect(result.cold.count == connections)
        #expect(result.response.count == 3000 - UInt64(connections))
        #expect(result.rate > 0)
    }

    @Test(arguments: ["1", "16", "65536", "1000000", "1:5,16:90,4096:5"])
    func everySizeHasReplies(_ sizes: String) throws {
        let server = try HonestServer("libuv")
        let plan = try Self.plan(server.address, count: 200, sizes: sizes) {
            $0.connections.count = 3
            $0.connections.depth = 2
        }
        let result = try LoadRun(plan)()
        #expect(result.faults.isEmpty, "\(result.faults)")
        #expect(result.count == 200)
    }

    @Test(arguments: [ArrivalSchedule.Arrivals.uniform, .poisson])
    func anOpenLoopSendsEverySlot(_ arrivals: ArrivalSchedule.Arrivals) throws {
        let server = try HonestServer()
        let plan = try Self.plan(server.address, pace: .open(arrivals, rate: 5000)) { $0.connections.count = 8 }
        let result = try LoadRun(plan)()
        #expect(result.faults.isEmpty, "\(result.faults)")
        #expect(result.count == 1000)
        #expect(result.unsentCount == 0)
        #expect(result.lag.count == result.response.count)
        #expect(result.response.count + result.cold.count == 1000)
    }

    @Test func theDurationEndsAnOpenLoopAtItsLastSlot() throws {
        let server = try HonestServer()
        let plan = try Self.plan(server.address, pace: .open(.uniform, rate: 1000), count: nil) {
            $0.warmUp = .milliseconds(100)
            $0.duration = .milliseconds(300)
        }
        let result = try LoadRun(plan)()
        // Requests are due at 0, 1, … 399 ms. The warm-up takes 100 ms, so the last 300 requests count.
        #expect(result.count == 300)
        #expect(result.warmUpCount == 100)
    }

    @Test func requestsBehindASlowServerWaitAndAreCounted() throws {
        let server = try LyingServer(.slow(.milliseconds(5)))
        let plan = try Self.plan(server.address, pace: .open(.uniform, rate: 2000), count: 40)
        let result = try LoadRun(plan)()
        #expect(result.faults.isEmpty, "\(result.faults)")
        #expect(result.count == 40)
        #expect(result.queuedCount > 0)
        // The last request was due 20 ms after the start of the load, and its reply arrived 200 ms after the start. The
        // response time includes the time before the request was sent.
        #expect(try #require(result.response.max) > 100_000_000)
    }

    @Test func aRateThatTheServerCannotSustainIsReported() throws {
        let server = try LyingServer(.slow(.milliseconds(50)))
        let plan = try Self.plan(server.address, pace: .open(.uniform, rate: 2000), count: nil) {
            $0.duration = .milliseconds(200)
            $0.connections.timeout = .milliseconds(300)
        }
        let result = try LoadRun(plan)()
        #expect(result.unsentCount > 300)
        #expect(result.count + result.unsentCount == 400)
        guard case .failed(let sentences) = LoadConclusion(of: result, requiring: []) else {
            Issue.record("the load did not detect that the server is too slow")
            return
        }
        #expect(sentences.contains { $0.contains("cannot keep up") })
    }

    @Test func bulkMovesBytes() throws {
        let server = try HonestServer()
        let plan = try Self.plan(server.address, pace: .bulk, count: nil, sizes: "4096") {
            $0.duration = .milliseconds(200)
            $0.connections.count = 3
        }
        let result = try LoadRun(plan)()
        #expect(result.faults.isEmpty, "\(result.faults)")
        #expect(result.byteCount > 4096)
        #expect(result.count == 0)
    }

    @Test(arguments: ["epoll", "libuv", "sequential"]) func eachRequestMayConnect(_ model: String) throws {
        let server = try HonestServer(model)
        let plan = try Self.plan(server.address, count: 200) {
            $0.connections.connectsForEachRequest = true
            $0.connections.count = 4
        }
        let result = try LoadRun(plan)()
        #expect(result.faults.isEmpty, "\(result.faults)")
        #expect(result.count == 200)
        #expect(result.cold.count == 0)
    }

    @Test func anOpenLoopMayConnectForEachRequest() throws {
        let server = try HonestServer()
        let plan = try Self.plan(server.address, pace: .open(.poisson, rate: 1000), count: 100) {
            $0.connections.connectsForEachRequest = true
            $0.connections.count = 8
        }
        let result = try LoadRun(plan)()
        #expect(result.faults.isEmpty, "\(result.faults)")
        #expect(result.count == 100)
    }

    @Test func idleAndSlowConnectionsAccompanyTheLoad() throws {
        let server = try HonestServer()
        let plan = try Self.plan(server.address) {
            $0.connections.idleCount = 50
            $0.connections.slowReaderCount = 2
            $0.connections.slowWriterCount = 3
            $0.connections.slowInterval = .milliseconds(5)
        }
        let result = try LoadRun(plan)()
        #expect(result.faults.isEmpty, "\(result.faults)")
        #expect(result.count == 1000)
        // At the end, the load also receives and checks the replies to its slow connections.
        #expect(result.byteCount > 16_000)
    }

    @Test(arguments: ["epoll", "libuv", "threads"]) func aStalledConnectionIsNotAFault(_ model: String) throws {
        let server = try HonestServer(model)
        var plan = LoadConnections(targets: [server.address], sizes: .smallest)
        plan.count = 3
        plan.stalledCount = 1
        var engine = try LoadEngine.open(plan)
        for _ in 0..<2 {
            let span = TrafficSpan(count: 500)
            var replies = 0
            try engine.run(.closed(target: 0), over: span, isStopped: { false }) { _ in replies += 1 }
            #expect(replies == 500)
        }
        #expect(engine.openCount == 4)
        #expect(engine.repliedConnectionCount == 3)
        // The stalled connection has sent most of these bytes, and has received nothing.
        #expect(engine.sentByteCount > 64 << 10)
        try engine.finish()
        #expect(engine.openCount == 0)
        let faults = engine.faults
        #expect(faults.isEmpty, "\(faults)")
    }

    @Test func aLoadCanStartWithoutEveryGreeting() throws {
        let server = try HonestServer("sequential")
        var plan = LoadConnections(targets: [server.address], sizes: .smallest)
        plan.count = 3
        plan.timeout = .milliseconds(200)
        #expect(throws: LoadError.self) { _ = try LoadEngine.open(plan).openCount }
        plan.allowsMissingGreetings = true
        var engine = try LoadEngine.open(plan)
        #expect(engine.connectionCount == 3)
        #expect(engine.openCount == 1)
        let span = TrafficSpan(count: 20)
        var replies = 0
        try engine.run(.closed(target: 0), over: span, isStopped: { false }) { _ in replies += 1 }
        #expect(replies == 20)
        #expect(engine.repliedConnectionCount == 1)
    }

    @Test func aPauseBetweenTrafficIsNoSilence() throws {
        let server = try HonestServer()
        var plan = LoadConnections(targets: [server.address], sizes: .smallest)
        plan.count = 2
        plan.timeout = .milliseconds(100)
        var engine = try LoadEngine.open(plan)
        // The pause is longer than the timeout, but the load awaits no reply during the pause.
        let end = MonotonicTime.nanoseconds() &+ 150_000_000
        while MonotonicTime.nanoseconds() < end {}
        let span = TrafficSpan(count: 30)
        var replies = 0
        try engine.run(.closed(target: 0), over: span, isStopped: { false }) { _ in replies += 1 }
        #expect(replies == 30)
    }

    @Test func aStopEndsTrafficAtOnce() throws {
        let server = try HonestServer()
        var engine = try LoadEngine.open(LoadConnections(targets: [server.address], sizes: .smallest))
        var turns = 0
        try engine.run(.closed(target: 0), over: TrafficSpan()) {
            turns += 1
            return turns > 100
        }
        #expect(engine.isExhausted == true)
        #expect(engine.checker.verifiedByteCount > 50)
    }

    @Test func idleConnectionsAloneAreHeld() throws {
        let server = try HonestServer()
        let plan = try Self.plan(server.address, pace: .idle, count: nil) {
            $0.duration = .milliseconds(50)
            $0.connections.count = 0
            $0.connections.idleCount = 300
        }
        let result = try LoadRun(plan)()
        #expect(result.faults.isEmpty, "\(result.faults)")
        #expect(LoadConclusion(of: result, requiring: []) == .held)
    }

    @Test func kernelTimesAreAttributedToTheirRequests() throws {
        let server = try HonestServer()
        let plan = try Self.plan(server.address, pace: .open(.uniform, rate: 2000), count: 200) {
            $0.connections.takesKernelTimestamps = true
        }
        let result = try LoadRun(plan)()
        #expect(result.faults.isEmpty, "\(result.faults)")
        #expect(result.wire.count + UInt64(result.unmatchedCount) == result.response.count)
        // With one request at a time, the kernel reports a send time and a receive time for each request. Only the
        // first few requests may lack these times, because the kernel starts to record times with a delay.
        #expect(result.unmatchedCount < 20)
    }

    @Test func pipelinedRequestsHaveTheirOwnKernelTimesOrNone() throws {
        let server = try LyingServer(.slow(.milliseconds(2)))
        let plan = try Self.plan(server.address, pace: .open(.uniform, rate: 5000), count: 100) {
            $0.connections.takesKernelTimestamps = true
            $0.connections.depth = 16
        }
        let result = try LoadRun(plan)()
        #expect(result.faults.isEmpty, "\(result.faults)")
        #expect(result.wire.count + UInt64(result.unmatchedCount) == result.response.count)
        #expect(result.wire.count > 0)
    }

    @Test func aStopKeepsWhatWasMeasured() throws {
        let server = try HonestServer()
        let asked = Asked()
        let plan = try Self.plan(server.address, count: nil)
        let result = try LoadRun(plan) { asked.next() }()
        #expect(result.isInterrupted)
        #expect(result.count > 0)
        #expect(result.faults.isEmpty, "\(result.faults)")
    }

    /// Counts its calls, and requests a stop after the hundredth call.
    private final class Asked: Sendable {
        private let count = Atomic<Int>(0)
        func next() -> Int { count.add(1, ordering: .relaxed).newValue > 100 ? 1 : 0 }
    }

    @Test func intervalsAddUpToTheWhole() throws {
        let server = try HonestServer()
        let plan = try Self.plan(server.address) { $0.keepsIntervals = true }
        let result = try LoadRun(plan)()
        #expect(result.intervals.reduce(0) { $0 + $1.count } == result.response.count)
    }
}
