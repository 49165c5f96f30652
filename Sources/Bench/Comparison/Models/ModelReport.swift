internal import Measurements
internal import SystemCalls
internal import Terminal

/// The measurements of all models, with the date and the machine.
public struct ModelReport: Sendable {
    /// The measurements, in the order of the models.
    public let figures: [ModelFigures]

    /// The model that speeds are relative to.
    public let reference: String

    /// The local date and time, for example `2026-01-31 12:00:00`.
    public let date: String

    /// A description of the machine's processors and kernel.
    public let machine: String

    /// The version of the program and its libraries.
    public let version: String

    /// Makes a report.
    ///
    /// By default, the report has the current date and describes this machine.
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

    /// The ranking of the models by the number of lines to read; empty if the sources cannot be found.
    public var ease: Ranking { .ease(of: figures.filter { $0.sources != nil }) }

    /// The rankings, with one line each.
    public var rankings: [String] { ["ranking by scalability: \(scalability.line)", "ranking by ease: \(ease.line)"] }

    /// Returns a model's value divided by the reference's value; `nil` if either is unknown.
    ///
    /// The value is, for example, the rate of replies or the processor time per reply.
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

    /// The columns of the main table: the values that best show how well a model scales and how easy it is to read.
    var mainColumns: [Column] {
        [
            Column(title: "served", meaning: "clients served at the same time, of \(ModelBenchmark.crowd) connected") {
                "\($0.servedAtOnce)"
            },
            Column(
                title: "replies/s",
                meaning: "replies per second divided by those of \(reference). Of 1000 connected clients, "
                    + "\(ModelBenchmark.busyClients) send requests. The best of several rounds is used"
            ) { ModelReport.decimal(ratio(of: \.rate, $0, under: .clients(1000)), 2) },
            Column(
                title: "bytes/client",
                meaning: "resident memory that one more client uses, on average between 100 and 1000 clients"
            ) {
                ModelReport.decimal($0.bytesPerClient, 0)
            },
            Column(title: "calls", meaning: "system calls per message, with a single client") {
                ModelReport.decimal($0.systemCallsPerMessage, 2)
            },
            Column(
                title: "lines",
                meaning: "lines of code to read, in the model's files and the session; code for limits, metrics and "
                    + "the drain is not counted"
            ) { $0.sources.map { "\($0.codeLines)" } ?? "–" },
        ]
    }

    /// The columns of the second table.
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
                    "of \(ModelBenchmark.busyClients) clients, how many are served while another client sends and "
                    + "does not read, and how many without that client. The number after × is the rate of replies "
                    + "with that client, divided by the rate without that client"
            ) {
                let served = "\($0.servedWithStall) of \($0.servedAlone)"
                return $0.servedWithStall > 0 ? "\(served), × \(ModelReport.decimal($0.rateWithStall, 2))" : served
            },
            Column(title: "threads", meaning: "threads of the server without clients, and with 1000 clients") {
                "\($0.threads.idle) → \($0.threads.serving)"
            },
            Column(title: "states", meaning: "stored properties and enumeration cases in the lines of code to read") {
                $0.sources.map { "\($0.states)" } ?? "–"
            },
        ]
    }

    /// Formats a number with the given number of digits after the point.
    ///
    /// The text for `nil` is a dash.
    private static func decimal(_ number: Double?, _ places: Int) -> String {
        number.map { DecimalText.fixed($0, places: places) } ?? "–"
    }

    /// Returns a table: the titles of the columns, and one row per model.
    func table(_ columns: [Column]) -> (head: [String], rows: [[String]]) {
        (["model"] + columns.map(\.title), figures.map { model in [model.model] + columns.map { $0.value(model) } })
    }

    /// The absolute speeds of the reference.
    private var scale: String {
        let parts = [BenchmarkLoad.clients(1), .clients(100), .clients(1000), .connections].map { load in
            "\(ModelReport.decimal(referenceSpeed(load)?.rate, 0)) with \(load)"
        }
        return "replies per second of \(reference): \(parts.joined(separator: ", "))"
    }

    /// Returns both tables as plain text, with the meanings of their columns, the rankings, and the rules for ranking.
    public func lines() -> [String] {
        [mainColumns, furtherColumns].flatMap { columns in
            let (head, rows) = table(columns)
            var text = TextTable(head: head)
            for row in rows { text.append(row) }
            return text.lines() + [""] + columns.map { "\($0.title): \($0.meaning)" } + [""]
        } + [scale, ""] + rankings + [""] + Ranking.rules
    }

    /// Returns the main table in Markdown, followed by a list.
    ///
    /// The list contains the rankings, the meanings of the columns, the date and the machine.
    public func markdown() -> String {
        let (head, rows) = table(mainColumns)
        let notes =
            rankings + mainColumns.map { "*\($0.title)*: \($0.meaning)" }
            + ["Measured on \(date), \(machine); \(version)"]
        let lines =
            ["| \(head.joined(separator: " | ")) |", "|---|" + String(repeating: "--:|", count: mainColumns.count)]
            + rows.map { "| \($0.joined(separator: " | ")) |" } + [""] + notes.map { "- \($0)" }
        return lines.map { $0 + "\n" }.joined()
    }
}

extension BenchmarkLoad {
    /// The title of the load's column.
    var title: String {
        switch self {
        case .clients(1): "1 client"
        case .clients(let count): "\(count)"
        case .connections: "connect"
        }
    }
}
