import FoundationEssentials
import SystemCalls
import Terminal

/// The program `uvserver`, which serves the models that are measured.
struct ServerProgram {
    /// The path of the program.
    let path: String

    /// Finds the program.
    ///
    /// The program is at the given path or, by default, in the directory of this program or in `PATH`.
    ///
    /// - Throws: `ProgramFailure` if there is no executable file.
    init(given: String?) throws {
        let own = try ServerProgram.own()
        try self.init(
            given: given, in: String(own[..<(own.lastIndex(of: "/") ?? own.endIndex)]),
            searchPath: ProcessInfo.processInfo.environment["PATH"] ?? "", isExecutable: ServerProgram.isExecutable)
    }

    init(given: String?, in directory: String, searchPath: String, isExecutable: (String) -> Bool) throws {
        if let given {
            guard isExecutable(given) else {
                throw ProgramFailure(
                    message: "--uvserver \(given) is not an executable file; give the path of uvserver")
            }
            path = given
            return
        }
        let directories = [directory] + searchPath.split(separator: ":").map(String.init)
        guard let found = directories.map({ "\($0)/uvserver" }).first(where: isExecutable) else {
            throw ProgramFailure(
                message: """
                    cannot find uvserver, which serves the models: it is neither in \(directory) nor in PATH; build it \
                    with 'swift build --product uvserver', or give its path with --uvserver
                    """)
        }
        path = found
    }

    /// Returns the path of this program.
    static func own() throws -> String {
        do { return try TextFile.destination(ofLink: "/proc/self/exe") } catch {
            throw ProgramFailure(
                message: "cannot find this program's own file through /proc/self/exe (\(error)); mount /proc")
        }
    }

    /// Runs the program with `--version` and returns the printed version.
    ///
    /// - Throws: `ProgramFailure` if the output is not a version of uvserver, or if there is no output within five
    ///   seconds.
    func version() throws -> String {
        let line: String
        do throws(SystemCallError) {
            var child = try ChildProcess(path, ["--version"], withoutVariables: "UVSERVER_")
            line = try child.readLine(timeout: .seconds(5)) ?? ""
        } catch { throw ProgramFailure(message: "cannot run \(path): \(error); give another --uvserver") }
        guard line.contains("(libuv ") else {
            throw ProgramFailure(
                message: "\(path) is not uvserver: --version printed '\(line)'; give another --uvserver")
        }
        return line
    }

    private static func isExecutable(_ path: String) -> Bool {
        // A directory that the process may enter counts as executable, but is not a program.
        FileManager.default.isExecutableFile(atPath: path) && (try? TextFile.names(in: path)) == nil
    }
}
