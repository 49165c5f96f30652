import Testing

@testable import Comparison

@Suite struct RankingTests {
    /// A model that serves everybody on one thread, as cheaply as the reference.
    private func figures(
        _ model: String, served: Int = 1100, beside: Int = 10, cost: Double? = 1, threads: Int = 1,
        calls: Double? = 4, bytes: Double? = 350
    ) -> ModelFigures {
        var figures = ModelFigures(model: model)
        figures.servedAtOnce = served
        figures.servedBesideStall = beside
        figures.speeds[.clients(1000), default: JudgedSpeed()].slices = [.init(rate: 1, cost: cost)]
        figures.threads = (1, threads)
        figures.servedWithThreads = min(1000, served)
        figures.systemCallsPerMessage = calls
        figures.bytesPerClient = bytes
        return figures
    }

    @Test func countsDecideBeforeTimes() {
        let ranking = Ranking.scalability(of: [
            figures("few and fast", served: 32, cost: 0.1), figures("slow", cost: 2.9),
            figures("held up", beside: 0, cost: 0.1), figures("a call less", calls: 3),
        ])
        #expect(ranking.line == "1. a call less  2. slow  3. held up  4. few and fast")
    }

    @Test func eachCriterionDecidesAmongWhatTheOnesBeforeLeaveEqual() {
        let ranking = Ranking.scalability(of: [
            figures("one client", served: 1, beside: 0), figures("threads", cost: 1.7, threads: 1001, calls: 2),
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
        // Times within three times, calls by a few hundredths, bytes within three times.
        let ranking = Ranking.scalability(of: [
            figures("b", cost: 2.6, calls: 4.02, bytes: 500), figures("a", cost: 0.9, calls: 3.99, bytes: 200),
            figures("c", cost: 2.6, calls: 3.01),
        ])
        #expect(ranking.line == "1. c  2. b = a")
    }

    @Test func aPlaceCountsWhoIsBefore() {
        let ranking = Ranking.scalability(of: ["a", "b", "c"].map { figures($0) } + [figures("d", served: 1)])
        #expect(ranking.line == "1. a = b = c  4. d")
    }

    @Test func whatIsNotKnownIsTheWorst() {
        let ranking = Ranking.scalability(of: [figures("untimed", cost: nil), figures("timed", cost: 50)])
        #expect(ranking.line == "1. timed  2. untimed")
        // Where system calls cannot be counted, they decide nothing.
        #expect(Ranking.scalability(of: [figures("a", calls: nil), figures("b", calls: nil)]).line == "1. a = b")
        #expect(Ranking.scalability(of: []).places.isEmpty)
    }

    @Test func theBestRoundCounts() {
        var disturbed = figures("disturbed", cost: nil)
        disturbed.speeds[.clients(1000)]?.slices = [
            .init(rate: 5, cost: 90), .init(rate: 100, cost: 80), .init(rate: 50, cost: 1), .init(rate: 0, cost: nil),
        ]
        #expect(Ranking.scalability(of: [figures("a"), disturbed]).line == "1. a = disturbed")
    }

    @Test func easeIsFewerLines() {
        func written(_ model: String, _ own: Int, _ shared: Int) -> ModelFigures {
            var figures = ModelFigures(model: model)
            figures.ownSources = SourceMeasure(codeLines: own)
            figures.sharedSources = SourceMeasure(codeLines: shared)
            return figures
        }
        // One in twenty more is as easy; more is not, and the next place begins there.
        let ranking = Ranking.ease(of: [
            written("long", 60, 340), written("a", 10, 190), written("b", 9, 200), written("c", 10, 200),
        ])
        #expect(ranking.line == "1. a = b  3. c  4. long")
    }

    @Test func threadsCountForThoseWhoAreServed() {
        var figures = ModelFigures(model: "pool")
        figures.threads = (33, 33)
        figures.servedWithThreads = 32
        #expect(figures.threadsPerClient == 0)
        figures.threads = (1, 501)
        figures.servedWithThreads = 500
        #expect(figures.threadsPerClient == 1)
    }
}
