internal import Measurements
internal import SystemCalls
internal import Terminal

/// The figures of all models, with when and where they were found.
public struct Judgement: Sendable {
    /// The figures, in the models' order.
    public let figures: [ModelFigures]

    /// The model that speeds are told beside.
    public let reference: String

    /// When, as `2026-01-31 12:00:00`, in local time.
    public let date: String

    /// The machine: its processors and its kernel.
    public let machine: String

    /// Which program and libraries.
    public let version: String

    /// Notes the date and the machine of this moment.
    public init(_ figures: [ModelFigures], reference: String, version: String) {
        self.init(
            figures, reference: reference, version: version,
            date: String(WallClock.localTimestamp().prefix { $0 != "," }), machine: Judgement.describeMachine())
    }

    init(_ figures: [ModelFigures], reference: String, version: String, date: String, machine: String) {
        self.figures = figures
        self.reference = reference
        self.version = version
        self.date = date
        self.machine = machine
    }

    private static func describeMachine() -> String {
        let text = (try? TextFile.read("/proc/cpuinfo")) ?? ""
        let processors = text.split(separator: "\n").count { $0.hasPrefix("processor") }
        let kernel = (try? TextFile.read("/proc/sys/kernel/osrelease"))?.split(separator: "\n").first
        return "\(max(1, processors)) × \(Machine.processor(parsing: text) ?? "unknown processors"), "
            + "Linux \(kernel ?? "of unknown version")"
    }
}

// MARK: - As a table

extension Judgement {
    /// The names of the columns.
    var head: [String] {
        ["model", "served", "1 client", "100", "1000", "connect", "CPU", "stalled", "bytes", "threads", "calls"]
            + ["own", "shared", "states"]
    }

    /// What the columns mean.
    public var legend: [String] {
        [
            "served: of \(Judge.crowd) clients that connect and stay, how many are served at once",
            "1 client, 100, 1000: answers per second beside \(reference) in this run, with so many clients of whom at "
                + "most \(Judge.busyClients) are busy; the best of rounds that alternate between the models",
            "connect: the same with a connection for each request, one after the other",
            "CPU: the server's processor time for an answer among 1000 clients, beside \(reference)",
            "stalled: how many of \(Judge.busyClients) clients are answered while another one stalls, and how fast "
                + "beside without it",
            "bytes: resident memory for each client more, from 100 to 1000; threads: without clients, and with 1000",
            "calls: system calls for each message of a single client",
            "own, shared: lines of code of the model's own files, and of those it shares with other models, without what is "
                + "only about limits, metrics, proxies and the service manager; states: stored variables and enumeration cases in both",
        ]
    }

    /// A row for each model.
    func rows() -> [[String]] { figures.map(row) }

    private func row(_ figures: ModelFigures) -> [String] {
        var row = [figures.model, "\(figures.servedAtOnce)"]
        for load in [.clients(1), .clients(100), .clients(1000), .connections] as [JudgedLoad] {
            row.append(Judgement.decimal(rateRatio(of: figures, under: load), 2))
        }
        row.append(Judgement.decimal(costRatio(of: figures, under: .clients(1000)), 2))
        row.append(stall(figures))
        row.append(Judgement.decimal(figures.bytesPerClient, 0))
        row.append("\(figures.threads.idle) → \(figures.threads.serving)")
        row.append(Judgement.decimal(figures.systemCallsPerMessage, 2))
        row.append(figures.ownSources.map { "\($0.codeLines)" } ?? "–")
        row.append(figures.sharedSources.map { "\($0.codeLines) \(figures.sharedRoom)" } ?? "–")
        row.append(figures.states.map { "\($0)" } ?? "–")
        return row
    }

    /// A model's answers per second in parts of the reference's; `nil` where either is not known.
    func rateRatio(of figures: ModelFigures, under load: JudgedLoad) -> Double? {
        guard let rate = figures.speeds[load]?.rate, let other = reference(under: load)?.rate, other > 0 else {
            return nil
        }
        return rate / other
    }

    /// A model's processor time for an answer in parts of the reference's; `nil` where either is not known.
    func costRatio(of figures: ModelFigures, under load: JudgedLoad) -> Double? {
        guard let cost = figures.speeds[load]?.cost, let other = reference(under: load)?.cost, other > 0 else {
            return nil
        }
        return cost / other
    }

    /// A number with so many digits after the point; a dash where there is none.
    private static func decimal(_ number: Double?, _ places: Int) -> String {
        number.map { DecimalText.fixed($0, places: places) } ?? "–"
    }

    /// The reference's own speed.
    private func reference(under load: JudgedLoad) -> JudgedSpeed? {
        figures.first { $0.model == reference }?.speeds[load]
    }

    private func stall(_ figures: ModelFigures) -> String {
        let served = "\(figures.servedBesideStall) of \(figures.servedWithoutStall)"
        return figures.servedBesideStall > 0 ? "\(served), × \(Judgement.decimal(figures.rateBesideStall, 2))" : served
    }

    /// The reference's own speeds, which the others' are told beside.
    private var scale: String {
        let parts = [.clients(1), .clients(100), .clients(1000), .connections].map { (load: JudgedLoad) in
            "\(Judgement.decimal(reference(under: load)?.rate, 0)) with \(load)"
        }
        return "\(reference) itself, answers per second: \(parts.joined(separator: ", "))"
    }

    /// The table in plain text, with what its columns mean and the rankings.
    public func lines() -> [String] {
        var table = TextTable(head: head)
        for row in rows() { table.append(row) }
        return table.lines() + [""] + legend + [scale, ""] + rankings + [""] + Ranking.rules
    }

    /// The rankings, a line each.
    public var rankings: [String] {
        ["ranking by scalability: \(scalability.line)", "ranking by ease: \(ease.line)"]
    }

    /// The models by how well they serve many clients.
    public var scalability: Ranking { .scalability(of: figures) }

    /// The models by how little there is to write; without places where the sources are not at hand.
    public var ease: Ranking { .ease(of: figures.filter { $0.codeLines != nil }) }

    /// The table in Markdown, with its date, its machine, the rankings and what the columns mean.
    public func markdown() -> String {
        var text = "\(date), \(machine); \(version).\n\n"
        text += "| \(head.joined(separator: " | ")) |\n"
        text += "|---|" + String(repeating: "--:|", count: head.count - 1) + "\n"
        for row in rows() { text += "| \(row.joined(separator: " | ")) |\n" }
        for list in [rankings, legend + [scale], Ranking.rules] { text += "\n" + list.map { "- \($0)\n" }.joined() }
        return text
    }
}
