internal import SocketAddresses
internal import SystemCalls

/// A server while it is compared: a child process, or one that runs anyway.
final class ComparedServer {
    /// What it is called.
    let name: String
    /// Where it listens.
    let address: SocketAddress
    /// Its process, where it is a child.
    let processIdentifier: Int32?

    private var child: ChildProcess?

    /// Starts a server on a free port of the loopback address, and waits until it listens.
    ///
    /// - Parameters:
    ///   - program: the file of this program, which serves the models.
    ///   - processor: the processor that it runs on; `nil` for any.
    init(_ specification: ServerSpecification, program: String, processor: Int?) throws(ComparisonError) {
        name = specification.name
        switch specification.source {
        case .address(let address):
            self.address = address
            processIdentifier = nil
        case .model(let model):
            let options = ["serve", "--model", model, "--port", "0", "--log-level", "critical"]
            var child = try ComparedServer.start(program, options, on: processor, name)
            address = try ComparedServer.readAddress(from: &child, name)
            processIdentifier = child.processIdentifier
            self.child = consume child
        case .null:
            var child = try ComparedServer.start(program, ["null", "--port", "0"], on: processor, name)
            address = try ComparedServer.readAddress(from: &child, name)
            processIdentifier = child.processIdentifier
            self.child = consume child
        case .command(let command):
            let port = try ComparedServer.freePort(for: name)
            let words = command.split(separator: "{port}", omittingEmptySubsequences: false).joined(
                separator: "\(port)")
            // What the server says is not heard: it must not wait for a reader.
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
        do throws(SystemCallError) {
            guard let processor else { return try ChildProcess(program, arguments, ownsGroup: true) }
            // A child begins where its parent is.
            let before = try ProcessorAffinity.current()
            try ProcessorAffinity.pin(to: processor)
            defer { try? ProcessorAffinity.allow(before) }
            return try ChildProcess(program, arguments, ownsGroup: true)
        } catch { throw ComparisonError("\(name) cannot be started (\(error))") }
    }

    private static func readAddress(
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

    private static func freePort(for name: String) throws(ComparisonError) -> UInt16 {
        do throws(SystemCallError) {
            return try ListeningSocket(address: .loopback(port: 0), backlog: 1, isNonBlocking: true).localAddress.port
        } catch { throw ComparisonError("no port is free for \(name) (\(error))") }
    }

    private func waitUntilItListens(_ command: String) throws(ComparisonError) {
        let deadline = ContinuousClock.now.advanced(by: .seconds(10))
        while ContinuousClock.now < deadline {
            if (try? StreamSocket.connect(to: address, timeout: .seconds(1)).rawValue) != nil { return }
            if let ended = try? child?.wait(timeout: .zero) {
                throw ComparisonError("\(name) ended at once (\(ended)): \(command)")
            }
            PosixThread.nap(.milliseconds(10))
        }
        throw ComparisonError("\(name) did not listen on \(address) within ten seconds: \(command)")
    }

    /// How long the server has run on processors; `nil` where it is no child.
    var processorTime: Duration? {
        processIdentifier.flatMap { try? ProcessFigures.processorTime(of: $0) }
    }

    /// What the kernel counts of it; `nil` where it is no child.
    var figures: ProcessFigures? { processIdentifier.flatMap { try? ProcessFigures(of: $0) } }

    /// Tells the server to end, and waits for it; one that does not end is killed.
    func stop() {
        guard child != nil else { return }
        child?.terminate()
        _ = try? child?.wait(timeout: .seconds(2))
        child = nil
    }
}
