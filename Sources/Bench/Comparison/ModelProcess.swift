internal import SocketAddresses
internal import SystemCalls

/// How a server of this program becomes a process: what it is told, and where it says that it listens.
enum ModelProcess {
    /// The arguments that serve a model on a free port of the loopback address, and nothing else.
    static func arguments(for model: String) -> [String] {
        ["serve", "--model", model, "--host", "127.0.0.1", "--port", "0", "--log-level", "critical"]
    }

    /// Starts the program.
    ///
    /// The options that the environment gives are for whoever started this program, and no child's: two servers
    /// with limits, or at one port, are not what is compared.
    ///
    /// - Parameter name: what the server is called where it cannot be started.
    static func start(
        _ program: String, _ arguments: [String], ownsGroup: Bool = false, _ name: String
    ) throws(ComparisonError) -> ChildProcess {
        do throws(SystemCallError) {
            return try ChildProcess(program, arguments, ownsGroup: ownsGroup, withoutVariables: "UVSERVER_")
        } catch { throw ComparisonError("\(name) cannot be started (\(error))") }
    }

    /// Reads the one line that a server prints, and takes the address from it.
    ///
    /// - Throws: where it prints something else, or nothing for ten seconds.
    static func readAddress(
        from child: inout ChildProcess, _ name: String
    ) throws(ComparisonError) -> SocketAddress {
        let line: String
        do throws(SystemCallError) { line = try child.readLine(timeout: .seconds(10)) ?? "nothing" } catch {
            throw ComparisonError("\(name) does not start (\(error))")
        }
        let words = line.split(separator: " ")
        if words.count >= 3, let address = try? SocketAddress(parsing: String(words[2])) { return address }
        throw ComparisonError("\(name) said '\(line)' instead of where it listens")
    }
}
