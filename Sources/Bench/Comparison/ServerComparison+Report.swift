internal import Clients
internal import LoadGenerator
internal import Measurements
internal import SystemCalls

extension ServerComparison {
    /// Makes the report of the measurements.
    func report(_ state: borrowing RunState, startedAt: String) throws(ComparisonError) -> ComparisonReport {
        let measured = state.recorders.filter { !$0.blocks.isEmpty }
        guard !measured.isEmpty else {
            throw ComparisonError(
                state.recorders.compactMap(\.failure).first ?? "stopped before anything was measured", isUnfit: true)
        }
        var report = ComparisonReport(
            origin: .init(
                tool: plan.tool, command: plan.command, seed: plan.seed, startedAt: startedAt,
                durationSeconds: Double(MonotonicTime.nanoseconds() &- state.begin) / 1e9),
            environment: Machine.facts(plan) + plan.environment, loads: measured.map { loadReport($0, state) })
        report.warnings = state.recorders.filter(\.blocks.isEmpty).map {
            "the load '\($0.load.name)' was not measured" + ($0.failure.map { ": \($0)" } ?? "")
        }
        if plan.processors == nil {
            report.warnings.append("the load and the servers may share a processor, because no processors are pinned")
        }
        if isStopped() { report.warnings.append("interrupted: these are the measurements until then") }
        report.ladders = state.ladders
        report.lanes = state.lanes
        return report
    }

    private func loadReport(_ recorder: LoadRecorder, _ state: borrowing RunState) -> LoadReport {
        let names = plan.subjects.map(\.name)
        let comparer = BlockComparer(blocks: recorder.blocks, names: names, terms: recorder.terms)
        let noiseFloor = comparer.noiseFloor(control: plan.control)
        let platform = PlatformStrip(recorder.samples, sampleSeconds: PlatformWatch.interval / .seconds(1), rule: rule)
        let circumstances = self.circumstances(recorder, state.startCount, platform.meanStealShare)
        let candidates = Array(plan.servers.indices.dropFirst())
        var report = LoadReport(
            plan: .init(
                name: recorder.load.name, title: recorder.load.title, circumstances: circumstances,
                warmUpRequests: recorder.warmUpCount),
            variants: names.indices.map { variant($0, recorder) }, noiseFloor: noiseFloor,
            comparisons: comparer.comparisons(of: candidates, noiseFloor: noiseFloor, circumstances: circumstances),
            generator: generator(recorder, state.ceiling), platform: platform)
        report.controlRows = comparer.rows(plan.control)
        if candidates.count > 1 { report.matrix = comparer.matrix(of: Array(plan.servers.indices)) }
        report.heatMaps = recorder.heatMaps
        report.warnings = warnings(recorder)
        return report
    }

    private func circumstances(_ recorder: LoadRecorder, _ starts: Int, _ steal: Double)
        -> VerdictSentence.Circumstances
    {
        let counts = recorder.blocks.flatMap { $0.variants.map(\.count) }.sorted()
        let rate = Int(exactly: plan.rate).map { "\($0)" } ?? "\(plan.rate)"
        let pacing =
            switch recorder.load.shape {
            case .paired: "at \(rate)/s \(plan.arrivals == .poisson ? "Poisson" : "uniform")"
            case .closed: "in a closed loop"
            case .connecting: "in a closed loop, each on its own connection"
            }
        var circumstances = VerdictSentence.Circumstances(
            blocks: recorder.blocks.count, requestsPerBlock: counts.isEmpty ? 0 : Int(counts[counts.count / 2]),
            pacing: pacing, starts: min(starts, Set(recorder.blocks.map(\.start)).count), stealShare: steal)
        circumstances.isPaired = recorder.load.shape == .paired
        return circumstances
    }

    private func variant(_ index: Int, _ recorder: LoadRecorder) -> VariantResult {
        let role: VariantResult.Role =
            switch index {
            case 0: .reference
            case plan.control: .control
            case plan.floor: .floor
            default: .candidate
            }
        var latencies = [LatencySummary(.response, recorder.response[index])]
        if recorder.wire[index].count > 0 { latencies.append(LatencySummary(.wire, recorder.wire[index])) }
        let cold = recorder.cold[index].count > 0 ? LatencySummary(.response, recorder.cold[index]) : nil
        return VariantResult(
            name: plan.subjects[index].name, role: role, latencies: latencies, cold: cold,
            cost: recorder.costs[index].cost, faults: faults(index, recorder))
    }

    private func faults(_ index: Int, _ recorder: LoadRecorder) -> ExchangeFaults {
        let found = recorder.faults[index]
        let payload = recorder.load.payloadCount
        var faults = ExchangeFaults()
        // The load generator counts replies, the report counts bytes.
        faults.wrongBytes = UInt64((found.wrongReplies + found.crossTalk) * payload)
        faults.lostBytes = UInt64(found.lostReplies * payload)
        faults.surplusBytes = UInt64(found.surplusBytes)
        faults.failedConnections = UInt64(found.failedConnections + found.lostConnections)
        faults.contendedSlots = UInt64(recorder.contended[index])
        return faults
    }

    private func generator(_ recorder: LoadRecorder, _ ceiling: Double?) -> GeneratorCheck {
        let share = recorder.lag.count > 0 ? Double(recorder.lateCount) / Double(recorder.lag.count) : 0
        return GeneratorCheck(
            lagP50Nanoseconds: Double(recorder.lag.quantile(at: .p50) ?? 0),
            lagP99Nanoseconds: Double(recorder.lag.quantile(at: .p99) ?? 0), lateShare: share,
            ceilingShare: recorder.load.shape == .paired ? ceiling.map { plan.rate / $0 } : nil)
    }

    private func warnings(_ recorder: LoadRecorder) -> [String] {
        var warnings: [String] = []
        for (name, faults) in zip(plan.subjects.map(\.name), recorder.faults) where !faults.isEmpty {
            let counts = faults.counts.map { "\($0.count) \($0.name)" }.joined(separator: ", ")
            warnings.append("\(name): \(counts)" + (faults.examples.first.map { " (\($0))" } ?? ""))
        }
        return warnings + generatorWarnings(recorder)
    }

    private func generatorWarnings(_ recorder: LoadRecorder) -> [String] {
        let generator = recorder.generator
        guard generator.wall > 0 else { return [] }
        let percent = { (part: UInt64) in Int((Double(part) / Double(generator.wall) * 100).rounded()) }
        var warnings: [String] = []
        if percent(generator.waited) > 10 {
            warnings.append(
                "the load generator waited for a processor \(percent(generator.waited)) % of the time: response times "
                    + "say more about this machine than about the servers")
        }
        if recorder.load.shape != .paired, percent(generator.ran) > 70 {
            warnings.append(
                "the load generator ran \(percent(generator.ran)) % of the time: it was as much a bottleneck as the servers"
            )
        }
        return warnings
    }

    /// Runs simulated clients against each server.
    func lanes(_ servers: [ServerProcess]) -> [LanePanel] {
        plan.servers.indices.map { index in
            let pace = SimulatedClient.Pace(
                pause: .milliseconds(300), farewell: .milliseconds(60), timeout: .seconds(5))
            let outcomes = SimulatedClients.run(
                count: 3, connectingTo: servers[index].address, pace: pace, report: { _ in })
            return LanePanel(
                variant: servers[index].name,
                lanes: outcomes.map { outcome in
                    LanePanel.Lane(
                        name: outcome.name, startedSeconds: outcome.started / .seconds(1),
                        servedSeconds: outcome.greeted.map { $0 / .seconds(1) },
                        endedSeconds: outcome.ended / .seconds(1), succeeded: outcome.failure == nil)
                })
        }
    }
}
