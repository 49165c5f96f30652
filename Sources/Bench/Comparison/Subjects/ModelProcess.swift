internal import SocketAddresses
internal import SystemCalls

/// Starts a server as a child process, and reads its address.
enum ModelProcess {
    /// The arguments that serve a model on a free port of the loopback address.
    static func arguments(for model: String) -> [String] {
        ["serve", "--model", model, "--host", "127.0.0.1", "--port", "0", "--log-level", "critical"]
    }

    /// Starts the program.
    ///
    /// The child does not inherit options from the environment (`UVSERVER_*`): limits, or one port for all servers, would
    /// spoil a comparison.
    ///
    /// - Parameter name: what an error calls the server.
    static func start(
        _ program: String, _ arguments: [String], ownsGroup: Bool = false, _ name: String
    ) throws(ComparisonError) -> ChildProcess {
        do throws(SystemCallError) {
            return try ChildProcess(program, arguments, ownsGroup: ownsGroup, withoutVariables: "UVSERVER_")
        } catch { throw ComparisonError("cannot start \(name) (\(error))") }
    }

    /// Reads the address from the one line that a server prints.
    ///
    /// - Throws: if it prints something else, or nothing for ten seconds.
    static func readAddress(
        from child: inout ChildProcess, _ name: String
    ) throws(ComparisonError) -> SocketAddress {
        let line: String
        do throws(SystemCallError) { line = try child.readLine(timeout: .seconds(10)) ?? "nothing" } catch {
            throw ComparisonError("\(name) does not start (\(error))")
        }
        let words = line.split(separator: " ")
        if words.count >= 3, let address = try? SocketAddress(parsing: String(words[2])) { return address }
        throw ComparisonError("\(name) printed '\(line)' instead of the address where it listens")
    }
}
