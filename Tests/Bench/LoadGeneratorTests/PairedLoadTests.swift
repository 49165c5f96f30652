import Measurements
import SystemCalls
import Testing

@testable import LoadGenerator

/// Several servers under one schedule: only one of them is loaded at any instant.
@Suite(.timeLimit(.minutes(1))) struct PairedLoadTests {
    private func run(
        _ addresses: [HonestServer], count: Int, rate: Double, depth: Int = 4
    ) throws -> ([SlotRecord], contended: Int) {
        var plan = LoadConnections(targets: addresses.map(\.address), sizes: try #require(PayloadSizes(parsing: "16")))
        plan.count = 2
        plan.depth = depth
        var engine = try LoadEngine.open(plan, recordCapacity: count)
        let arrivals = try #require(ArrivalSchedule(.poisson, rate: rate, seed: 3))
        let variants = try #require(PairedSchedule(variantCount: addresses.count, seed: 5))
        let start = MonotonicTime.nanoseconds()
        var span = TrafficSpan(start: start, measuredFrom: start)
        span.count = count
        try engine.begin(.paced(SlotSource(arrivals, to: variants)), over: span)
        while !engine.isExhausted { try engine.turn(until: engine.time &+ 100_000_000) }
        try engine.finish()
        #expect(engine.faults.isEmpty, "\(engine.faults)")
        var records: [SlotRecord] = []
        engine.takeRecords { records.append($0) }
        return (records, engine.contendedCount)
    }

    @Test func eachGroupHasEveryVariantOnce() throws {
        let (records, _) = try run(
            [try HonestServer(), try HonestServer("libuv"), try HonestServer()], count: 600, rate: 3000)
        #expect(records.count == 600)
        let ordered = records.sorted { $0.intended < $1.intended }
        for group in stride(from: 0, to: 600, by: 3) {
            #expect(Set(ordered[group..<group + 3].map(\.variant)) == [0, 1, 2])
        }
    }

    @Test func noTwoVariantsAreOutstandingAtOnce() throws {
        // Faster than either can answer, so that slots meet requests of the other.
        let (records, contended) = try run([try HonestServer(), try HonestServer()], count: 2000, rate: 200_000)
        #expect(records.count == 2000)
        #expect(contended > 0)
        #expect(records.count { $0.isContended } == contended)
        let ordered = records.sorted { $0.sent < $1.sent }
        var lastReceived: [UInt8: UInt64] = [0: 0, 1: 0]
        for record in ordered {
            let other = lastReceived[1 - record.variant] ?? 0
            #expect(record.sent >= other, "sent while the other server had not answered")
            lastReceived[record.variant] = max(lastReceived[record.variant] ?? 0, record.received)
        }
    }

    @Test func theSameSeedsGiveTheSameSlots() throws {
        func variants() throws -> [UInt8] {
            try run([try HonestServer(), try HonestServer()], count: 100, rate: 2000).0
                .sorted { $0.intended < $1.intended }.map(\.variant)
        }
        #expect(try variants() == variants())
    }
}
