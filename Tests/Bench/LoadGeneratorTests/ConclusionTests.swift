import Measurements
import SocketAddresses
import Testing

@testable import LoadGenerator

/// Tests that a result leads to the right conclusion: held, failed or invalid.
@Suite struct ConclusionTests {
    /// Makes a result of 1000 requests with response times of 1, 2, … 1000 µs.
    private func result(_ pace: LoadPlan.Pace = .closed, _ change: (inout LoadResult) -> Void = { _ in }) -> LoadResult
    {
        let plan = LoadPlan(
            connections: LoadConnections(targets: [.loopback(port: 1)], sizes: .smallest), pace: pace)
        var result = LoadResult(plan, measuredFrom: 0)
        for microseconds in 1...1000 {
            result.record(RequestSample(intended: 1, sent: 1, received: UInt64(microseconds * 1000) + 1))
        }
        result.elapsed = .seconds(1)
        result.busyShare = 0.3
        result.delayedShare = 0.01
        change(&result)
        return result
    }

    private func requirement(_ text: String) throws -> Requirement { try #require(Requirement(parsing: text)) }

    @Test func correctRepliesMeetTheRequirements() { #expect(LoadConclusion(of: result(), requiring: []) == .held) }

    @Test func heldRequirementsHold() throws {
        let requirements = try ["p99<1ms", "p50<600us", "max<2s", "rate>999", "mean>100us"].map(requirement)
        #expect(LoadConclusion(of: result(), requiring: requirements) == .held)
    }

    @Test func missedRequirementsAreNamed() throws {
        let conclusion = LoadConclusion(of: result(), requiring: try ["p50<100us", "rate>5000"].map(requirement))
        guard case .failed(let sentences) = conclusion else {
            Issue.record("\(conclusion)")
            return
        }
        #expect(
            sentences == [
                "p50<100us is not met: the measured value is 500 µs",
                "rate>5000 is not met: the measured value is 1000 per second",
            ])
    }

    @Test func aPercentileWithoutSamplesIsNotReported() throws {
        let conclusion = LoadConclusion(of: result(), requiring: [try requirement("p99.9<1s")])
        #expect(conclusion == .invalid(["p99.9<1s cannot be decided: p99.9 needs 9000 more requests"]))
    }

    @Test func lateRequestsMakeAResultInvalid() {
        let conclusion = LoadConclusion(of: result(.open(.uniform, rate: 10)) { $0.lateCount = 11 }, requiring: [])
        guard case .invalid(let reasons) = conclusion else {
            Issue.record("\(conclusion)")
            return
        }
        #expect(reasons.first?.contains("11 of 1000 requests were sent more than 500.0 µs late") == true)
        #expect(
            LoadConclusion(of: result(.open(.uniform, rate: 10)) { $0.lateCount = 10 }, requiring: []) == .held)
    }

    @Test func aBusyGeneratorMakesAResultInvalid() {
        for (busy, delayed) in [(0.95, 0.0), (0.8, 0.15), (0.1, 0.5)] {
            let result = result {
                $0.busyShare = busy
                $0.delayedShare = delayed
            }
            guard case .invalid(let reasons) = LoadConclusion(of: result, requiring: []) else {
                Issue.record("\(busy) \(delayed)")
                continue
            }
            #expect(reasons.first?.hasPrefix("the load generator was the bottleneck") == true)
        }
    }

    @Test func wrongRepliesFailEvenAnInvalidResult() {
        let result = result {
            $0.busyShare = 1
            $0.faults.crossTalk = 2
        }
        #expect(LoadConclusion(of: result, requiring: []) == .failed(["2 replies to another connection's request"]))
    }

    @Test func withoutMeasurementsNoRequirementIsMet() {
        let result = result { $0.count = 0 }
        guard case .invalid = LoadConclusion(of: result, requiring: []) else {
            Issue.record("an empty result must be invalid")
            return
        }
    }
}
