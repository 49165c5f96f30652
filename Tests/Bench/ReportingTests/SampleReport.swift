@testable import Measurements
import RealModule

/// A report with every panel of the page, and with a notice that its numbers are invented.
enum SampleReport {
    static let notice = "A sample: these numbers are made up."
    static let names = ["epoll", "epoll again", "libuv", "threads", "floor"]

    static func make() -> ComparisonReport {
        let main = SampleLoad(
            name: "fifty", title: "50 connections, 16 bytes", factors: [1, 1, 1.012, 1.32, 0.5], seed: 7)
        let idle = SampleLoad(
            name: "idle", title: "1000 connections of which 10 talk", factors: [1, 1.001, 0.9, 1.03, 0.5], seed: 8)
        var report = ComparisonReport(
            tool: "uvbench 0.1.0",
            command: "uvbench compare epoll libuv threads --loads fifty,idle --rates --seed 7 --html report.html",
            seed: 7, startedAt: "2026-11-25T09:00:00Z", durationSeconds: 58.4,
            environment: [
                .init("processor", "2 × a processor that does not exist"), .init("kernel", "Linux 6.1"),
                .init("uvserver", "0.1.0 (libuv 1.44.2, built with 1.44.2)"), .init("swift", "6.3.1"),
                .init("pinning", "server on 0, generator on 1"),
            ],
            loads: [main.report(isMain: true), idle.report(isMain: false)])
        report.notice = notice
        report.ladders = [
            ladder("epoll", capacity: 92_000), ladder("libuv", capacity: 81_000), ladder("threads", capacity: 60_000),
        ]
        report.lanes = lanes
        var earlier = report
        earlier.origin.startedAt = "2026-11-24T09:00:00Z"
        earlier.environment[1].value = "Linux 6.0"
        report.baseline = BaselineComparison(earlier: earlier, now: report)
        return report
    }

    private static func ladder(_ variant: String, capacity: Double) -> RateLadder {
        RateLadder(
            variant: variant,
            steps: [5, 10, 20, 40, 55, 70, 85, 100].map { thousands in
                let rate = Double(thousands) * 1000
                let load = min(rate / capacity, 0.985)
                return RateLadder.Step(
                    rate: rate, replyRate: min(rate, capacity * 0.985), p50Nanoseconds: 55_000 / (1 - load * load),
                    p99Nanoseconds: 180_000 / (1 - load))
            })
    }

    private static var lanes: [LanePanel] {
        [
            panel("sequential", served: [0, 2.2, 4.4]), panel("threads", served: [0, 0.002, 0.003]),
            panel("libuv", served: [0, 0.001, 0.001]),
        ]
    }

    private static func panel(_ variant: String, served: [Double]) -> LanePanel {
        LanePanel(
            variant: variant,
            lanes: served.enumerated().map { index, served in
                LanePanel.Lane(
                    name: "conn\(index)", startedSeconds: Double(index) / 1000, servedSeconds: served,
                    endedSeconds: served + 2.2, succeeded: true)
            })
    }
}

/// One load of the sample report.
struct SampleLoad {
    let name: String
    let title: String
    /// The latency of each server, relative to the first server.
    let factors: [Double]
    let seed: UInt64

    private static let blockCount = 21
    private static let requestCount = 1000
    private static let blockSeconds = 1.0

    private struct Recording {
        var response = LatencyHistogram()
        var wire = LatencyHistogram()
        var heat: HeatMap?
    }

    func report(isMain: Bool) -> LoadReport {
        var random = SeededRandom(seed: seed)
        let samples = platform(&random)
        var recordings = SampleReport.names.map { name in
            Recording(
                heat: HeatMap(
                    variant: name, clock: .wire, columns: 63, columnSeconds: 1.0 / 3, rows: 22,
                    lowestNanoseconds: 40_000,
                    highestNanoseconds: 8_000_000))
        }
        let blocks = (0..<SampleLoad.blockCount).map { block($0, samples, &recordings, &random) }
        let variants = zip(SampleReport.names, recordings).enumerated().map { index, pair in
            variant(index, pair.0, pair.1)
        }
        var report = judged(blocks, variants, samples)
        if isMain {
            report.heatMaps = [0, 2, 3].compactMap { recordings[$0].heat }
        }
        return report
    }

    private func judged(
        _ blocks: [BlockResult], _ variants: [VariantResult], _ samples: [PlatformSample]
    ) -> LoadReport {
        var terms = BlockComparer.Terms()
        terms.seed = seed
        let comparer = BlockComparer(blocks: blocks, names: SampleReport.names, terms: terms)
        let strip = PlatformStrip(samples, sampleSeconds: 0.1, rule: DisturbanceRule())
        return comparer.report(
            on: (name, title, "at 2000/s Poisson", true), warmUpRequests: 3000, comparing: [2, 3], control: 1,
            variants: variants,
            generator: GeneratorCheck(
                lagP50Nanoseconds: 47_000, lagP99Nanoseconds: 212_000, lateShare: 0.0021, ceilingShare: 0.13),
            platform: strip)
    }

    /// Creates samples of a platform that is quiet apart from bursts of stolen time.
    private func platform(_ random: inout SeededRandom) -> [PlatformSample] {
        let count = Int(Double(SampleLoad.blockCount) * SampleLoad.blockSeconds * 10)
        var burst = 0
        return (0..<count).map { _ in
            if burst == 0, random.nextUnit() < 0.02 { burst = 3 + Int(random.next(below: 8)) }
            burst = max(0, burst - 1)
            let steal = burst > 0 ? 0.06 + random.nextUnit() * 0.2 : random.nextUnit() * 0.01
            return PlatformSample(
                hiccupMicroseconds: 60 + random.nextUnit() * 80 + steal * 16_000, stealShare: steal,
                pressureShare: steal * 1.5 + random.nextUnit() * 0.05, runDelayShare: steal / 2,
                foreignShare: random.nextUnit() * 0.02)
        }
    }

    private func block(
        _ index: Int, _ samples: [PlatformSample], _ recordings: inout [Recording], _ random: inout SeededRandom
    ) -> BlockResult {
        let during = Array(samples[(index * 10)..<(index * 10 + 10)])
        var parts = SampleReport.names.map { _ in
            (response: LatencyHistogram(), wire: LatencyHistogram(), pairs: PairTally())
        }
        for request in 0..<SampleLoad.requestCount {
            let second = Double(request) / Double(SampleLoad.requestCount)
            let steal = during[Int(second * 10)].stealShare
            let wires = factors.map { wire($0, steal: steal, &random) }
            for (variant, wire) in wires.enumerated() {
                let response = wire + 40_000 + exponential(12_000, &random)
                parts[variant].wire.record(nanoseconds: UInt64(wire))
                parts[variant].response.record(nanoseconds: UInt64(response))
                parts[variant].pairs.record(reference: UInt64(wires[0]), candidate: UInt64(wire))
                let time = (Double(index) + second) * SampleLoad.blockSeconds
                recordings[variant].heat?.record(atSeconds: time, nanoseconds: wire)
            }
        }
        for variant in parts.indices {
            recordings[variant].wire.merge(parts[variant].wire)
            recordings[variant].response.merge(parts[variant].response)
        }
        return BlockResult(
            start: index / 7, disturbances: DisturbanceRule().disturbances(in: during),
            variants: parts.enumerated().map { variant, part in
                VariantBlock(response: part.response, wire: part.wire, pairs: variant == 0 ? nil : part.pairs)
            })
    }

    private func wire(_ factor: Double, steal: Double, _ random: inout SeededRandom) -> Double {
        let calm = 52_000 * factor * .exp(normal(&random) * 0.22) + exponential(9_000 * factor, &random)
        return random.nextUnit() < 0.0004 + steal / 12 ? calm + exponential(420_000, &random) : calm
    }

    private func exponential(_ mean: Double, _ random: inout SeededRandom) -> Double {
        -mean * .log(1 - random.nextUnit())
    }

    private func normal(_ random: inout SeededRandom) -> Double {
        (-2 * Double.log(1 - random.nextUnit())).squareRoot() * .cos(2 * .pi * random.nextUnit())
    }

    private func variant(_ index: Int, _ name: String, _ recording: Recording) -> VariantResult {
        let roles: [VariantResult.Role] = [.reference, .control, .candidate, .candidate, .floor]
        var cost = ServerCost()
        cost.processorMicrosecondsPerRequest = 5.9 * factors[index]
        cost.contextSwitchesPerRequest = index == 3 ? 1.94 : 0.71
        cost.systemCallsPerRequest = [2.6, 2.6, 3.7, 2, 2][index]
        cost.residentBytesPerConnection = [196, 196, 358, 18_400, 96][index]
        cost.threads = index == 3 ? 50 : 1
        return VariantResult(
            name: name, role: roles[index], response: recording.response, wire: recording.wire,
            cost: roles[index] == .floor ? nil : cost)
    }
}
