import Foundation
import Testing

@testable import Comparison

@Suite struct ModelReportTests {
    private var report: ModelReport {
        var libuv = ModelFigures(model: "libuv")
        libuv.servedAtOnce = 1100
        for load in ModelBenchmark.loads { libuv.speeds[load] = speed([1000, 3000, 2000], ratios: [1, 1, 1]) }
        libuv.servedAlone = 10
        libuv.servedWithStall = 10
        libuv.rateWithStall = 0.987
        libuv.bytesPerClient = 350.4
        libuv.threads = (1, 1)
        libuv.servedWithThreads = 1000
        libuv.systemCallsPerMessage = 3.995
        libuv.sources = SourceMeasure(codeLines: 365, states: 12)
        var other = ModelFigures(model: "other")
        other.servedAtOnce = 1
        other.servedAlone = 1
        other.threads = (1, 33)
        for load in ModelBenchmark.loads { other.speeds[load] = speed([100, 300, 200], ratios: [0.1, 0.1, 0.125]) }
        return ModelReport(
            [other, libuv], reference: "libuv", version: "uvserver 1", date: "2026-01-31 12:00:00", machine: "2 × none")
    }

    private func speed(_ rates: [Double], ratios: [Double]) -> ModelSpeed {
        var speed = ModelSpeed()
        speed.slices = rates.map { .init(rate: $0, processorSeconds: 1, replyCount: Int($0)) }
        speed.ratios = ratios
        return speed
    }

    @Test func aRoundIsRelativeToTheReference() {
        var speed = ModelSpeed()
        func slice(_ rate: Double, _ seconds: Double = 0, _ replies: Int = 0) -> ModelSpeed.Slice {
            .init(rate: rate, processorSeconds: seconds, replyCount: replies)
        }
        speed.append(slice(10), relativeTo: slice(20))
        speed.append(slice(30, 4, 1), relativeTo: slice(0))
        speed.append(slice(20, 0, 1), relativeTo: slice(10))
        #expect(speed.ratios == [0.5, 2])
        #expect(speed.rate == 30)
        #expect(speed.cost == 2)
        #expect(ModelSpeed().rate == nil && ModelSpeed().cost == nil)
    }

    @Test func theMainTableHasSixColumns() {
        let (head, rows) = report.table(report.mainColumns)
        #expect(head == ["model", "served", "replies/s", "bytes/client", "calls", "lines"])
        #expect(rows == [["other", "1", "0.10", "–", "–", "–"], ["libuv", "1100", "1.00", "350", "4.00", "365"]])
    }

    @Test func theOtherTableHasTheOtherFigures() {
        let (head, rows) = report.table(report.furtherColumns)
        #expect(head == ["model", "1 client", "100", "connect", "CPU", "stalled", "threads", "states"])
        #expect(
            rows == [
                ["other", "0.10", "0.10", "0.10", "10.00", "0 of 1", "1 → 33", "–"],
                ["libuv", "1.00", "1.00", "1.00", "1.00", "10 of 10, × 0.99", "1 → 1", "12"],
            ])
    }

    @Test func everyColumnIsExplained() {
        let lines = report.lines()
        for column in report.mainColumns + report.furtherColumns {
            #expect(lines.contains { $0.hasPrefix("\(column.title): ") && !column.meaning.isEmpty })
        }
    }

    @Test func theLinesEndWithTheRankingsAndTheirRules() {
        let lines = report.lines()
        #expect(lines.contains("ranking by scalability: 1. libuv  2. other"))
        // A model whose sources cannot be found has no rank.
        #expect(lines.contains("ranking by ease: 1. libuv"))
        #expect(lines.contains { $0.hasPrefix("replies per second of libuv: 3000 with 1 client, ") })
        #expect(lines.suffix(2) == Ranking.rules[...])
    }

    @Test func theMarkdownIsATableWithDateAndMachine() throws {
        let lines = report.markdown().split(separator: "\n")
        #expect(lines[0].hasPrefix("| model | served |"))
        for line in lines[0...3] { #expect(line.count { $0 == "|" } == 7) }
        #expect(lines[3].hasPrefix("| libuv | 1100 |"))
        #expect(lines[4] == "- ranking by scalability: 1. libuv  2. other")
        #expect(lines[5].hasPrefix("- ranking by ease: "))
        #expect(lines.contains { $0.hasPrefix("- *lines*: ") })
        #expect(lines.last?.hasSuffix("2026-01-31 12:00:00, 2 × none; uvserver 1") == true)
    }

    @Test func theJSONHoldsEverything() throws {
        let json = try #require(try JSONSerialization.jsonObject(with: Data(report.json().utf8)) as? [String: Any])
        #expect(json["date"] as? String == "2026-01-31 12:00:00")
        #expect(json["machine"] as? String == "2 × none")
        let models = try #require(json["models"] as? [[String: Any]])
        #expect(models.map { $0["model"] as? String } == ["other", "libuv"])
        let speeds = try #require(models[1]["speeds"] as? [String: [String: Any]])
        #expect(speeds["1000 clients"]?["repliesPerSecond"] as? Double == 3000)
        #expect(speeds["1000 clients"]?["relativeReplies"] as? Double == 1)
        #expect((speeds["1000 clients"]?["relativeRepliesByRound"] as? [String: Double])?["median"] == 1)
        #expect(models[1]["codeLines"] as? Int == 365)
        #expect(models[1]["states"] as? Int == 12)
        #expect(models[0]["codeLines"] == nil)
        let places = try #require(json["scalability"] as? [[String: Any]])
        #expect(places.map { $0["place"] as? Int } == [1, 2])
    }

    @Test func theMachineIsDescribed() {
        let report = ModelReport([], reference: "libuv", version: "1")
        #expect(report.machine.contains("Linux"))
        #expect(report.date.wholeMatch(of: /\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/) != nil)
        #expect(report.table(report.mainColumns).rows.isEmpty)
    }
}
