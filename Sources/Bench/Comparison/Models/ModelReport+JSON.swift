internal import Measurements
public import Reporting

extension ModelReport {
    /// Returns the measurements as indented JSON.
    ///
    /// The names of the keys state the units.
    public func json() throws(ReportError) -> String {
        let document: JSONObject = [
            "date": date, "machine": machine, "version": version, "reference": reference,
            "crowd": ModelBenchmark.crowd, "busyClients": ModelBenchmark.busyClients,
            "scalability": scalability.places, "ease": ease.places, "models": figures.map(document),
        ]
        return try JSONFormat.text(of: document, isIndented: true) + "\n"
    }

    private func document(_ figures: ModelFigures) -> JSONObject {
        let speeds = ModelBenchmark.loads.map { ($0.description, document(figures, under: $0)) }
        return [
            "model": figures.model, "servedAtOnce": figures.servedAtOnce,
            "speeds": Dictionary(uniqueKeysWithValues: speeds), "servedAlone": figures.servedAlone,
            "servedWithStalledClient": figures.servedWithStall, "rateWithStalledClient": figures.rateWithStall,
            "residentBytesPerClient": figures.bytesPerClient, "idleThreads": figures.threads.idle,
            "servingThreads": figures.threads.serving, "servedWithThreads": figures.servedWithThreads,
            "systemCallsPerMessage": figures.systemCallsPerMessage, "codeLines": figures.sources?.codeLines,
            "states": figures.sources?.states,
        ]
    }

    private func document(_ figures: ModelFigures, under load: BenchmarkLoad) -> JSONObject {
        let speed = figures.speeds[load] ?? ModelSpeed()
        let ratios = OrderedSample(speed.ratios)
        return [
            "rounds": speed.slices.count, "repliesPerSecond": speed.rate,
            "relativeReplies": ratio(of: \.rate, figures, under: load), "processorSecondsPerReply": speed.cost,
            "relativeProcessorTime": ratio(of: \.cost, figures, under: load),
            "relativeRepliesByRound": [
                "median": ratios.median, "lowerQuartile": ratios.quantile(0.25), "upperQuartile": ratios.quantile(0.75),
            ] as JSONObject,
        ]
    }
}
