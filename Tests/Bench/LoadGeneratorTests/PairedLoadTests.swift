import Measurements
import SystemCalls
import Testing

@testable import LoadGenerator

/// Tests of several servers under one schedule; only one server at a time has an open request.
@Suite(.timeLimit(.minutes(1))) struct PairedLoadTests {
    private func run(
        _ addresses: [HonestServer], count: Int, rate: Double, depth: Int = 4
    ) throws -> [RequestSample] {
        var plan = LoadConnections(targets: addresses.map(\.address), sizes: try #require(PayloadSizes(parsing: "16")))
        plan.count = 2
        plan.depth = depth
        var engine = try LoadEngine.open(plan, sampleCapacity: count)
        let arrivals = try #require(ArrivalSchedule(.poisson, rate: rate, seed: 3))
        let targets = try #require(PairedSchedule(variantCount: addresses.count, seed: 5))
        let span = TrafficSpan(count: count)
        try engine.begin(.paced(ArrivalSource(arrivals, to: targets)), over: span)
        while !engine.isExhausted { try engine.turn(until: engine.now &+ 100_000_000) }
        try engine.finish()
        #expect(engine.faults.isEmpty, "\(engine.faults)")
        var samples: [RequestSample] = []
        engine.takeSamples { samples.append($0) }
        return samples
    }

    @Test func eachGroupHasEveryVariantOnce() throws {
        let samples = try run(
            [try HonestServer(), try HonestServer("libuv"), try HonestServer()], count: 600, rate: 3000)
        #expect(samples.count == 600)
        let ordered = samples.sorted { $0.intended < $1.intended }
        for group in stride(from: 0, to: 600, by: 3) {
            #expect(Set(ordered[group..<group + 3].map(\.target)) == [0, 1, 2])
        }
    }

    @Test func noTwoVariantsAreOutstandingAtOnce() throws {
        // The rate exceeds what the servers can sustain, so that requests become due while the other server is busy.
        let samples = try run([try HonestServer(), try HonestServer()], count: 2000, rate: 200_000)
        #expect(samples.count == 2000)
        #expect(samples.contains { $0.isContended })
        let ordered = samples.sorted { $0.sent < $1.sent }
        var lastReceived: [UInt8: UInt64] = [0: 0, 1: 0]
        for sample in ordered {
            let other = lastReceived[1 - sample.target] ?? 0
            #expect(sample.sent >= other, "sent while the other server had not replied")
            lastReceived[sample.target] = max(lastReceived[sample.target] ?? 0, sample.received)
        }
    }

    @Test func theSameSeedsGiveTheSameSlots() throws {
        func targets() throws -> [UInt8] {
            try run([try HonestServer(), try HonestServer()], count: 100, rate: 2000)
                .sorted { $0.intended < $1.intended }.map(\.target)
        }
        #expect(try targets() == targets())
    }
}
