internal import SocketAddresses
internal import SystemCalls

/// A server under load: a child process, or a server that is already running.
///
/// When the last reference to a child process is released, the child and the processes that it started are killed.
final class ServerProcess {
    /// The server's name in the report and in errors.
    let name: String
    /// The address on which the server listens.
    let address: SocketAddress
    /// The identifier of the server's process; `nil` if the server is not a child process.
    let processIdentifier: Int32?

    private var child: ChildProcess?

    /// Starts a server on a free loopback port and waits until the server listens.
    ///
    /// - Parameters:
    ///   - program: the path of the program: `uvserver` for a model, `uvbench` for the floor.
    ///   - processor: the processor that the server runs on. With `nil`, it runs on any processor.
    /// - Throws: `ComparisonError` if the server cannot be started, or does not listen within ten seconds.
    init(_ specification: ServerSpecification, program: String, processor: Int? = nil) throws(ComparisonError) {
        name = specification.name
        var (file, arguments) = (program, ["floor", "--port", "0"])
        var port: UInt16?
        switch specification.source {
        case .address(let address):
            self.address = address
            processIdentifier = nil
            return
        case .floor: break
        case .model(let model):
            arguments = ["serve", "--model", model, "--host", "127.0.0.1", "--port", "0", "--log-level", "critical"]
        case .command(let command):
            let free = try ServerProcess.freePort(for: name)
            let words = command.split(separator: "{port}", omittingEmptySubsequences: false).joined(
                separator: "\(free)")
            // The server's standard output is discarded, because a full pipe would block the server.
            (file, arguments, port) = ("/bin/sh", ["-c", "exec \(words) >/dev/null"], free)
        }
        var child = try ServerProcess.start(file, arguments, on: processor, name)
        if let port {
            address = .loopback(port: port)
        } else {
            address = try ServerProcess.readAddress(from: &child, name)
        }
        processIdentifier = child.processIdentifier
        self.child = consume child
        if case .command(let command) = specification.source { try waitUntilItListens(command) }
    }

    /// Starts the program.
    ///
    /// The child does not inherit the environment variables that set options of the server (`UVSERVER_*`). Such a
    /// variable could set a limit, or the same port for all servers. Either would make the comparison useless.
    private static func start(
        _ program: String, _ arguments: [String], on processor: Int?, _ name: String
    ) throws(ComparisonError) -> ChildProcess {
        var before: [Int]?
        if let processor {
            // A child inherits the processor affinity, so this thread is pinned while it starts the child.
            before = try? ProcessorAffinity.current()
            guard before != nil, (try? ProcessorAffinity.pin(to: processor)) != nil else {
                throw ComparisonError("cannot run \(name) on processor \(processor)")
            }
        }
        defer { if let before { try? ProcessorAffinity.allow(before) } }
        do throws(SystemCallError) {
            return try ChildProcess(program, arguments, ownsGroup: true, withoutVariables: "UVSERVER_")
        } catch { throw ComparisonError("cannot start \(name) (\(error))") }
    }

    /// Reads the address from the line that a server prints when it listens.
    private static func readAddress(
        from child: inout ChildProcess, _ name: String
    ) throws(ComparisonError) -> SocketAddress {
        let line: String
        do throws(SystemCallError) { line = try child.readLine(timeout: .seconds(10)) ?? "nothing" } catch {
            throw ComparisonError("\(name) did not start (\(error))")
        }
        let words = line.split(separator: " ")
        if words.count >= 3, let address = try? SocketAddress(parsing: String(words[2])) { return address }
        throw ComparisonError("\(name) printed '\(line)' instead of its address")
    }

    private static func freePort(for name: String) throws(ComparisonError) -> UInt16 {
        do throws(SystemCallError) {
            return try ListeningSocket(address: .loopback(port: 0), backlog: 1, isNonBlocking: true).localAddress.port
        } catch { throw ComparisonError("cannot find a free port for \(name) (\(error))") }
    }

    private func waitUntilItListens(_ command: String) throws(ComparisonError) {
        let deadline = ContinuousClock.now.advanced(by: .seconds(10))
        while ContinuousClock.now < deadline {
            if (try? StreamSocket.connect(to: address, timeout: .seconds(1)).rawValue) != nil { return }
            if let ended = try? child?.wait(timeout: .zero) {
                throw ComparisonError("\(name) exited immediately (\(ended)): \(command)")
            }
            PosixThread.sleep(.milliseconds(10))
        }
        throw ComparisonError("\(name) did not listen on \(address) within ten seconds: \(command)")
    }

    /// The processor time that the server has used so far; `nil` if the server is not a child process.
    var processorTime: Duration? { processIdentifier.flatMap { try? ProcessUsage.processorTime(of: $0) } }

    /// The kernel's counters for the server's process; `nil` if the server is not a child process or has exited.
    var usage: ProcessUsage? { processIdentifier.flatMap { try? ProcessUsage(of: $0) } }

    /// Stops the server with SIGTERM and waits until the server exits.
    ///
    /// A drain can delay the exit.
    ///
    /// If the server has not exited after the timeout, the server is killed.
    ///
    /// - Throws: `ComparisonError` if the server did not exit before the timeout, or exited with a code other than 0.
    func stop(timeout: Duration) throws(ComparisonError) {
        guard child != nil else { return }
        defer { child = nil }
        child?.terminate()
        do throws(SystemCallError) {
            if try child?.wait(timeout: timeout) == .code(0) { return }
        } catch { throw ComparisonError("cannot wait for \(name) (\(error))") }
        throw ComparisonError("\(name) did not exit with code 0 after SIGTERM")
    }
}
