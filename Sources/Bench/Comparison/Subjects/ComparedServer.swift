internal import SocketAddresses
internal import SystemCalls

/// A server in a comparison: a child process, or one that already runs.
final class ComparedServer {
    /// Its name in the report.
    let name: String
    /// Where it listens.
    let address: SocketAddress
    /// Its process; `nil` if it already ran.
    let processIdentifier: Int32?

    private var child: ChildProcess?

    /// Starts a server on a free port of the loopback address, and waits until it listens.
    ///
    /// - Parameters:
    ///   - program: the file of the program: `uvserver` for a model, `uvbench` for the floor.
    ///   - processor: the processor that it runs on; `nil` for any.
    init(_ specification: ServerSpecification, program: String, processor: Int?) throws(ComparisonError) {
        name = specification.name
        switch specification.source {
        case .address(let address):
            self.address = address
            processIdentifier = nil
        case .model(let model):
            var child = try ComparedServer.start(program, ModelProcess.arguments(for: model), on: processor, name)
            address = try ModelProcess.readAddress(from: &child, name)
            processIdentifier = child.processIdentifier
            self.child = consume child
        case .floor:
            var child = try ComparedServer.start(program, ["floor", "--port", "0"], on: processor, name)
            address = try ModelProcess.readAddress(from: &child, name)
            processIdentifier = child.processIdentifier
            self.child = consume child
        case .command(let command):
            let port = try ComparedServer.freePort(for: name)
            let words = command.split(separator: "{port}", omittingEmptySubsequences: false).joined(
                separator: "\(port)")
            // The server's further output is discarded, because a full pipe would block it.
            let child = try ComparedServer.start("/bin/sh", ["-c", "exec \(words) >/dev/null"], on: processor, name)
            address = .loopback(port: port)
            processIdentifier = child.processIdentifier
            self.child = consume child
            try waitUntilItListens(command)
        }
    }

    private static func start(
        _ program: String, _ arguments: [String], on processor: Int?, _ name: String
    ) throws(ComparisonError) -> ChildProcess {
        guard let processor else { return try ModelProcess.start(program, arguments, ownsGroup: true, name) }
        // A child inherits the affinity.
        guard let before = try? ProcessorAffinity.current(), (try? ProcessorAffinity.pin(to: processor)) != nil else {
            throw ComparisonError("cannot run \(name) on processor \(processor)")
        }
        defer { try? ProcessorAffinity.allow(before) }
        return try ModelProcess.start(program, arguments, ownsGroup: true, name)
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
                throw ComparisonError("\(name) exited at once (\(ended)): \(command)")
            }
            PosixThread.sleep(.milliseconds(10))
        }
        throw ComparisonError("\(name) did not listen on \(address) within ten seconds: \(command)")
    }

    /// The processor time of the server so far; `nil` if it is not a child.
    var processorTime: Duration? {
        processIdentifier.flatMap { try? ProcessUsage.processorTime(of: $0) }
    }

    /// The kernel's counters of the server's process; `nil` if it is not a child.
    var figures: ProcessUsage? { processIdentifier.flatMap { try? ProcessUsage(of: $0) } }

    /// Stops the server, and waits for its exit.
    ///
    /// A server that has not exited after two seconds is killed.
    func stop() {
        guard child != nil else { return }
        child?.terminate()
        _ = try? child?.wait(timeout: .seconds(2))
        child = nil
    }
}
