import Foundation
import Measurements
import Reporting
import Testing

@testable import uvbench

/// Tests that run `uvbench compare` as a process.
@Suite(.serialized, .timeLimit(.minutes(3))) struct CompareTests {
    private func run(_ arguments: [String], environment: [String: String] = [:]) throws -> Program.Finished {
        try Program.uvbench.run(["compare"] + arguments, environment: environment)
    }

    private static let short = ["--starts", "1", "--blocks", "2", "--requests", "30", "--time", "1s"]

    /// Expects exit code 0 or 3, because a busy machine can make any result inconclusive.
    private func expectMeasured(_ finished: Program.Finished) {
        #expect(finished.status == 0 || finished.status == 3, "\(finished.errors)")
    }

    @Test func theVerdictIsASentenceAboveTheNumbers() throws {
        let finished = try run(["epoll", "libuv"] + Self.short)
        expectMeasured(finished)
        let sentence = try #require(finished.output.split(separator: "\n").first)
        #expect(sentence.hasPrefix("libuv p99 is "))
        #expect(sentence.contains("95% interval, 2 paired blocks x 30 requests at 2000/s Poisson, 1 start: undecided"))
        for text in ["floor", "epoll again (A/A)", "ratio to the reference", "wire time", "seed 1"] {
            #expect(finished.output.contains(text), "\(text)")
        }
        #expect(
            finished.errors.hasPrefix(
                "comparing libuv with epoll: one; 1 starts, 2 blocks per load, seed 1; about"))
        #expect(!finished.errors.contains("\r"))
    }

    @Test func theEnvironmentDoesNotConfigureTheServers() throws {
        // With any of these variables, a server would not start, or would serve no client.
        let environment = [
            "UVSERVER_ADMIN": "192.0.2.1:1", "UVSERVER_IDLE_TIMEOUT": "1ms", "UVSERVER_PROXY_PROTOCOL": "127.0.0.0/8",
            "UVSERVER_MODEL": "none",
        ]
        expectMeasured(try run(["epoll", "libuv"] + Self.short, environment: environment))
    }

    @Test func theJSONIsAReportAndCanBeABaseline() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "compare-\(UUID().uuidString).json").path
        defer { try? FileManager.default.removeItem(atPath: file) }
        let finished = try run(["epoll", "epoll", "--json"] + Self.short)
        expectMeasured(finished)
        let report = try ComparisonReport(json: finished.output)
        #expect(report.loads[0].comparisons.map(\.candidate) == ["epoll #2"])
        #expect(report.origin.command.hasPrefix("uvbench compare epoll epoll --json"))
        #expect(report.origin.tool.hasPrefix("uvbench "))
        #expect(report.environment.contains { $0.name == "uvserver" && $0.value.contains("libuv") })
        #expect(report.lanes.count == 2)
        try finished.output.write(toFile: file, atomically: true, encoding: .utf8)
        let again = try run(["epoll", "epoll", "--baseline", file] + Self.short)
        expectMeasured(again)
        #expect(again.output.contains("The machine may differ between two runs"))
    }

    @Test func thePageAndMarkdownAreWritten() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "compare-\(UUID().uuidString).html").path
        defer { try? FileManager.default.removeItem(atPath: file) }
        let finished = try run(["epoll", "libuv", "poll", "--markdown", "--html", file] + Self.short)
        expectMeasured(finished)
        #expect(finished.output.contains("| row / column | epoll | libuv | poll |"))
        #expect(try String(contentsOfFile: file, encoding: .utf8).hasPrefix("<!doctype html>"))
    }

    @Test(arguments: [
        [], ["epoll"], ["epoll", "libvu"], ["epoll", "x=nowhere"], ["epoll", "libuv", "--loads", "some"],
        ["epoll", "libuv", "--starts", "0"], ["epoll", "libuv", "--rate", "0"],
        ["epoll", "libuv", "--percentile", "100"],
        ["epoll", "libuv", "--json", "--markdown"], ["epoll", "libuv", "--rates", "1,x"],
        ["epoll", "libuv", "--processors", "0"], ["epoll", "libuv", "--require", "better"],
        ["epoll", "libuv", "--clock", "wall"], ["epoll", "libuv", "--margin", "-1"],
    ])
    func misuseIsExitCodeTwo(_ arguments: [String]) throws {
        let finished = try run(arguments)
        finished.expectFailure(2)
    }

    @Test func anInvalidBaselineFailsBeforeMeasuring() throws {
        let finished = try run(["epoll", "libuv", "--baseline", "/dev/null"])
        #expect(finished.status == 1)
        #expect(finished.errors.hasPrefix("uvbench: cannot use /dev/null as a baseline: "))
    }

    @Test(arguments: [
        (RequiredVerdict.faster, Verdict.faster, true), (.faster, .equivalent, false), (.faster, .slower, false),
        (.equivalent, .equivalent, true), (.equivalent, .faster, false), (.notSlower, .faster, true),
        (.notSlower, .equivalent, true), (.notSlower, .slower, false),
    ])
    func aVerdictMeetsARequirement(_ required: RequiredVerdict, _ verdict: Verdict, _ isMet: Bool) {
        #expect(required.isMet(by: verdict) == isMet)
        #expect(required.isMet(by: .undecided) == nil)
    }

    @Test(arguments: [("plain", "plain"), ("a b", "'a b'"), ("it's", "'it'\\''s'"), ("", "''")])
    func wordsAreQuotedForAShell(_ word: String, _ quoted: String) { #expect(ShellWord.quoted(word) == quoted) }
}
