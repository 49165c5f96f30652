internal import LoadGenerator
internal import Measurements
internal import SystemCalls

/// The parameters of the trials that measure each server at rising rates.
enum RateClimb {
    /// The number of trials at each rate.
    static let rounds = 2
    /// The length of a trial, in seconds.
    static let seconds = 0.5
    /// The number of connections to each server.
    static let connectionCount = 50
}

extension ServerComparison {
    /// Measures the latency of each server at each of the plan's rates.
    ///
    /// The rates and the servers are in random order.
    func climb(_ servers: [ServerProcess]) throws(ComparisonError) -> [RateLadder] {
        let climbed = Array(plan.servers.indices) + [plan.floor]
        var ladders = climbed.map { RateLadder(variant: servers[$0].name, steps: []) }
        var random = SeededRandom(seed: plan.seed &+ 77)
        do throws(LoadError) {
            for _ in 0..<RateClimb.rounds {
                for rate in plan.rates.shuffled(using: &random) {
                    for place in climbed.indices.shuffled(using: &random) where !isStopped() {
                        ladders[place].steps.append(try step(servers[climbed[place]], at: rate, seed: random.next()))
                    }
                }
            }
        } catch { throw ComparisonError("cannot measure rising rates: \(error)") }
        for index in ladders.indices { ladders[index].steps.sort { $0.rate < $1.rate } }
        return ladders
    }

    private func step(
        _ server: ServerProcess, at rate: Double, seed: UInt64
    ) throws(LoadError) -> RateLadder.Step {
        var connections = LoadConnections(targets: [server.address], sizes: .smallest)
        connections.count = RateClimb.connectionCount
        connections.timeout = .milliseconds(200)
        connections.seed = seed
        var load = LoadPlan(connections: connections, pace: .open(plan.arrivals, rate: rate))
        load.warmUp = .milliseconds(50)
        load.duration = .seconds(RateClimb.seconds)
        let result = try LoadRun(load)()
        let replied = Double(result.count - result.faults.lostReplies)
        return RateLadder.Step(
            rate: rate, replyRate: min(rate, replied / max(RateClimb.seconds, result.elapsed / .seconds(1))),
            p50Nanoseconds: Double(result.response.quantile(at: .p50) ?? 0),
            p99Nanoseconds: result.response.reading(at: .p99).nanoseconds)
    }
}
