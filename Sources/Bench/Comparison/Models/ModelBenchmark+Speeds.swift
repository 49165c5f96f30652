internal import LoadGenerator

extension ModelBenchmark {
    /// Holds a server, so that it can be stored in an array.
    private final class Member {
        var server: BenchmarkedServer
        init(program: String, model: String) throws(ComparisonError) {
            server = try BenchmarkedServer(program: program, model: model)
        }
    }

    /// Measures the speeds of a group of models, under one load after the other.
    func measureSpeeds(
        of group: [String], _ figures: inout [ModelFigures], _ steps: inout Steps
    ) throws(ComparisonError) {
        var members: [Member] = []
        for model in group { members.append(try Member(program: program, model: model)) }
        for load in Self.loads {
            for round in 0..<max(1, rounds) {
                try steps.next("speed of \(group.count) models, \(load), round \(round + 1) of \(max(1, rounds))")
                let slices = try measureRound(of: members, load, round)
                guard let reference = slices[self.reference] else { continue }
                for index in figures.indices {
                    guard let slice = slices[figures[index].model] else { continue }
                    figures[index].speeds[load, default: ModelSpeed()].append(slice, relativeTo: reference)
                }
            }
        }
        for member in members { try member.server.stop() }
    }

    private func measureRound(
        of members: [Member], _ load: BenchmarkLoad, _ round: Int
    ) throws(ComparisonError) -> [String: ModelSpeed.Slice] {
        var model = ""
        do throws(LoadError) {
            if round == 0 {
                for member in members {
                    model = member.server.model
                    try member.server.connect(load)
                }
            }
            var slices: [String: ModelSpeed.Slice] = [:]
            for index in Self.order(members.count, in: round) {
                model = members[index].server.model
                slices[model] = try members[index].server.measure(for: time)
            }
            return slices
        } catch { throw ComparisonError("\(model), \(load): \(error)") }
    }

    /// The order of the models in a round.
    ///
    /// Each round starts one model later than the previous one, and every second
    /// round runs in reverse.
    static func order(_ count: Int, in round: Int) -> [Int] {
        let forwards = (0..<count).map { ($0 + round) % count }
        return round % 2 == 0 ? forwards : forwards.reversed()
    }
}
