internal import Measurements
internal import Reporting

extension Judgement {
    /// The figures as they were measured, in units that their names tell.
    public func json() -> String {
        JSONText.object([
            ("date", .text(date)), ("machine", .text(machine)), ("version", .text(version)),
            ("reference", .text(reference)),
            ("crowd", .number(Double(Judge.crowd))), ("busyClients", .number(Double(Judge.busyClients))),
            ("scalability", Judgement.json(scalability)), ("ease", Judgement.json(ease)),
            ("models", .array(figures.map(json))),
        ]).text + "\n"
    }

    private static func json(_ ranking: Ranking) -> JSONText {
        .array(
            ranking.places.map { place in
                .object([("place", .number(Double(place.number))), ("models", .array(place.models.map { .text($0) }))])
            })
    }

    private func json(_ figures: ModelFigures) -> JSONText {
        .object([
            ("model", .text(figures.model)),
            ("servedAtOnce", .number(Double(figures.servedAtOnce))),
            ("speeds", .object(Judge.loads.map { ($0.description, speed(of: figures, under: $0)) })),
            ("servedWithoutStall", .number(Double(figures.servedWithoutStall))),
            ("servedBesideStall", .number(Double(figures.servedBesideStall))),
            ("rateBesideStall", .number(figures.rateBesideStall)),
            ("residentBytesPerClient", .number(figures.bytesPerClient)),
            ("idleThreads", .number(Double(figures.threads.idle))),
            ("servingThreads", .number(Double(figures.threads.serving))),
            ("servedWithThreads", .number(Double(figures.servedWithThreads))),
            ("systemCallsPerMessage", .number(figures.systemCallsPerMessage)),
            ("ownSources", Judgement.json(figures.ownSources)),
            ("sharedSources", Judgement.json(figures.sharedSources)),
            ("sharedRoom", .text(figures.sharedRoom)),
        ])
    }

    private func speed(of figures: ModelFigures, under load: JudgedLoad) -> JSONText {
        let speed = figures.speeds[load] ?? JudgedSpeed()
        return .object([
            ("rounds", .number(Double(speed.slices.count))),
            ("answersPerSecond", .number(speed.rate)),
            ("answersBesideReference", .number(rateRatio(of: figures, under: load))),
            ("processorSecondsPerAnswer", .number(speed.cost)),
            ("processorTimeBesideReference", .number(costRatio(of: figures, under: load))),
            ("answersBesideReferenceByRound", Judgement.json(OrderedSample(speed.ratios))),
        ])
    }

    private static func json(_ sample: OrderedSample) -> JSONText {
        .object([
            ("median", .number(sample.median)), ("lowerQuartile", .number(sample.quantile(0.25))),
            ("upperQuartile", .number(sample.quantile(0.75))),
        ])
    }

    private static func json(_ measure: SourceMeasure?) -> JSONText {
        guard let measure else { return .number(nil) }
        return .object([
            ("codeLines", .number(Double(measure.codeLines))), ("states", .number(Double(measure.states))),
        ])
    }
}
