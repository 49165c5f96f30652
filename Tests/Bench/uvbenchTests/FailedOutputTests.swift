import Foundation
import SystemCalls
import Testing

/// Tests of output of `uvbench` that cannot be written, and of control characters in error lines.
@Suite(.serialized, .timeLimit(.minutes(3))) struct FailedOutputTests {
    /// Runs `uvbench` in a shell, and returns the exit code and the bytes on its standard error.
    private func run(_ command: String) throws -> (status: Int32, errors: String) {
        let process = Process()
        let errors = Pipe()
        process.executableURL = URL(filePath: "/bin/bash")
        process.arguments = ["-c", "exec \"$0\" \(command)", Program.uvbench.file.path]
        process.standardError = errors
        try process.run()
        let bytes = try errors.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        #expect(process.terminationReason == .exit)
        return (process.terminationStatus, try #require(String(validating: bytes, as: UTF8.self)))
    }

    private func expectReport(_ command: String) throws {
        let finished = try run("\(command) >/dev/full")
        #expect(finished.status == 1, "\(command)")
        #expect(
            finished.errors.hasSuffix("uvbench: cannot write to standard output: No space left on device\n"),
            "\(command): \(finished.errors)")
    }

    @Test(arguments: [
        "--help", "--version", "compare --help", "load --help", "judge --help", "report --help", "floor --help",
        "machine --help", "machine --size 16 --time 1ms", "floor --port 0", "--generate-completion-script zsh",
    ])
    func aFullDiskIsReported(_ command: String) throws { try expectReport(command) }

    @Test func aReportThatCannotBeWrittenIsAnError() throws {
        let saved = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appending(path: "../../../docs/sample/report.json").standardized.path
        try expectReport("report \(saved)")
    }

    @Test(arguments: ["", "--json", "--csv"]) func aLoadThatCannotBeWrittenIsAnError(_ option: String) throws {
        let floor = try Program.uvbench.start(["floor", "--port", "0"])
        let line = try floor.readLine(from: floor.output)
        let port = try #require(line.firstMatch(of: /:(\d+)\s/), "\(line)").1
        try expectReport("load --warm-up 0s --count 20 \(option) 127.0.0.1 \(port)")
        kill(floor.process.processIdentifier, SIGTERM)
        #expect(try floor.finish().status == 0)
    }

    @Test(arguments: ["", "--json", "--markdown"])
    func aComparisonThatCannotBeWrittenIsAnError(_ option: String) throws {
        try expectReport("compare epoll libuv --starts 1 --blocks 2 --requests 30 --time 1s \(option)")
    }

    @Test func aJudgementThatCannotBeWrittenIsAnErrorAfterItsFilesAreWritten() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "judge-\(UUID().uuidString).json").path
        defer { try? FileManager.default.removeItem(atPath: file) }
        try expectReport("judge --only epoll --rounds 1 --time 1ms --json \(file)")
        let json = try Data(contentsOf: URL(filePath: file))
        #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: json) }
    }

    @Test(
        arguments: [
            "load --rate VALUE", "load --rate=VALUE", "load VALUE 1", "compare VALUE epoll",
            "compare epoll libuv --loads VALUE", "report VALUE", "judge --only VALUE", "floor --host VALUE", "VALUE",
            "compare epoll libuv --baseline VALUE", "compare epoll libuv --uvserver VALUE",
        ], [#"$'1\n2'"#, #"$'\e[2J\x07'"#, #"$'a\x7fb'"#, #"$'\xff\xfe\x80'"#, #"$'\xc2\x9b31m'"#])
    func controlCharactersAreEscaped(_ command: String, _ value: String) throws {
        let finished = try run(command.replacing("VALUE", with: value))
        #expect(finished.status == 1 || finished.status == 2)
        #expect(finished.errors.hasPrefix("uvbench: ") && finished.errors.hasSuffix("\n"))
        let controls = finished.errors.dropLast().unicodeScalars.filter { $0.properties.generalCategory == .control }
        #expect(controls.isEmpty, "\(finished.errors.debugDescription)")
        if value.contains("1\\n2") { #expect(finished.errors.contains("1\\n2"), "\(finished.errors)") }
    }
}
