import Foundation
import Servers
import SocketAddresses
import SystemCalls
import Testing

/// Tests that run `uvserver` as a child process.
@Suite(.timeLimit(.minutes(2))) struct ProgramTests {
    /// The output and the exit code of a finished process.
    struct Finished {
        let status: Int32
        let output: String
        let errors: String
    }

    /// The program `uvserver`, in the directory of the tests' own executable.
    static let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent().appending(path: "uvserver")

    func start(_ arguments: [String], environment: [String: String] = [:]) throws -> (Process, Pipe, Pipe) {
        let process = Process()
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let (output, errors) = (Pipe(), Pipe())
        process.executableURL = Self.program
        process.arguments = arguments
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        return (process, output, errors)
    }

    func run(_ arguments: String...) throws -> Finished {
        let (process, output, errors) = try start(arguments)
        return try finish(process, output, errors)
    }

    func finish(
        _ process: Process, _ output: Pipe, _ errors: Pipe, by reason: Process.TerminationReason = .exit
    ) throws -> Finished {
        let outputBytes = try output.fileHandleForReading.readToEnd() ?? Data()
        let errorBytes = try errors.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        #expect(process.terminationReason == reason)
        return Finished(
            status: process.terminationStatus, output: String(decoding: outputBytes, as: UTF8.self),
            errors: String(decoding: errorBytes, as: UTF8.self))
    }

    /// Starts a server, and reads its address from the line that it prints.
    func serve(_ arguments: String...) throws -> (Process, Pipe, Pipe, SocketAddress) {
        let (process, output, errors) = try start(["serve", "--port", "0"] + arguments)
        return (process, output, errors, try listeningAddress(output))
    }

    /// Reads the line that a server prints, and returns the address in it.
    func listeningAddress(_ output: Pipe) throws -> SocketAddress {
        var line = ""
        while !line.hasSuffix("\n"), let byte = try output.fileHandleForReading.read(upToCount: 1), !byte.isEmpty {
            line += String(decoding: byte, as: UTF8.self)
        }
        let match = try #require(line.wholeMatch(of: /listening on (\S+) \((\S+)\)\n/), "\(line)")
        return try SocketAddress(parsing: String(match.1))
    }

    static let models = ServerModels.available.map(\.name)

    @Test(arguments: models, [SIGTERM, SIGINT]) func aSignalStopsCleanly(_ model: String, _ signal: Int32) throws {
        let (process, output, errors, _) = try serve("--model", model)
        kill(process.processIdentifier, signal)
        let finished = try finish(process, output, errors)
        #expect(finished.status == 0)
        #expect(finished.output.isEmpty)
        #expect(finished.errors.contains("stopped: 0 connections served, 0 rejected; 0 bytes received, 0 sent"))
    }

    @Test(arguments: models) func aSignalInterruptsTheWaitForAClient(_ model: String) throws {
        let (process, output, errors, address) = try serve("--model", model, "--drain-timeout", "60m")
        let client = try StreamSocket.connect(to: address, timeout: .seconds(5))
        try client.setReceiveTimeout(.seconds(20))
        var buffer = ReusableBuffer(capacity: 1)
        let greeting = try buffer.fill { output throws(SystemCallError) in try client.receive(into: &output) }
        #expect(greeting == .bytes(1))
        // The server waits for this client. The drain timeout is so long that only the signal can end the wait.
        kill(process.processIdentifier, SIGTERM)
        let end = try buffer.fill { output throws(SystemCallError) in try client.receive(into: &output) }
        #expect(end == .end)
        #expect(try finish(process, output, errors).status == 0)
    }

    @Test(arguments: models) func aSecondSignalStopsAtOnce(_ model: String) throws {
        let (process, output, errors, address) = try serve("--model", model, "--drain-timeout", "60m")
        // The client does not read, so its buffered replies delay the drain.
        let client = try StreamSocket.connect(to: address, timeout: .seconds(5))
        try client.setSendTimeout(.milliseconds(300))
        let block = [UInt8](repeating: 0x61, count: 1 << 20)
        _ = try client.sendAll([0x5E].span)
        while try client.sendAll(block.span) == block.count {}
        kill(process.processIdentifier, SIGTERM)
        // When the server accepts no more clients, it has handled the first signal.
        while (try? StreamSocket.connect(to: address, timeout: .seconds(1)).rawValue) != nil {}
        #expect(process.isRunning)
        kill(process.processIdentifier, SIGTERM)
        #expect(try finish(process, output, errors).status == 0)
        #expect(client.rawValue >= 0)
    }

    @Test(arguments: models) func theClientsReceiveEveryReply(_ model: String) throws {
        let (process, output, errors, address) = try serve("--model", model)
        let clients = try run(
            "client", "-n", "3", "--pause", "20ms", "--timeline", "--ascii", "127.0.0.1", "\(address.port)")
        #expect(clients.status == 0, "\(clients.errors)")
        #expect(clients.output.components(separatedBy: "connected...").count == 4)
        #expect(clients.output.contains("elapsed: "))
        #expect(clients.output.contains(". waiting   # served"))
        kill(process.processIdentifier, SIGTERM)
        let finished = try finish(process, output, errors)
        #expect(
            finished.errors.contains("stopped: 3 connections served, 0 rejected; 108 bytes received, 57 sent"))
    }

    @Test func aPortInUseIsReportedInOneLine() throws {
        let listener = try ListeningSocket(address: .loopback(port: 0), backlog: 1, isNonBlocking: false)
        let port = try listener.localAddress.port
        for model in Self.models {
            let finished = try run("serve", "--model", model, "--port", "\(port)")
            #expect(finished.status == 1)
            #expect(finished.errors.contains("cannot listen on 127.0.0.1:\(port): "))
            #expect(finished.errors.contains("--port"))
            #expect(finished.errors.split(separator: "\n").count == 1)
        }
        #expect(listener.rawValue >= 0)
    }

    @Test func aForeignAddressIsReportedInOneLine() throws {
        for model in Self.models {
            let finished = try run("serve", "--model", model, "--host", "192.0.2.1", "--port", "0")
            #expect(finished.status == 1)
            #expect(finished.errors.contains("cannot listen on 192.0.2.1:0"))
            #expect(finished.errors.split(separator: "\n").count == 1)
        }
    }

    @Test(arguments: [
        ["serve", "--model", "libvu"], ["serve", "--port", "65536"], ["serve", "--port", "x"],
        ["serve", "--backlog", "0"],
        ["serve", "--host", "1.2.3"], ["serve", "--max-connections", "0"], ["serve", "--max-buffered-bytes", "1"],
        ["serve", "--threads", "0"], ["serve", "--queue", "-1"], ["serve", "--loops", "0"],
        ["serve", "--drain-timeout", "soon"], ["serve", "--log-level", "loud"], ["client", "-n", "0"],
        ["client", "127.0.0.1", "0"], ["client", "nowhere", "1"], ["frobnicate"], ["compare", "libuv", "epoll"],
        ["models", "--judge"],
    ])
    func misuseIsReportedInOneLineWithExitCode64(_ arguments: [String]) throws {
        let (process, output, errors) = try start(arguments)
        let finished = try finish(process, output, errors)
        #expect(finished.status == 64)
        #expect(finished.output.isEmpty)
        #expect(finished.errors.split(separator: "\n").count == 1, "\(finished.errors)")
        #expect(finished.errors.hasPrefix("uvserver: "))
    }

    @Test func theErrorSuggestsTheNearestModel() throws {
        #expect(try run("serve", "--model", "libvu").errors.contains("did you mean 'libuv'?"))
        #expect(try run("serve", "--model", "epol").errors.contains("did you mean 'epoll'?"))
    }

    @Test func modelsAreListedOnePerLine() throws {
        let lines = try run("models").output.split(separator: "\n")
        #expect(lines.compactMap { $0.split(separator: " ").first.map(String.init) } == Self.models)
    }

    @Test func everyOptionHasHelp() throws {
        for command in ["serve", "client", "health", "models"] {
            let finished = try run(command, "--help")
            #expect(finished.status == 0)
            #expect(finished.output.contains("OVERVIEW: "))
        }
    }

    @Test func aClientWithoutAServerFails() throws {
        let address = try ListeningSocket(address: .loopback(port: 0), backlog: 1, isNonBlocking: false).localAddress
        let finished = try run("client", "-n", "1", "127.0.0.1", "\(address.port)")
        #expect(finished.status == 1)
        #expect(finished.errors.contains("conn0: connect: Connection refused"))
    }
}
