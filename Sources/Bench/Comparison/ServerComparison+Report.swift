internal import Clients
internal import LoadGenerator
internal import Measurements
internal import SystemCalls

extension ServerComparison {
    /// Makes the report from the measurements.
    func report(_ state: borrowing RunState, startedAt: String) throws(ComparisonError) -> ComparisonReport {
        let measured = state.recorders.filter { !$0.blocks.isEmpty }
        guard !measured.isEmpty else {
            throw ComparisonError(
                state.recorders.compactMap(\.failure).first ?? "stopped before anything was measured", isUnfit: true)
        }
        var report = ComparisonReport(
            tool: plan.tool, command: plan.command, seed: plan.seed, startedAt: startedAt,
            durationSeconds: Double(MonotonicTime.nanoseconds() &- state.begin) / 1e9,
            environment: Machine.facts(plan) + plan.environment, loads: measured.map { loadReport($0, state) })
        report.warnings = state.recorders.filter(\.blocks.isEmpty).map {
            "the load '\($0.load.name)' was not measured" + ($0.failure.map { ": \($0)" } ?? "")
        }
        if plan.processors == nil {
            report.warnings.append("the load generator and the servers are not pinned, so they may share a processor")
        }
        if isStopped() { report.warnings.append("interrupted: the report covers the time before the interruption") }
        report.ladders = state.ladders
        report.lanes = state.lanes
        return report
    }

    private func loadReport(_ recorder: LoadRecorder, _ state: borrowing RunState) -> LoadReport {
        let comparer = BlockComparer(
            blocks: recorder.blocks, names: plan.subjects.map(\.name), terms: recorder.terms)
        let platform = PlatformStrip(recorder.samples, sampleSeconds: PlatformWatch.interval / .seconds(1), rule: rule)
        let load = recorder.load
        var report = comparer.report(
            on: (load.name, load.title, pacing(load), load.shape == .paired), warmUpRequests: recorder.warmUpCount,
            comparing: Array(plan.servers.indices.dropFirst()), control: plan.control,
            variants: recorder.servers.indices.map { variant($0, recorder) },
            generator: GeneratorCheck(
                lag: recorder.lag, lateCount: recorder.lateCount,
                ceilingShare: load.shape == .paired ? state.ceiling.map { plan.rate / $0 } : nil), platform: platform)
        report.heatMaps = recorder.servers.compactMap(\.heatMap)
        report.warnings = warnings(recorder)
        return report
    }

    private func pacing(_ load: ComparedLoad) -> String {
        let rate = Int(exactly: plan.rate).map { "\($0)" } ?? "\(plan.rate)"
        return switch load.shape {
        case .paired: "at \(rate)/s \(plan.arrivals == .poisson ? "Poisson" : "uniform")"
        case .closed: "in a closed loop"
        case .connecting: "in a closed loop, each on its own connection"
        }
    }

    private func variant(_ index: Int, _ recorder: LoadRecorder) -> VariantResult {
        let role: VariantResult.Role =
            switch index {
            case 0: .reference
            case plan.control: .control
            case plan.floor: .floor
            default: .candidate
            }
        let server = recorder.servers[index]
        return VariantResult(
            name: plan.subjects[index].name, role: role, response: server.response, wire: server.wire,
            cold: server.cold, cost: server.cost.cost, faults: faults(server, payload: recorder.load.payloadCount))
    }

    private func faults(_ server: ServerTally, payload: Int) -> ExchangeFaults {
        let found = server.faults
        var faults = ExchangeFaults()
        // The load generator counts wrong and lost replies, but the report counts bytes, so the counts are multiplied
        // by the payload size.
        faults.wrongBytes = UInt64((found.wrongReplies + found.crossTalk) * payload)
        faults.lostBytes = UInt64(found.lostReplies * payload)
        faults.surplusBytes = UInt64(found.surplusBytes)
        faults.failedConnections = UInt64(found.failedConnections + found.lostConnections)
        faults.contendedSlots = UInt64(server.contendedCount)
        return faults
    }

    private func warnings(_ recorder: LoadRecorder) -> [String] {
        let faults = zip(plan.subjects, recorder.servers).filter { !$1.faults.isEmpty }.map { subject, server in
            let counts = server.faults.counts.map { "\($0.count) \($0.name)" }.joined(separator: ", ")
            return "\(subject.name): \(counts)" + (server.faults.examples.first.map { " (\($0))" } ?? "")
        }
        return faults + generatorWarnings(recorder)
    }

    private func generatorWarnings(_ recorder: LoadRecorder) -> [String] {
        let generator = recorder.generator
        guard generator.wall > 0 else { return [] }
        let percent = { (part: UInt64) in Int((Double(part) / Double(generator.wall) * 100).rounded()) }
        var warnings: [String] = []
        if percent(generator.waited) > 10 {
            warnings.append(
                "the load generator waited for a processor for \(percent(generator.waited)) % of the time. The response "
                    + "times say more about this machine than about the servers")
        }
        if recorder.load.shape != .paired, percent(generator.ran) > 70 {
            warnings.append(
                "the load generator ran for \(percent(generator.ran)) % of the time. It may have been the bottleneck"
            )
        }
        return warnings
    }

    /// Runs simulated clients against each server and returns the clients' time lines.
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
