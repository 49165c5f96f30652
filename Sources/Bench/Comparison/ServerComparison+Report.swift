internal import Clients
internal import LoadGenerator
internal import Measurements
internal import SystemCalls

extension ServerComparison {
    /// Sums up what was measured.
    func report(_ course: borrowing Course, startedAt: String) throws(ComparisonError) -> ComparisonReport {
        let measured = course.ledgers.filter { !$0.blocks.isEmpty }
        guard !measured.isEmpty else {
            throw ComparisonError(
                course.ledgers.compactMap(\.failure).first ?? "stopped before anything was measured", isUnfit: true)
        }
        var loads = measured.map { loadReport($0, course) }
        loads[0].ladders = course.ladders
        let left = course.ledgers.filter(\.blocks.isEmpty)
        loads[0].warnings += left.map {
            "the load '\($0.load.name)' was not measured" + ($0.failure.map { ": \($0)" } ?? "")
        }
        if isStopped() { loads[0].warnings.append("interrupted: this is what was measured until then") }
        var report = ComparisonReport(
            origin: .init(
                tool: plan.tool, command: plan.command, seed: plan.seed, startedAt: startedAt,
                durationSeconds: Double(MonotonicTime.nanoseconds() &- course.begin) / 1e9),
            environment: Machine.facts(plan) + plan.environment, loads: loads)
        report.lanes = course.lanes
        return report
    }

    private func loadReport(_ ledger: LoadLedger, _ course: borrowing Course) -> LoadReport {
        let names = plan.contestants.map(\.name)
        let comparer = BlockComparer(blocks: ledger.blocks, names: names, terms: ledger.terms)
        let resolution = comparer.resolution(twin: plan.twin)
        let platform = PlatformStrip(ledger.samples, sampleSeconds: PlatformWatch.interval / .seconds(1), rule: rule)
        let circumstances = self.circumstances(ledger, course.startCount, platform.meanStealShare)
        let candidates = Array(plan.servers.indices.dropFirst())
        var report = LoadReport(
            plan: .init(
                name: ledger.load.name, title: ledger.load.title, circumstances: circumstances,
                warmUpRequests: ledger.warmUpCount),
            variants: names.indices.map { variant($0, ledger) }, resolution: resolution,
            comparisons: comparer.comparisons(of: candidates, resolution: resolution, circumstances: circumstances),
            generator: generator(ledger, course.ceiling), platform: platform)
        report.resolutionRows = comparer.rows(plan.twin)
        if candidates.count > 1 { report.matrix = comparer.matrix(of: Array(plan.servers.indices)) }
        report.heatMaps = ledger.heatMaps
        report.warnings = warnings(ledger)
        return report
    }

    private func circumstances(_ ledger: LoadLedger, _ starts: Int, _ steal: Double) -> VerdictSentence.Circumstances {
        let counts = ledger.blocks.flatMap { $0.variants.map(\.count) }.sorted()
        let rate = Int(exactly: plan.rate).map { "\($0)" } ?? "\(plan.rate)"
        let pacing =
            switch ledger.load.shape {
            case .paired: "at \(rate)/s \(plan.arrivals == .poisson ? "Poisson" : "uniform")"
            case .closed: "in a closed loop"
            case .connecting: "in a closed loop, each on its own connection"
            }
        var circumstances = VerdictSentence.Circumstances(
            blocks: ledger.blocks.count, requestsPerBlock: counts.isEmpty ? 0 : Int(counts[counts.count / 2]),
            pacing: pacing, starts: min(starts, Set(ledger.blocks.map(\.start)).count), stealShare: steal)
        circumstances.isPaired = ledger.load.shape == .paired
        return circumstances
    }

    private func variant(_ index: Int, _ ledger: LoadLedger) -> VariantResult {
        let role: VariantResult.Role =
            switch index {
            case 0: .reference
            case plan.twin: .twin
            case plan.floor: .floor
            default: .candidate
            }
        var latencies = [LatencySummary(.response, ledger.response[index])]
        if ledger.wire[index].count > 0 { latencies.append(LatencySummary(.wire, ledger.wire[index])) }
        let cold = ledger.cold[index].count > 0 ? LatencySummary(.response, ledger.cold[index]) : nil
        return VariantResult(
            name: plan.contestants[index].name, role: role, latencies: latencies, cold: cold,
            cost: ledger.costs[index].cost, faults: faults(index, ledger))
    }

    private func faults(_ index: Int, _ ledger: LoadLedger) -> ExchangeFaults {
        let found = ledger.faults[index]
        let payload = ledger.load.payloadCount
        var faults = ExchangeFaults()
        // Told apart by answers there, and by bytes here.
        faults.wrongBytes = UInt64((found.wrongAnswers + found.crossTalk) * payload)
        faults.lostBytes = UInt64(found.lostAnswers * payload)
        faults.surplusBytes = UInt64(found.surplusBytes)
        faults.failedConnections = UInt64(found.failedConnections + found.endedConnections)
        faults.contendedSlots = UInt64(ledger.contended[index])
        return faults
    }

    private func generator(_ ledger: LoadLedger, _ ceiling: Double?) -> GeneratorCheck {
        let share = ledger.lag.count > 0 ? Double(ledger.lateCount) / Double(ledger.lag.count) : 0
        return GeneratorCheck(
            lagP50Nanoseconds: Double(ledger.lag.quantile(at: .p50) ?? 0),
            lagP99Nanoseconds: Double(ledger.lag.quantile(at: .p99) ?? 0), lateShare: share,
            ceilingShare: ledger.load.shape == .paired ? ceiling.map { plan.rate / $0 } : nil)
    }

    private func warnings(_ ledger: LoadLedger) -> [String] {
        var warnings: [String] = []
        for (name, faults) in zip(plan.contestants.map(\.name), ledger.faults) where !faults.isEmpty {
            let counts = faults.counts.map { "\($0.count) \($0.name)" }.joined(separator: ", ")
            warnings.append("\(name): \(counts)" + (faults.examples.first.map { " (\($0))" } ?? ""))
        }
        warnings += generatorWarnings(ledger)
        if plan.processors == nil {
            warnings.append("nothing is pinned: the load and the servers may share a processor")
        }
        return warnings
    }

    private func generatorWarnings(_ ledger: LoadLedger) -> [String] {
        let generator = ledger.generator
        guard generator.wall > 0 else { return [] }
        let percent = { (part: UInt64) in Int((Double(part) / Double(generator.wall) * 100).rounded()) }
        var warnings: [String] = []
        if percent(generator.waited) > 10 {
            warnings.append(
                "the load was ready to run and waited for a processor \(percent(generator.waited)) % of the time: "
                    + "response times say more of this machine than of the servers")
        }
        if ledger.load.shape != .paired, percent(generator.ran) > 70 {
            warnings.append(
                "the load ran \(percent(generator.ran)) % of the time: it was as much a bottleneck as the servers")
        }
        return warnings
    }

    /// How simulated clients fare with each server.
    func lanes(_ servers: [ComparedServer]) -> [LanePanel] {
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
