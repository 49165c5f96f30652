internal import Measurements
public import Reporting

extension ModelReport {
    /// Returns the figures as they were measured, as indented JSON; the keys tell the units.
    public func json() throws(ReportError) -> String {
        try JSONFormat.text(of: Document(self), isIndented: true) + "\n"
    }

    private struct Document: Encodable {
        let date, machine, version, reference: String
        let crowd = ModelBenchmark.crowd
        let busyClients = ModelBenchmark.busyClients
        let scalability, ease: [Place]
        let models: [Model]

        init(_ report: ModelReport) {
            date = report.date
            machine = report.machine
            version = report.version
            reference = report.reference
            scalability = report.scalability.places.map { Place(place: $0.number, models: $0.models) }
            ease = report.ease.places.map { Place(place: $0.number, models: $0.models) }
            models = report.figures.map { Model($0, in: report) }
        }
    }

    private struct Place: Encodable {
        let place: Int
        let models: [String]
    }

    private struct Model: Encodable {
        let model: String
        let servedAtOnce: Int
        let speeds: [String: Speed]
        let servedAlone, servedWithStalledClient: Int
        let rateWithStalledClient: Double
        let residentBytesPerClient: Double?
        let idleThreads, servingThreads, servedWithThreads: Int
        let systemCallsPerMessage: Double?
        let codeLines, states: Int?

        init(_ figures: ModelFigures, in report: ModelReport) {
            model = figures.model
            servedAtOnce = figures.servedAtOnce
            speeds = Dictionary(
                uniqueKeysWithValues: ModelBenchmark.loads.map { ($0.description, Speed(figures, $0, in: report)) })
            servedAlone = figures.servedAlone
            servedWithStalledClient = figures.servedWithStall
            rateWithStalledClient = figures.rateWithStall
            residentBytesPerClient = figures.bytesPerClient
            idleThreads = figures.threads.idle
            servingThreads = figures.threads.serving
            servedWithThreads = figures.servedWithThreads
            systemCallsPerMessage = figures.systemCallsPerMessage
            codeLines = figures.sources?.codeLines
            states = figures.sources?.states
        }
    }

    private struct Speed: Encodable {
        let rounds: Int
        let repliesPerSecond, relativeReplies: Double?
        let processorSecondsPerReply, relativeProcessorTime: Double?
        let relativeRepliesByRound: Quartiles

        init(_ figures: ModelFigures, _ load: BenchmarkLoad, in report: ModelReport) {
            let speed = figures.speeds[load] ?? ModelSpeed()
            rounds = speed.slices.count
            repliesPerSecond = speed.rate
            relativeReplies = report.rateRatio(of: figures, under: load)
            processorSecondsPerReply = speed.cost
            relativeProcessorTime = report.costRatio(of: figures, under: load)
            relativeRepliesByRound = Quartiles(OrderedSample(speed.ratios))
        }
    }

    private struct Quartiles: Encodable {
        let median, lowerQuartile, upperQuartile: Double?

        init(_ sample: OrderedSample) {
            median = sample.median
            lowerQuartile = sample.quantile(0.25)
            upperQuartile = sample.quantile(0.75)
        }
    }
}
