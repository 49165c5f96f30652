import Foundation
import Terminal
import Testing

@testable import uvbench

/// Tests of the search for `uvserver`.
@Suite struct ServerProgramTests {
    private func find(given: String? = nil, existing: Set<String>) throws -> String {
        try ServerProgram(given: given, in: "/opt/bench", searchPath: "/bin:/usr/bin") { existing.contains($0) }
            .path
    }

    private func failure(given: String? = nil) throws -> String {
        try #require(#expect(throws: ProgramFailure.self) { try find(given: given, existing: []) }).message
    }

    @Test func theDirectoryOfThisProgramComesFirst() throws {
        #expect(try find(existing: ["/opt/bench/uvserver", "/bin/uvserver"]) == "/opt/bench/uvserver")
    }

    @Test func thePathIsSearchedInItsOrder() throws {
        #expect(try find(existing: ["/usr/bin/uvserver"]) == "/usr/bin/uvserver")
        #expect(try find(existing: ["/usr/bin/uvserver", "/bin/uvserver"]) == "/bin/uvserver")
    }

    @Test func aGivenFileTakesPrecedence() throws {
        #expect(try find(given: "/mine", existing: ["/opt/bench/uvserver", "/mine"]) == "/mine")
    }

    @Test func aMissingProgramNamesThePlacesAndWhatToDo() throws {
        let message = try failure()
        for text in ["neither in /opt/bench nor in PATH", "swift build --product uvserver", "--uvserver"] {
            #expect(message.contains(text), "\(message)")
        }
        #expect(try failure(given: "/mine").hasPrefix("--uvserver /mine is not an executable file"))
    }

    @Test func aDirectoryIsNotAProgram() throws {
        let finished = try Program.uvbench.run(["compare", "epoll", "libuv", "--uvserver", "/tmp"])
        finished.expectFailure(1)
        #expect(finished.errors.contains("--uvserver /tmp is not an executable file"))
    }

    @Test func aCopyElsewhereFindsTheProgramInThePath() throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "uvbench-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let copy = Program(file: directory.appending(path: "uvbench"))
        try Program.install(Program.uvbench.file, at: copy.file)
        let missing = try copy.run(["compare", "epoll", "libuv"], environment: ["PATH": "/nowhere"])
        missing.expectFailure(1)
        #expect(missing.errors.contains("neither in \(directory.path) nor in PATH"))
        let path = Program.uvserver.file.deletingLastPathComponent().path
        let found = try copy.run(
            ["compare", "epoll", "libuv", "--starts", "1", "--blocks", "2", "--requests", "30", "--time", "1s"],
            environment: ["PATH": "/nowhere:\(path)"])
        #expect(found.status == 0 || found.status == 3, "\(found.errors)")
        #expect(found.output.contains("uvserver 0."))
    }

    @Test func theVersionIsWhatTheProgramPrints() throws {
        #expect(try ServerProgram(given: Program.uvserver.file.path).version().contains("(libuv "))
        let silent = try ServerProgram(given: "/bin/true")
        #expect(throws: ProgramFailure.self) { try silent.version() }
    }
}
