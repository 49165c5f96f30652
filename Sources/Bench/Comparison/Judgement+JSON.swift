internal import Measurements
public import Reporting

extension Judgement {
    /// Returns the figures as they were measured, as indented JSON; the keys tell the units.
    public func json() throws(ReportError) -> String {
        try JSONFormat.text(of: Document(self), isIndented: true) + "\n"
    }

    private struct Document: Encodable {
        let date, machine, version, reference: String
        let crowd = Judge.crowd
        let busyClients = Judge.busyClients
        let scalability, ease: [Place]
        let models: [Model]

        init(_ judgement: Judgement) {
            date = judgement.date
            machine = judgement.machine
            version = judgement.version
            reference = judgement.reference
            scalability = judgement.scalability.places.map { Place(place: $0.number, models: $0.models) }
            ease = judgement.ease.places.map { Place(place: $0.number, models: $0.models) }
            models = judgement.figures.map { Model($0, in: judgement) }
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
        let servedWithoutStall, servedBesideStall: Int
        let rateBesideStall: Double
        let residentBytesPerClient: Double?
        let idleThreads, servingThreads, servedWithThreads: Int
        let systemCallsPerMessage: Double?
        let ownSources, sharedSources: Source?
        let sharedRoom: String

        init(_ figures: ModelFigures, in judgement: Judgement) {
            model = figures.model
            servedAtOnce = figures.servedAtOnce
            speeds = Dictionary(
                uniqueKeysWithValues: Judge.loads.map { ($0.description, Speed(figures, $0, in: judgement)) })
            servedWithoutStall = figures.servedWithoutStall
            servedBesideStall = figures.servedBesideStall
            rateBesideStall = figures.rateBesideStall
            residentBytesPerClient = figures.bytesPerClient
            idleThreads = figures.threads.idle
            servingThreads = figures.threads.serving
            servedWithThreads = figures.servedWithThreads
            systemCallsPerMessage = figures.systemCallsPerMessage
            ownSources = figures.ownSources.map(Source.init)
            sharedSources = figures.sharedSources.map(Source.init)
            sharedRoom = figures.sharedRoom
        }
    }

    private struct Speed: Encodable {
        let rounds: Int
        let answersPerSecond, answersBesideReference: Double?
        let processorSecondsPerAnswer, processorTimeBesideReference: Double?
        let answersBesideReferenceByRound: Quartiles

        init(_ figures: ModelFigures, _ load: JudgedLoad, in judgement: Judgement) {
            let speed = figures.speeds[load] ?? JudgedSpeed()
            rounds = speed.slices.count
            answersPerSecond = speed.rate
            answersBesideReference = judgement.rateRatio(of: figures, under: load)
            processorSecondsPerAnswer = speed.cost
            processorTimeBesideReference = judgement.costRatio(of: figures, under: load)
            answersBesideReferenceByRound = Quartiles(OrderedSample(speed.ratios))
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

    private struct Source: Encodable {
        let codeLines, states: Int

        init(_ measure: SourceMeasure) {
            codeLines = measure.codeLines
            states = measure.states
        }
    }
}
