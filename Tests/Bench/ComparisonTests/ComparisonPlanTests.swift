@testable import LoadGenerator
import Measurements
import Testing

@testable import Comparison

/// What is settled before anything is measured, and what is made of records: exact.
@Suite struct ComparisonPlanTests {
    private func plan(_ change: (inout ComparisonPlan) -> Void = { _ in }) -> ComparisonPlan {
        var plan = ComparisonPlan(
            servers: ["epoll", "libuv"].map { ServerSpecification(name: $0, source: .model($0)) })
        change(&plan)
        return plan
    }

    @Test func theReferenceHasATwinAndAFloor() {
        let contestants = plan().contestants
        #expect(contestants.map(\.name) == ["epoll", "libuv", "epoll again", "floor"])
        #expect(contestants[plan().twin].source == .model("epoll"))
        #expect(contestants[plan().floor].source == .floor)
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

    /// A record of a slot that took so many nanoseconds on the wire.
    private func record(slot: Int, variant: Int, wire: Int, isContended: Bool = false) -> SlotRecord {
        SlotRecord(
            intended: 1000, sent: 2000, received: 2000 + UInt64(wire), lag: 10, kernelSent: 1, kernelReceived: 1 + wire,
            slot: UInt32(slot), payloadCount: 16, variant: UInt8(variant), isCold: false, isContended: isContended)
    }

    @Test func aLedgerPairsRequestsWithinTheirGroups() throws {
        var ledger = LoadLedger(.one, plan: plan())
        // Two groups of four: in the first the reference is slower than the candidate, in the second it is faster.
        let records = [
            record(slot: 0, variant: 1, wire: 500), record(slot: 1, variant: 0, wire: 900),
            record(slot: 2, variant: 3, wire: 100), record(slot: 3, variant: 2, wire: 900),
            record(slot: 4, variant: 0, wire: 400), record(slot: 5, variant: 2, wire: 800, isContended: true),
            record(slot: 6, variant: 1, wire: 700), record(slot: 7, variant: 3, wire: 100),
        ]
        ledger.add(
            records, start: 0, begin: 0, runSeconds: 0, length: 1,
            samples: [PlatformSample(stealShare: 0.5), PlatformSample()], rule: DisturbanceRule())
        let block = try #require(ledger.blocks.first)
        #expect(block.variants.map(\.count) == [2, 2, 2, 2])
        #expect(block.variants[0].pairs == nil)
        #expect(block.variants[1].pairs == PairTally(pairs: 2, referenceSlower: 1, ties: 0))
        #expect(block.variants[2].pairs == PairTally(pairs: 2, referenceSlower: 0, ties: 1))
        #expect(block.variants[3].pairs == PairTally(pairs: 2, referenceSlower: 2, ties: 0))
        #expect(block.disturbances == [.steal])
        #expect(ledger.contended == [0, 0, 1, 0])
        #expect(ledger.lag.count == 8)
        #expect(ledger.wire.map(\.count) == [2, 2, 2, 2])
        #expect(ledger.seconds == 1)
    }

    @Test func aLateRequestIsCounted() {
        var ledger = LoadLedger(.one, plan: plan())
        var late = record(slot: 0, variant: 0, wire: 5)
        late.lag = LoadLedger.lateness + 1
        ledger.add(
            [late, record(slot: 1, variant: 1, wire: 5)], start: 0, begin: 0, runSeconds: 0, length: 1, samples: [],
            rule: DisturbanceRule())
        #expect(ledger.lateCount == 1)
    }

    @Test func theFirstRequestOfAConnectionDoesNotCount() {
        var ledger = LoadLedger(.one, plan: plan())
        var cold = record(slot: 0, variant: 0, wire: 5)
        cold.isCold = true
        ledger.add(
            [cold, record(slot: 1, variant: 1, wire: 5)], start: 0, begin: 0, runSeconds: 0, length: 1, samples: [],
            rule: DisturbanceRule())
        #expect(ledger.cold.map(\.count) == [1, 0, 0, 0])
        #expect(ledger.wire.map(\.count) == [0, 1, 0, 0])
        #expect(ledger.blocks[0].variants[1].pairs?.pairs == 0)
    }
}
