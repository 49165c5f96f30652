import Foundation
import Testing

@testable import Comparison

@Suite struct JudgementTests {
    private var judgement: Judgement {
        var libuv = ModelFigures(model: "libuv")
        libuv.servedAtOnce = 1100
        for load in Judge.loads { libuv.speeds[load] = speed([1000, 3000, 2000], beside: [1, 1, 1]) }
        libuv.servedWithoutStall = 10
        libuv.servedBesideStall = 10
        libuv.rateBesideStall = 0.987
        libuv.bytesPerClient = 350.4
        libuv.threads = (1, 1)
        libuv.servedWithThreads = 1000
        libuv.systemCallsPerMessage = 3.995
        libuv.ownSources = SourceMeasure(codeLines: 6, states: 0)
        libuv.sharedSources = SourceMeasure(codeLines: 365, states: 12)
        libuv.sharedRoom = "Loops"
        var other = ModelFigures(model: "other")
        other.servedAtOnce = 1
        other.servedWithoutStall = 1
        other.threads = (1, 33)
        for load in Judge.loads { other.speeds[load] = speed([100, 300, 240], beside: [0.1, 0.1, 0.125]) }
        return Judgement(
            [other, libuv], reference: "libuv", version: "uvserver 1", date: "2026-01-31 12:00:00", machine: "2 × none")
    }

    private func speed(_ rates: [Double], beside ratios: [Double]) -> JudgedSpeed {
        var speed = JudgedSpeed()
        speed.slices = rates.map { .init(rate: $0, cost: 1 / $0) }
        speed.ratios = ratios
        return speed
    }

    @Test func aRoundIsToldBesideTheReferences() {
        var speed = JudgedSpeed()
        speed.append(.init(rate: 10, cost: nil), beside: .init(rate: 20, cost: 1))
        speed.append(.init(rate: 30, cost: 2), beside: .init(rate: 0, cost: nil))
        speed.append(.init(rate: 20, cost: 3), beside: .init(rate: 10, cost: 1))
        #expect(speed.ratios == [0.5, 2])
        #expect(speed.rate == 30)
        #expect(speed.cost == 2)
        #expect(JudgedSpeed().rate == nil && JudgedSpeed().cost == nil)
    }

    @Test func theTableHasARowForEachModel() {
        let rows = judgement.rows()
        #expect(rows.map(\.count) == [judgement.head.count, judgement.head.count])
        #expect(
            rows[0] == [
                "other", "1", "0.10", "0.10", "0.10", "0.10", "10.00", "0 of 1", "–", "1 → 33", "–", "–", "–", "–",
            ])
        #expect(
            rows[1] == [
                "libuv", "1100", "1.00", "1.00", "1.00", "1.00", "1.00", "10 of 10, × 0.99", "350", "1 → 1", "4.00",
                "6", "365 Loops", "12",
            ])
    }

    @Test func theLinesEndWithTheRankingsAndTheirRules() {
        let lines = judgement.lines()
        #expect(lines.contains("ranking by scalability: 1. libuv  2. other"))
        // A model whose sources are not at hand has no place.
        #expect(lines.contains("ranking by ease: 1. libuv"))
        #expect(lines.contains { $0.hasPrefix("libuv itself, answers per second: 3000 with 1 client, ") })
        #expect(lines.suffix(2) == Ranking.rules[...])
    }

    @Test func theMarkdownIsATableWithDateAndMachine() {
        let lines = judgement.markdown().split(separator: "\n")
        #expect(lines[0] == "2026-01-31 12:00:00, 2 × none; uvserver 1.")
        #expect(lines[1].hasPrefix("| model | served |"))
        for line in lines[1...4] { #expect(line.count { $0 == "|" } == judgement.head.count + 1) }
        #expect(lines[4].hasPrefix("| libuv | 1100 |"))
    }

    @Test func theJSONHoldsEverything() throws {
        let json = try #require(
            try JSONSerialization.jsonObject(with: Data(judgement.json().utf8)) as? [String: Any])
        #expect(json["date"] as? String == "2026-01-31 12:00:00")
        #expect(json["machine"] as? String == "2 × none")
        let models = try #require(json["models"] as? [[String: Any]])
        #expect(models.map { $0["model"] as? String } == ["other", "libuv"])
        let speeds = try #require(models[1]["speeds"] as? [String: [String: Any]])
        #expect(speeds["1000 clients"]?["answersPerSecond"] as? Double == 3000)
        #expect(speeds["1000 clients"]?["answersBesideReference"] as? Double == 1)
        #expect((speeds["1000 clients"]?["answersBesideReferenceByRound"] as? [String: Double])?["median"] == 1)
        #expect((models[1]["ownSources"] as? [String: Int])?["codeLines"] == 6)
        #expect(models[0]["ownSources"] == nil)
        let places = try #require(json["scalability"] as? [[String: Any]])
        #expect(places.map { $0["place"] as? Int } == [1, 2])
    }

    @Test func theMachineIsDescribed() {
        let judgement = Judgement([], reference: "libuv", version: "1")
        #expect(judgement.machine.contains("Linux"))
        #expect(judgement.date.wholeMatch(of: /\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/) != nil)
        #expect(judgement.rows().isEmpty)
    }
}
