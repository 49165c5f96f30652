import Testing

@testable import Comparison

@Suite struct RankingTests {
    /// Creates the measurements of a model.
    ///
    /// By default, the model serves every client on one thread, at the same cost as the reference.
    ///
    /// - Parameter cost: the processor time per reply with 1000 clients, as a multiple of the time with 100 clients.
    private func figures(
        _ model: String, served: Int = 1100, stalled: Int = 10, cost: Double? = 1, threads: Int = 1,
        calls: Double? = 4, bytes: Double? = 350
    ) -> ModelFigures {
        var figures = ModelFigures(model: model)
        figures.servedAtOnce = served
        figures.servedWithStall = stalled
        figures.speeds[.clients(1000), default: ModelSpeed()].slices = [
            .init(rate: 1, processorSeconds: cost ?? 0, replyCount: cost == nil ? 0 : 1)
        ]
        figures.speeds[.clients(100), default: ModelSpeed()].slices = [
            .init(rate: 1, processorSeconds: 1, replyCount: 1)
        ]
        figures.threads = (1, threads)
        figures.servedWithThreads = min(1000, served)
        figures.systemCallsPerMessage = calls
        figures.bytesPerClient = bytes
        return figures
    }

    @Test func countsDecideBeforeTimes() {
        let ranking = Ranking.scalability(of: [
            figures("few and fast", served: 32, cost: 0.1), figures("slow", cost: 2.9),
            figures("held up", stalled: 0, cost: 0.1), figures("a call less", calls: 3),
        ])
        #expect(ranking.line == "1. a call less  2. slow  3. held up  4. few and fast")
    }

    @Test func eachCriterionDecidesOnlyTiesOfTheCriteriaBefore() {
        let ranking = Ranking.scalability(of: [
            figures("one client", served: 1, stalled: 0), figures("threads", cost: 1.7, threads: 1001, calls: 2),
            figures("slow", cost: 3.9, calls: 3, bytes: 20), figures("plain"),
            figures("lean", cost: 0.9, calls: 3, bytes: 5), figures("eager", calls: 3),
        ])
        #expect(
            ranking.places == [
                .init(number: 1, models: ["lean"]), .init(number: 2, models: ["eager"]),
                .init(number: 3, models: ["plain"]), .init(number: 4, models: ["threads"]),
                .init(number: 5, models: ["slow"]), .init(number: 6, models: ["one client"]),
            ])
    }

    @Test func noiseMakesNoDifference() {
        // The times of all models differ by a factor of less than 1.8. The bytes of `a` and `b` differ by a factor of
        // less than 3, and their system calls per message differ by 0.03.
        let ranking = Ranking.scalability(of: [
            figures("b", cost: 1.3, calls: 4.02, bytes: 500), figures("a", cost: 0.9, calls: 3.99, bytes: 200),
            figures("c", cost: 1.3, calls: 3.01),
        ])
        #expect(ranking.line == "1. c  2. b = a")
    }

    @Test func aRankCountsTheModelsAhead() {
        let ranking = Ranking.scalability(of: ["a", "b", "c"].map { figures($0) } + [figures("d", served: 1)])
        #expect(ranking.line == "1. a = b = c  4. d")
    }

    @Test func anUnknownFigureIsTheWorst() {
        let ranking = Ranking.scalability(of: [figures("untimed", cost: nil), figures("timed", cost: 50)])
        #expect(ranking.line == "1. timed  2. untimed")
        // If the system calls could not be counted, they do not affect the ranking.
        #expect(Ranking.scalability(of: [figures("a", calls: nil), figures("b", calls: nil)]).line == "1. a = b")
        #expect(Ranking.scalability(of: []).places.isEmpty)
    }

    @Test func theCostIsThatOfAllRounds() {
        var uneven = figures("uneven", cost: nil)
        uneven.speeds[.clients(1000)]?.slices = [
            .init(rate: 5, processorSeconds: 90, replyCount: 10), .init(rate: 100, processorSeconds: 0, replyCount: 80),
            .init(rate: 50, processorSeconds: 0, replyCount: 0),
        ]
        #expect(uneven.speeds[.clients(1000)]?.cost == 1)
        #expect(Ranking.scalability(of: [figures("a"), uneven]).line == "1. a = uneven")
    }

    @Test func easeIsFewerLines() {
        func written(_ model: String, _ lines: Int) -> ModelFigures {
            var figures = ModelFigures(model: model)
            figures.sources = SourceMeasure(codeLines: lines)
            return figures
        }
        // A model shares a rank if its line count exceeds that of the rank's first model by less than 5 %.
        let ranking = Ranking.ease(of: [written("long", 400), written("a", 200), written("b", 209), written("c", 210)])
        #expect(ranking.line == "1. a = b  3. c  4. long")
    }

    @Test func threadsAreCountedPerServedClient() {
        var figures = ModelFigures(model: "pool")
        figures.threads = (33, 33)
        figures.servedWithThreads = 32
        #expect(figures.threadsPerClient == 0)
        figures.threads = (1, 501)
        figures.servedWithThreads = 500
        #expect(figures.threadsPerClient == 1)
    }
}
