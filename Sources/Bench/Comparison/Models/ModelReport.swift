internal import Measurements
internal import SystemCalls
internal import Terminal

/// The figures of all models, with the time and the machine of the measurement.
public struct ModelReport: Sendable {
    /// The figures, in the models' order.
    public let figures: [ModelFigures]

    /// The model that speeds are relative to.
    public let reference: String

    /// The local time, for example `2026-01-31 12:00:00`.
    public let date: String

    /// The processors and the kernel of the machine.
    public let machine: String

    /// The version of the program and its libraries.
    public let version: String

    /// Makes a report; by default with the current date and this machine.
    public init(
        _ figures: [ModelFigures], reference: String, version: String, date: String? = nil, machine: String? = nil
    ) {
        self.figures = figures
        self.reference = reference
        self.version = version
        self.date = date ?? String(WallClock.localTimestamp().prefix { $0 != "," })
        self.machine = machine ?? ModelReport.describeMachine()
    }

    private static func describeMachine() -> String {
        let text = (try? TextFile.read("/proc/cpuinfo")) ?? ""
        let processors = text.split(separator: "\n").count { $0.hasPrefix("processor") }
        return "\(max(1, processors)) × \(Machine.processor ?? "unknown processor"), "
            + "Linux \(Machine.kernel ?? "of unknown version")"
    }

    /// The ranking of the models by scalability.
    public var scalability: Ranking { .scalability(of: figures) }

    /// The ranking of the models by the lines to read; empty if the sources cannot be found.
    public var ease: Ranking { .ease(of: figures.filter { $0.sources != nil }) }

    /// The rankings, one line each.
    public var rankings: [String] { ["ranking by scalability: \(scalability.line)", "ranking by ease: \(ease.line)"] }

    /// A model's replies a second or processor time for a reply, relative to the reference's; `nil` if either is unknown.
    func ratio(
        of value: (ModelSpeed) -> Double?, _ figures: ModelFigures, under load: BenchmarkLoad
    ) -> Double? {
        guard let number = figures.speeds[load].flatMap(value), let other = referenceSpeed(load).flatMap(value),
            other > 0
        else { return nil }
        return number / other
    }

    private func referenceSpeed(_ load: BenchmarkLoad) -> ModelSpeed? {
        figures.first { $0.model == reference }?.speeds[load]
    }
}

// MARK: - Tables

extension ModelReport {
    /// A column of a table.
    struct Column {
        let title: String
        let meaning: String
        let value: (ModelFigures) -> String
    }

    /// The figures that show scalability and ease best.
    var mainColumns: [Column] {
        [
            Column(title: "served", meaning: "clients served at once, of \(ModelBenchmark.crowd) connected clients") {
                "\($0.servedAtOnce)"
            },
            Column(
                title: "replies/s",
                meaning: "replies per second divided by those of \(reference), with 1000 clients of which "
                    + "\(ModelBenchmark.busyClients) are busy, in the best of several rounds"
            ) { ModelReport.decimal(ratio(of: \.rate, $0, under: .clients(1000)), 2) },
            Column(title: "bytes/client", meaning: "resident memory that each client adds, from 100 to 1000 clients") {
                ModelReport.decimal($0.bytesPerClient, 0)
            },
            Column(title: "calls", meaning: "system calls per message, with a single client") {
                ModelReport.decimal($0.systemCallsPerMessage, 2)
            },
            Column(
                title: "lines",
                meaning: "lines of code in the model's own files and in the session, without what all models share"
            ) { $0.sources.map { "\($0.codeLines)" } ?? "–" },
        ]
    }

    /// The other figures.
    var furtherColumns: [Column] {
        [BenchmarkLoad.clients(1), .clients(100), .connections].map { load in
            Column(title: load.title, meaning: "replies per second divided by those of \(reference), with \(load)") {
                ModelReport.decimal(ratio(of: \.rate, $0, under: load), 2)
            }
        } + [
            Column(
                title: "CPU", meaning: "processor time per reply with 1000 clients, divided by that of \(reference)"
            ) { ModelReport.decimal(ratio(of: \.cost, $0, under: .clients(1000)), 2) },
            Column(
                title: "stalled",
                meaning:
                    "of \(ModelBenchmark.busyClients) clients, the number served while another client sends and does not "
                    + "read, of the number served without that client; and the speed with that client relative to without"
            ) {
                let served = "\($0.servedWithStall) of \($0.servedAlone)"
                return $0.servedWithStall > 0 ? "\(served), × \(ModelReport.decimal($0.rateWithStall, 2))" : served
            },
            Column(title: "threads", meaning: "threads of the server without clients, and with 1000 clients") {
                "\($0.threads.idle) → \($0.threads.serving)"
            },
            Column(title: "states", meaning: "stored properties and enumeration cases in these lines of code") {
                $0.sources.map { "\($0.states)" } ?? "–"
            },
        ]
    }

    /// A number with this many digits after the point; a dash for `nil`.
    private static func decimal(_ number: Double?, _ places: Int) -> String {
        number.map { DecimalText.fixed($0, places: places) } ?? "–"
    }

    /// The title of each column and a row for each model.
    func table(_ columns: [Column]) -> (head: [String], rows: [[String]]) {
        (["model"] + columns.map(\.title), figures.map { model in [model.model] + columns.map { $0.value(model) } })
    }

    /// The reference's own speeds.
    private var scale: String {
        let parts = [BenchmarkLoad.clients(1), .clients(100), .clients(1000), .connections].map { load in
            "\(ModelReport.decimal(referenceSpeed(load)?.rate, 0)) with \(load)"
        }
        return "replies a second of \(reference): \(parts.joined(separator: ", "))"
    }

    /// Both tables as plain text, with the meanings of their columns, the rankings and their rules.
    public func lines() -> [String] {
        [mainColumns, furtherColumns].flatMap { columns in
            let (head, rows) = table(columns)
            var text = TextTable(head: head)
            for row in rows { text.append(row) }
            return text.lines() + [""] + columns.map { "\($0.title): \($0.meaning)" } + [""]
        } + [scale, ""] + rankings + [""] + Ranking.rules
    }

    /// The main table in Markdown, and a paragraph with the rankings, the columns' meanings, the date and the machine.
    public func markdown() -> String {
        let (head, rows) = table(mainColumns)
        let notes =
            rankings + mainColumns.map { "*\($0.title)*: \($0.meaning)" }
            + ["Measured on \(date), \(machine); \(version)"]
        let lines =
            ["| \(head.joined(separator: " | ")) |", "|---|" + String(repeating: "--:|", count: mainColumns.count)]
            + rows.map { "| \($0.joined(separator: " | ")) |" } + ["", notes.joined(separator: ". ") + "."]
        return lines.map { $0 + "\n" }.joined()
    }
}

extension BenchmarkLoad {
    /// The title of a column.
    var title: String {
        switch self {
        case .clients(1): "1 client"
        case .clients(let count): "\(count)"
        case .connections: "connect"
        }
    }
}
