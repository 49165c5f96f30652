internal import LoadGenerator

extension ModelBenchmark {
    /// Measures the speeds of a group of models under each load.
    func measureSpeeds(
        of group: [String], _ figures: inout [ModelFigures], _ begin: (_ step: String) throws(ComparisonError) -> Void
    ) throws(ComparisonError) {
        var servers: [BenchmarkedServer] = []
        for model in group { servers.append(try BenchmarkedServer(program: program, model: model)) }
        for load in Self.loads {
            for round in 0..<max(1, rounds) {
                try begin("speed of \(group.count) models, \(load), round \(round + 1) of \(max(1, rounds))")
                let slices = try measureRound(of: servers, load, round)
                guard let reference = slices[self.reference] else { continue }
                for index in figures.indices {
                    guard let slice = slices[figures[index].model] else { continue }
                    figures[index].speeds[load, default: ModelSpeed()].append(slice, relativeTo: reference)
                }
            }
        }
        for server in servers { try server.stop() }
    }

    private func measureRound(
        of servers: [BenchmarkedServer], _ load: BenchmarkLoad, _ round: Int
    ) throws(ComparisonError) -> [String: ModelSpeed.Slice] {
        var model = ""
        do throws(LoadError) {
            if round == 0 {
                for server in servers {
                    model = server.model
                    try server.connect(load)
                }
            }
            var slices: [String: ModelSpeed.Slice] = [:]
            for index in Self.order(servers.count, in: round) {
                model = servers[index].model
                slices[model] = try servers[index].measure(for: time)
            }
            return slices
        } catch { throw ComparisonError("\(model), \(load): \(error)") }
    }

    /// Returns the order in which a round measures the models.
    ///
    /// In each round, the list of models is rotated by one more position. In every second round, the rotated list is
    /// also reversed.
    static func order(_ count: Int, in round: Int) -> [Int] {
        let forwards = (0..<count).map { ($0 + round) % count }
        return round % 2 == 0 ? forwards : forwards.reversed()
    }
}
