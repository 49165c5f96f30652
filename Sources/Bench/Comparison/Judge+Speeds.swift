extension Judge {
    /// Measures the speeds of some models side by side, under one load after the other.
    func measureSpeeds(
        of heat: [String], _ figures: inout [ModelFigures], _ steps: inout Steps
    ) throws(ComparisonError) {
        var servers: [JudgedServer] = []
        for model in heat { servers.append(try JudgedServer(program: program, model: model)) }
        for load in Judge.loads {
            for round in 0..<max(1, rounds) {
                try steps.next("speed of \(heat.count) models, \(load), round \(round + 1) of \(max(1, rounds))")
                if round == 0 { for server in servers { try server.prepare(for: load) } }
                let slices = try measureRound(of: servers, under: load, order: Judge.order(servers.count, in: round))
                guard let reference = slices[self.reference] else { continue }
                for index in figures.indices {
                    guard let slice = slices[figures[index].model] else { continue }
                    figures[index].speeds[load, default: JudgedSpeed()].append(slice, beside: reference)
                }
            }
        }
        for server in servers { try server.stop() }
    }

    private func measureRound(
        of servers: [JudgedServer], under load: JudgedLoad, order: [Int]
    ) throws(ComparisonError) -> [String: JudgedSpeed.Slice] {
        var slices: [String: JudgedSpeed.Slice] = [:]
        for index in order { slices[servers[index].model] = try servers[index].measure(load, for: time) }
        return slices
    }

    /// The order in a round: it begins one further each time, and goes back every other.
    static func order(_ count: Int, in round: Int) -> [Int] {
        let forth = (0..<count).map { ($0 + round) % count }
        return round % 2 == 0 ? forth : forth.reversed()
    }
}

extension JudgedLoad: CustomStringConvertible {
    /// The load in a few words.
    public var description: String {
        switch self {
        case .clients(1): "1 client"
        case .clients(let count): "\(count) clients"
        case .connections: "a connection for each request"
        }
    }
}
