import Foundation
import SystemCalls
import Testing

/// Tests that run `uvbench` as a process; longer commands have their own suites.
@Suite(.serialized, .timeLimit(.minutes(1))) struct ProgramTests {
    @Test func everyCommandHasHelp() throws {
        for command in ["compare", "load", "judge", "report", "floor", "machine"] {
            let finished = try Program.uvbench.run([command, "--help"])
            #expect(finished.status == 0)
            #expect(finished.output.contains("OVERVIEW: "))
        }
    }

    @Test(arguments: [
        ["serve"], ["null"], ["bench", "protocol"], ["models", "--judge"], ["floor", "--port", "65536"],
        ["floor", "--busy", "2s"], ["machine", "--size", "0"], ["report"],
    ])
    func misuseIsExitCodeTwo(_ arguments: [String]) throws { try Program.uvbench.run(arguments).expectFailure(2) }

    @Test func theMachineIsMeasured() throws {
        let finished = try Program.uvbench.run(["machine", "--size", "16", "--time", "10ms"])
        #expect(finished.status == 0)
        #expect(finished.output.contains("message of 16 B"))
        #expect(finished.output.contains("dense delimiters"))
    }

    @Test func theFloorServesUntilASignal() throws {
        let floor = try Program.uvbench.start(["floor", "--port", "0"])
        let line = try floor.readLine(from: floor.output)
        let port = try #require(line.wholeMatch(of: /listening on 127\.0\.0\.1:(\d+) \(floor\)\n/), "\(line)").1
        #expect(try Program.uvserver.run(["health", "127.0.0.1:\(port)"]).status == 0)
        kill(floor.process.processIdentifier, SIGTERM)
        #expect(try floor.finish().status == 0)
    }

    @Test func aBusyWaitShorterThanTheClockCanTellIsRejected() throws {
        let finished = try Program.uvbench.run(["floor", "--port", "0", "--busy", "0.001us"])
        finished.expectFailure(1)
        #expect(finished.errors.contains("--busy must be at least"))
    }

    @Test func aSavedComparisonBecomesAPage() throws {
        let saved = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appending(path: "../../../docs/sample/report.json").standardized.path
        let finished = try Program.uvbench.run(["report", saved])
        #expect(finished.status == 0)
        #expect(finished.output.hasPrefix("<!doctype html>"))
        #expect(finished.output.hasSuffix("</html>\n"))
    }

    @Test func aFileThatIsNotAComparisonIsRejected() throws {
        let missing = try Program.uvbench.run(["report", "/nonexistent"])
        missing.expectFailure(1)
        #expect(missing.errors == "uvbench: /nonexistent: open: No such file or directory\n")
        let wrong = try Program.uvbench.run(["report", #filePath])
        wrong.expectFailure(1)
        #expect(wrong.errors == "uvbench: \(#filePath): not valid JSON\n")
    }
}
