import Foundation
import SocketAddresses
import SystemCalls
import Testing

/// Tests of servers whose log or standard output is not read.
extension ProgramTests {
    /// A server whose standard error is a `StuckReader`.
    private final class Stuck {
        private var child: ChildProcess
        let address: SocketAddress
        let admin: SocketAddress

        init(_ log: StuckReader, _ arguments: String) throws {
            let admin = try SocketAddress(parsing: "127.0.0.1:\(Self.freePort())")
            var child = try ChildProcess(
                "/bin/bash",
                [
                    "-c",
                    """
                    exec 2>&\(log.writer) \(log.writer)>&-
                    exec "$0" serve --port 0 --admin \(admin) \(arguments)
                    """, ProgramTests.program.path,
                ])
            let line = try #require(try child.readLine(timeout: .seconds(20)))
            let match = try #require(line.wholeMatch(of: /listening on (\S+) \((\S+)\)/), "\(line)")
            address = try SocketAddress(parsing: String(match.1))
            self.admin = admin
            self.child = child
        }

        static func freePort() throws -> UInt16 {
            try ListeningSocket(address: .loopback(port: 0), backlog: 1, isNonBlocking: true).localAddress.port
        }

        /// Sends one SIGTERM, and expects exit code 0.
        func stop() throws {
            child.terminate()
            #expect(try child.wait(timeout: .seconds(20)) == .code(0))
        }
    }

    private func connect(_ address: SocketAddress) throws -> StreamSocket {
        let client = try StreamSocket.connect(to: address, timeout: .seconds(20))
        try client.setReceiveTimeout(.seconds(20))
        return client
    }

    /// Receives until the end of the stream, or until `count` bytes have arrived.
    private func receive(_ client: borrowing StreamSocket, atMost count: Int = .max) throws -> String {
        var received: [UInt8] = []
        var buffer = ReusableBuffer(capacity: 4096)
        while received.count < count {
            let result = try buffer.fill { output throws(SystemCallError) in try client.receive(into: &output) }
            guard case .bytes = result else { break }
            received += buffer.withBytes { span in span.indices.map { span[$0] } }
        }
        return String(decoding: received, as: UTF8.self)
    }

    private func get(_ path: String, from address: SocketAddress) throws -> String {
        let client = try connect(address)
        _ = try client.sendAll(Array("GET \(path) HTTP/1.0\r\n\r\n".utf8).span)
        return try receive(client)
    }

    private func droppedCount(_ server: Stuck) throws -> Int {
        let metrics = try get("/metrics", from: server.admin)
        return try Int(#require(metrics.firstMatch(of: /\nuvserver_log_lines_dropped_total (\d+)\n/)).1) ?? -1
    }

    /// Waits until the server has dropped at least `count` lines.
    private func awaitDroppedLines(_ count: Int, of server: Stuck) throws {
        let deadline = ContinuousClock.now + .seconds(20)
        while try droppedCount(server) < count { try #require(ContinuousClock.now < deadline) }
    }

    /// Connects clients that send nothing, and waits until the server has closed and logged them all.
    private func connectSilentClients(_ count: Int, _ address: SocketAddress) throws {
        let clients = try (0..<count).map { _ in try connect(address).release() }
        for number in clients { #expect(try receive(StreamSocket(adopting: number)) == "*") }
    }

    /// Silent clients cause a line each, and no process reads the lines.
    @Test(arguments: ["libuv", "epoll", "threads", "async"], StuckReader.Kind.allCases)
    func aStuckReaderOfTheLogStopsNothing(_ model: String, _ kind: StuckReader.Kind) throws {
        let log = try StuckReader(kind)
        let server = try Stuck(log, "--model \(model) --idle-timeout 200ms")
        try connectSilentClients(24, server.address)
        let client = try connect(server.address)
        _ = try client.sendAll(Array("^abc$".utf8).span)
        #expect(try receive(client, atMost: 4) == "*bcd")
        #expect(try get("/healthz", from: server.admin).hasSuffix("\r\n\r\nok\n"))
        #expect(try receive(client).isEmpty)
        try awaitDroppedLines(25, of: server)
        try server.stop()
        #expect(log.isBlocking)
    }

    /// When the pipe is read again, the next line follows the number of lines that are missing.
    @Test(arguments: StuckReader.Kind.allCases, ["text", "json"])
    func theNextLineReportsTheDroppedLines(_ kind: StuckReader.Kind, _ format: String) throws {
        let log = try StuckReader(kind)
        let server = try Stuck(log, "--idle-timeout 200ms --log-format \(format)")
        try connectSilentClients(8, server.address)
        // The first line contains the address of the administration.
        let dropped = 9
        try awaitDroppedLines(dropped, of: server)
        log.readAll()
        try connectSilentClients(1, server.address)
        let text = try log.text { $0.hasSuffix("\n") && $0.contains("closed a connection") }
        // A terminal can deliver some of the bytes that filled it later.
        let lines = text.split(separator: "\n").suffix(2).map { $0.drop { $0 == "." } }
        #expect(lines.first?.contains("\(dropped) earlier lines were dropped") == true, "\(text)")
        #expect(lines.last?.contains("closed a connection") == true, "\(text)")
        if format == "json" {
            for line in lines {
                #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: Data(line.utf8)) }
            }
        }
        #expect(try droppedCount(server) == dropped)
        try server.stop()
    }

    @Test func theExitReportsTheDroppedLines() throws {
        let log = try StuckReader(.pipe)
        let server = try Stuck(log, "--model epoll --log-level warning --max-connections 1")
        let first = try connect(server.address)
        #expect(try receive(first, atMost: 1) == "*")
        #expect(try receive(connect(server.address)).isEmpty)
        try awaitDroppedLines(1, of: server)
        log.readAll()
        try server.stop()
        #expect(log.readAll().contains(" warning uvserver: 1 earlier lines were dropped dropped=1\n"))
        #expect(first.rawValue >= 0)
    }

    /// The line on standard output is dropped too, and the log says so.
    @Test(arguments: ["libuv", "epoll", "threads"], StuckReader.Kind.allCases)
    func aStuckReaderOfStandardOutputStopsNothing(_ model: String, _ kind: StuckReader.Kind) throws {
        let (output, log) = (try StuckReader(kind), try StuckReader(.pipe, isFull: false))
        let port = try Stuck.freePort()
        var server = try ChildProcess(
            "/bin/bash",
            [
                "-c",
                """
                exec >&\(output.writer) 2>&\(log.writer) \(output.writer)>&- \(log.writer)>&-
                exec "$0" serve --model \(model) --port \(port)
                """, Self.program.path,
            ])
        let text = try log.text { $0.hasSuffix("\n") }
        #expect(text.contains(" warning uvserver: cannot write to standard output: "), "\(text)")
        #expect(text.contains("listening on 127.0.0.1:\(port) (\(model))"))
        #expect(try run("health", "127.0.0.1:\(port)").status == 0)
        server.terminate()
        #expect(try server.wait(timeout: .seconds(20)) == .code(0))
        #expect(output.isBlocking && log.isBlocking)
    }

    @Test(arguments: StuckReader.Kind.allCases) func anErrorEndsTheProgramAlthoughNobodyReadsIt(
        _ kind: StuckReader.Kind
    ) throws {
        let log = try StuckReader(kind)
        var program = try ChildProcess(
            "/bin/bash", ["-c", "exec \"$0\" serve --port x 2>&\(log.writer) \(log.writer)>&-", Self.program.path])
        #expect(try program.wait(timeout: .seconds(20)) == .code(64))
    }

    /// A write to a pipe of at most 4096 bytes does not mix with another program's line.
    @Test func aLongErrorLineIsCutInTheMiddle() throws {
        let long = String(repeating: "ä", count: 30_000)
        let misuse = try run("serve", "--model", long)
        #expect(misuse.status == 64)
        let (process, output, errors) = try start(["serve"], environment: ["UVSERVER_HOST": long])
        let variable = try finish(process, output, errors)
        #expect(variable.status == 1)
        for finished in [misuse, variable] {
            #expect(finished.errors.utf8.count <= 4096 && finished.errors.utf8.count > 4000)
            #expect(finished.errors.contains(/ä\[\d+ bytes cut\]/))
            #expect(finished.errors.hasPrefix("uvserver: "))
            #expect(finished.errors.firstIndex(of: "\n") == finished.errors.indices.last)
            #expect(!finished.errors.contains("\u{FFFD}"))
        }
        #expect(misuse.errors.hasSuffix("(see 'uvserver --help')\n"))
        #expect(variable.errors.hasSuffix("; set another value, or unset it\n"))
    }
}
