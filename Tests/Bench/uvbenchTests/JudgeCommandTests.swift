import Foundation
import SystemCalls
import Testing

/// Tests that run `uvbench judge` with few models.
///
/// The command runs as a process of its own, because it needs many descriptors.
@Suite(.serialized, .timeLimit(.minutes(3))) struct JudgeCommandTests {
    private struct Report: Decodable {
        let reference: String
        let scalability: [Place]
        let ease: [Place]
        let models: [Figures]
    }

    private struct Place: Decodable { let models: [String] }

    private struct Figures: Decodable {
        let model: String
        let servedAtOnce: Int
        let servedAlone: Int
        let servedWithStalledClient: Int
        let idleThreads: Int
        let servingThreads: Int
        let residentBytesPerClient: Double?
        let systemCallsPerMessage: Double?
        let speeds: [String: Speed]
        let codeLines: Int
        let states: Int
    }

    private struct Speed: Decodable {
        let rounds: Int
        let repliesPerSecond: Double
        let relativeReplies: Double
    }

    private static let directory = FileManager.default.temporaryDirectory.appending(path: "judge-\(getpid())")
    private static let sources = URL(filePath: #filePath).deletingLastPathComponent().appending(
        path: "../../../Sources")

    private func start(_ arguments: [String]) throws -> Program.Running {
        try Program.uvbench.start(["judge"] + arguments)
    }

    @Test(.enabled(if: !isSanitized, "a sanitizer adds memory and a thread"))
    func theFiguresMatchTheModels() throws {
        try FileManager.default.createDirectory(at: Self.directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: Self.directory) }
        let json = Self.directory.appending(path: "judgement.json")
        let markdown = Self.directory.appending(path: "judgement.md")
        let names = ["sequential", "threads", "thread-pool", "select"]
        let running = try start(
            names.flatMap { ["--only", $0] } + ["--rounds", "2", "--time", "20ms", "--sources", Self.sources.path]
                + ["--json", json.path, "--markdown", markdown.path])
        let finished = try running.finish()
        let (table, progress) = (finished.output, finished.errors)
        #expect(finished.status == 0, "\(progress)")
        // Each of the five models takes two steps. Each of the four loads runs in two rounds, and takes one step per
        // round.
        #expect(progress.split(separator: "\n").count == 2 * 5 + 4 * 2)
        #expect(progress.hasPrefix("judging, step 1 of 18: sequential, counts\n"))
        for name in names + ["libuv"] { #expect(table.contains("\n\(name) ")) }
        #expect(table.contains("\nranking by scalability: 1. "))
        #expect(try String(contentsOf: markdown, encoding: .utf8).contains("\n| libuv | 1100 | "))

        let report = try JSONDecoder().decode(Report.self, from: try Data(contentsOf: json))
        #expect(report.reference == "libuv")
        #expect(report.models.map(\.model) == names + ["libuv"])
        #expect(report.scalability.map(\.models).last == ["sequential"])
        // The sequential model has the fewest lines, because it serves one client after the other. The model `threads`
        // may share its rank.
        #expect(report.ease.first?.models.first == "sequential")
        try check(report.models)
    }

    private func check(_ models: [Figures]) throws {
        #expect(models.filter { $0.model != "select" }.map(\.servedAtOnce) == [1, 1100, 32, 1100])
        let named = Dictionary(uniqueKeysWithValues: models.map { ($0.model, $0) })
        #expect((900..<1024).contains(try #require(named["select"]?.servedAtOnce)))
        #expect(models.map(\.servedWithStalledClient) == [0, 10, 10, 10, 10])
        #expect(models.map(\.servedAlone) == [1, 10, 10, 10, 10])
        #expect(models.map(\.idleThreads) == [1, 1, 33, 1, 1])
        #expect(models.map(\.servingThreads) == [1, 1001, 33, 1, 1])
        // For each client, `threads` needs a stack, and `libuv` needs only a handle.
        let stack = try #require(named["threads"]?.residentBytesPerClient)
        let handle = try #require(named["libuv"]?.residentBytesPerClient)
        #expect(stack > 4096)
        #expect(handle < 1024)
        for figures in models {
            #expect(
                Set(figures.speeds.keys) == [
                    "1 client", "100 clients", "1000 clients", "a connection for each request",
                ])
            #expect(figures.speeds.values.allSatisfy { $0.rounds == 2 && $0.repliesPerSecond > 0 }, "\(figures.model)")
            #expect(figures.codeLines > 100 && figures.states > 5)
            if let calls = figures.systemCallsPerMessage { #expect((1.9...4.2).contains(calls), "\(figures.model)") }
        }
        #expect(named["libuv"]?.speeds["1 client"]?.relativeReplies == 1)
    }

    @Test func aSignalStopsTheJudge() throws {
        let running = try start([])
        _ = try running.readLine(from: running.errors)
        kill(running.process.processIdentifier, SIGTERM)
        let finished = try running.finish()
        #expect(finished.status == 1)
        #expect(finished.errors.hasSuffix("uvbench: stopped by a signal before the models were ranked\n"))
        #expect(finished.output.isEmpty)
    }

    @Test(arguments: [["--only", "libvu"], ["--rounds", "0"], ["--time", "0"]])
    func misuseIsExitCodeTwo(_ arguments: [String]) throws { try start(arguments).finish().expectFailure(2) }

    @Test func aFileThatCannotBeWrittenIsReportedFirst() throws {
        let finished = try start(["--json", "/nowhere/judgement.json"]).finish()
        finished.expectFailure(1)
        #expect(finished.errors.hasPrefix("uvbench: cannot write /nowhere/judgement.json: "))
    }
}
