import Foundation
import SocketAddresses
import SystemCalls
import Testing

/// Hides `/proc` from a program, in a mount namespace.
private enum WithoutProc {
    /// Whether this user can make a mount namespace and hide `/proc` in it.
    static let isPossible = start("/bin/true", []).flatMap { try? $0.finish().status } == 0

    /// Starts a program without `/proc`.
    ///
    /// A user other than root needs a user namespace.
    static func start(_ file: String, _ arguments: [String]) -> Program.Running? {
        let options = getuid() == 0 ? ["--mount"] : ["--map-root-user", "--mount"]
        let command = "mount -t tmpfs none /proc && exec \"$0\" \"$@\""
        return try? Program(file: URL(fileURLWithPath: "/usr/bin/unshare"))
            .start(options + ["/bin/sh", "-c", command, file] + arguments)
    }
}

/// Runs both programs where `/proc` is not mounted, as in a bare root directory.
@Suite(
    .serialized, .timeLimit(.minutes(2)),
    .enabled(if: WithoutProc.isPossible, "this user may not hide /proc (unshare --mount)"),
    .disabled(if: isSanitized, "a sanitizer reads its options through /proc"))
struct WithoutProcTests {
    private func run(_ program: Program, _ arguments: [String]) throws -> Program.Finished {
        try #require(WithoutProc.start(program.file.path, arguments)).finish()
    }

    @Test(arguments: ["sequential", "epoll", "thread-pool", "libuv", "async"])
    func aServerServesAndItsHealthIsChecked(_ model: String) throws {
        let server = try #require(
            WithoutProc.start(
                Program.uvserver.file.path,
                ["serve", "--port", "0", "--model", model, "--admin", "127.0.0.1:0", "--log-level", "error"]))
        let line = try server.readLine(from: server.output)
        let address = try #require(line.wholeMatch(of: /listening on (\S+) \(\S+\)\n/), "\(line)").1
        #expect(try run(.uvserver, ["health", String(address)]).status == 0)
        #expect(try run(.uvserver, ["client", "--pause", "1ms", "127.0.0.1", port(address)]).status == 0)
        let load = try run(.uvbench, ["load", "127.0.0.1", port(address), "-c", "1", "--count", "9", "--warm-up", "0"])
        #expect(load.status == 0 || load.status == 3, "\(load.errors)")
        server.process.terminate()
        #expect(try server.finish().status == 0)
        let down = try run(.uvserver, ["health", String(address)])
        #expect(down.status == 1)
        #expect(down.errors.contains("Connection refused"))
    }

    private func port(_ address: Substring) -> String { String(address.split(separator: ":").last ?? "") }

    @Test func aMissingFileIsNamed() throws {
        let compare = try run(.uvbench, ["compare", "epoll", "libuv"])
        compare.expectFailure(1)
        #expect(compare.errors.contains("/proc/self/exe") && compare.errors.contains("mount /proc"))
    }
}

/// The arguments of the programs, wherever they run.
@Suite(.timeLimit(.minutes(1))) struct ProgramArgumentTests {
    @Test func theArgumentsAreThoseOfTheProcess() {
        #expect(!ProgramArguments.all.isEmpty)
        #expect(ProgramArguments.all == CommandLine.arguments)
        #expect(ProgramArguments.afterName == Array(CommandLine.arguments.dropFirst()))
    }

    @Test func withoutACommandTheProgramsFailAndPrintTheHelp() throws {
        for (program, name, status) in [(Program.uvserver, "uvserver", Int32(64)), (.uvbench, "uvbench", 2)] {
            let finished = try program.run([])
            #expect(finished.status == status)
            #expect(finished.output.isEmpty)
            #expect(finished.errors.hasPrefix("\(name): a command is missing\n\nOVERVIEW: "))
            #expect(try program.run(["--help"]).status == 0)
        }
    }
}
