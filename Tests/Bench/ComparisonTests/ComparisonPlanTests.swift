@testable import LoadGenerator
import Measurements
import Testing

@testable import Comparison

/// Tests of a comparison's plan, and of the recorder that collects its samples.
@Suite struct ComparisonPlanTests {
    private func plan(_ change: (inout ComparisonPlan) -> Void = { _ in }) -> ComparisonPlan {
        var plan = ComparisonPlan(
            servers: ["epoll", "libuv"].map { ServerSpecification(name: $0, source: .model($0)) })
        change(&plan)
        return plan
    }

    @Test func theReferenceHasAControlAndAFloor() {
        let subjects = plan().subjects
        #expect(subjects.map(\.name) == ["epoll", "libuv", "epoll again", "floor"])
        #expect(subjects[plan().control].source == .model("epoll"))
        #expect(subjects[plan().floor].source == .floor)
    }

    @Test func theDefaultTakesLessThanAMinute() {
        #expect(plan().expectedTime < .seconds(60))
        #expect(plan().requestCount(.one) >= BlockRules.minRequests)
        #expect(plan { $0.drawsLanes = true }.expectedTime < .seconds(60))
    }

    @Test func blocksAreNeverTooSmallForAVerdict() {
        let hasty = plan { $0.time = .seconds(1) }
        #expect(hasty.requestCount(.one) == BlockRules.minRequests)
        #expect(hasty.blockSeconds(.many) == 4 * 0.1)
        #expect(hasty.blockSeconds(.churn) == 4 * 0.2)
        #expect(hasty.expectedTime > .seconds(10))
    }

    @Test func slicesAreNeverLong() {
        #expect(plan { $0.time = .seconds(3600) }.blockSeconds(.many) == 4 * 0.25)
    }

    @Test func requestsCanBeGiven() {
        let given = plan { $0.requests = 50 }
        #expect(given.requestCount(.one) == 50)
        #expect(given.blockSeconds(.one) == 50 * 4 / 2000.0)
    }

    @Test func blocksAreSharedAmongStarts() {
        #expect((0..<3).map { plan().blockCount(ofStart: $0) } == [7, 7, 6])
    }

    @Test func aVerdictMayBeAboutAnyPercentile() throws {
        let terms = plan { $0.percentile = .p9999 }.terms(.churn)
        #expect(terms.endpoint == Endpoint(percentile: .p9999, clock: .response))
        #expect(terms.percentiles.last == .p9999)
        #expect(plan().terms(.one).endpoint == .standard)
        #expect(plan { $0.clock = .response }.terms(.one).endpoint.clock == .response)
    }

    /// Creates a sample of a request whose wire time is `wire` nanoseconds.
    private func sample(slot: Int, target: Int, wire: Int, isContended: Bool = false) -> RequestSample {
        RequestSample(
            intended: 1000, sent: 2000, received: 2000 + UInt64(wire), lag: 10, kernelSent: 1, kernelReceived: 1 + wire,
            slot: UInt32(slot), target: UInt8(target), isCold: false, isContended: isContended)
    }

    /// Creates a block that lasts one second.
    private func block(_ samples: [RequestSample]) -> LoadBlocks.Block {
        LoadBlocks.Block(begin: 0, end: 1_000_000_000, samples: samples)
    }

    @Test func aRecorderPairsRequestsWithinTheirGroups() throws {
        var recorder = LoadRecorder(.one, plan: plan())
        // The samples form two groups of four. The reference (target 0) is slower than the candidate (target 1) in the
        // first group, and faster in the second.
        let samples = [
            sample(slot: 0, target: 1, wire: 500), sample(slot: 1, target: 0, wire: 900),
            sample(slot: 2, target: 3, wire: 100), sample(slot: 3, target: 2, wire: 900),
            sample(slot: 4, target: 0, wire: 400), sample(slot: 5, target: 2, wire: 800, isContended: true),
            sample(slot: 6, target: 1, wire: 700), sample(slot: 7, target: 3, wire: 100),
        ]
        recorder.add(
            block(samples), start: 0,
            platform: [PlatformSample(stealShare: 0.5), PlatformSample()], rule: DisturbanceRule())
        let result = try #require(recorder.blocks.first)
        #expect(result.variants.map(\.count) == [2, 2, 2, 2])
        #expect(result.variants[0].pairs == nil)
        #expect(result.variants[1].pairs == PairTally(pairs: 2, referenceSlower: 1, ties: 0))
        #expect(result.variants[2].pairs == PairTally(pairs: 2, referenceSlower: 0, ties: 1))
        #expect(result.variants[3].pairs == PairTally(pairs: 2, referenceSlower: 2, ties: 0))
        #expect(result.disturbances == [.steal])
        #expect(recorder.servers.map(\.contendedCount) == [0, 0, 1, 0])
        #expect(recorder.lag.count == 8)
        #expect(recorder.servers.map(\.wire.count) == [2, 2, 2, 2])
        #expect(recorder.seconds == 1)
    }

    @Test func aLateRequestIsCounted() {
        var recorder = LoadRecorder(.one, plan: plan())
        var late = sample(slot: 0, target: 0, wire: 5)
        late.lag = LoadRecorder.lateness + 1
        recorder.add(
            block([late, sample(slot: 1, target: 1, wire: 5)]), start: 0, platform: [],
            rule: DisturbanceRule())
        #expect(recorder.lateCount == 1)
    }

    @Test func theFirstRequestOfAConnectionDoesNotCount() {
        var recorder = LoadRecorder(.one, plan: plan())
        var cold = sample(slot: 0, target: 0, wire: 5)
        cold.isCold = true
        recorder.add(
            block([cold, sample(slot: 1, target: 1, wire: 5)]), start: 0, platform: [],
            rule: DisturbanceRule())
        #expect(recorder.servers.map(\.cold.count) == [1, 0, 0, 0])
        #expect(recorder.servers.map(\.wire.count) == [0, 1, 0, 0])
        #expect(recorder.blocks[0].variants[1].pairs?.pairs == 0)
    }
}
