import Foundation
import SocketAddresses
import SystemCalls
import Testing

/// Tests of the option `--admin`.
extension ProgramTests {
    /// Starts a server with `--admin`.
    ///
    /// Returns its address for clients and its address for the administration.
    private func serveAdministered(_ arguments: String...) throws -> (Process, Pipe, Pipe, SocketAddress, SocketAddress)
    {
        let (process, output, errors) = try start(["serve", "--port", "0", "--admin", "127.0.0.1:0"] + arguments)
        let address = try listeningAddress(output)
        var line = ""
        while !line.hasSuffix("/\n"), let byte = try errors.fileHandleForReading.read(upToCount: 1), !byte.isEmpty {
            line += String(decoding: byte, as: UTF8.self)
        }
        let match = try #require(line.firstMatch(of: /administration at http:\/\/(\S+)\/\n/), "\(line)")
        return (process, output, errors, address, try SocketAddress(parsing: String(match.1)))
    }

    private func connect(_ address: SocketAddress) throws -> StreamSocket {
        let socket = try StreamSocket.connect(to: address, timeout: .seconds(20))
        try socket.setReceiveTimeout(.seconds(20))
        return socket
    }

    private func receiveToEnd(_ socket: borrowing StreamSocket) throws -> String {
        var text = ""
        var buffer = ReusableBuffer(capacity: 1)
        while try buffer.fill({ output throws(SystemCallError) in try socket.receive(into: &output) }) == .bytes(1) {
            buffer.withBytes { text.unicodeScalars.append(Unicode.Scalar($0[0])) }
        }
        return text
    }

    private func get(_ path: String, from address: SocketAddress) throws -> String {
        let socket = try connect(address)
        _ = try socket.sendAll(Array("GET \(path) HTTP/1.0\r\n\r\n".utf8).span)
        return try receiveToEnd(socket)
    }

    @Test(arguments: models) func theAdministrationRespondsUntilTheDrainIsOver(_ model: String) throws {
        let (process, output, errors, address, admin) = try serveAdministered(
            "--model", model, "--drain-timeout", "60m")
        #expect(try get("/readyz", from: admin).hasSuffix("\r\n\r\nready\n"))
        #expect(try get("/healthz", from: admin).hasSuffix("\r\n\r\nok\n"))
        #expect(try get("/metrics", from: admin).contains(",model=\"\(model)\"} 1\n"))
        let health = try run("health", "\(address)")
        #expect(health.status == 0)
        // A client that connects to the administration but sends no request does not delay the stop.
        let silent = try connect(admin)
        kill(process.processIdentifier, SIGTERM)
        #expect(try finish(process, output, errors).status == 0)
        #expect(try receiveToEnd(silent).isEmpty)
        #expect(throws: SystemCallError(code: Errno.connectionRefused, call: "connect")) {
            _ = try get("/healthz", from: admin)
        }
    }

    @Test func aDrainingServerIsAliveButNotReady() throws {
        let (process, output, errors, address, admin) = try serveAdministered("--drain-timeout", "60m")
        // This client does not read its replies, so it delays the drain until it disconnects.
        let client = try connect(address)
        try client.setSendTimeout(.milliseconds(200))
        let part = [UInt8](repeating: UInt8(ascii: "^"), count: 64 * 1024)
        while try client.sendAll(part.span) == part.count {}
        kill(process.processIdentifier, SIGTERM)
        let deadline = ContinuousClock.now + .seconds(20)
        var readiness = ""
        while !readiness.hasSuffix("draining\n"), ContinuousClock.now < deadline {
            readiness = try get("/readyz", from: admin)
        }
        #expect(readiness.hasPrefix("HTTP/1.1 503 Service Unavailable\r\n"))
        #expect(try get("/healthz", from: admin).hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(process.isRunning)
        try client.closeReset()
        #expect(try finish(process, output, errors).status == 0)
    }

    /// Sets the soft limit on the descriptors of a running program.
    private func limitDescriptors(of process: Process, to count: Int) throws {
        let prlimit = Process()
        prlimit.executableURL = URL(fileURLWithPath: "/usr/bin/prlimit")
        prlimit.arguments = ["--pid", "\(process.processIdentifier)", "--nofile=\(count):"]
        try prlimit.run()
        prlimit.waitUntilExit()
        try #require(prlimit.terminationStatus == 0)
    }

    /// Receives a byte, and returns whether the server has sent one.
    private func isServed(_ socket: borrowing StreamSocket) -> Bool {
        var buffer = ReusableBuffer(capacity: 1)
        return (try? buffer.fill { output throws(SystemCallError) in try socket.receive(into: &output) }) == .bytes(1)
    }

    /// A lack of descriptors ends neither the server nor its clients.
    ///
    /// The limit is lowered below the open descriptors, or idle clients of the administration exhaust it. When
    /// descriptors are free again, new clients are served.
    @Test(arguments: ["libuv", "libuv-loops", "async", "epoll", "threads"], [8, 80])
    func aLackOfDescriptorsEndsNothing(_ model: String, _ limit: Int) throws {
        let (process, output, errors, address, admin) = try serveAdministered("--model", model)
        let first = try connect(address)
        var isFirstServed = isServed(first)
        #expect(isFirstServed)
        try limitDescriptors(of: process, to: limit)
        // The connections to the administration take all descriptors up to the limit of 80.
        var waiting: [Int32] = []
        for index in 0..<80 {
            let socket = try StreamSocket.connect(to: index < 75 ? admin : address, timeout: .seconds(20))
            waiting.append(socket.release())
        }
        _ = try first.sendAll(Array("^a".utf8).span)
        isFirstServed = isServed(first)
        #expect(isFirstServed)
        for number in waiting { StreamSocket.close(number) }
        try limitDescriptors(of: process, to: 1024)
        let deadline = ContinuousClock.now + .seconds(30)
        while true {
            let visitor = try connect(address)
            if isServed(visitor) { break }
            try #require(ContinuousClock.now < deadline)
        }
        #expect(try get("/healthz", from: admin).hasSuffix("ok\n"))
        kill(process.processIdentifier, SIGTERM)
        #expect(try finish(process, output, errors).status == 0)
    }

    @Test func anAddressInUseCausesAnErrorWithAdvice() throws {
        let other = try ListeningSocket(address: .loopback(port: 0), backlog: 1, isNonBlocking: false)
        let address = try other.localAddress
        let finished = try run("serve", "--port", "0", "--admin", "\(address)")
        #expect(finished.status == 1)
        #expect(finished.output.isEmpty)
        #expect(
            finished.errors
                == "uvserver: cannot listen on \(address): address already in use; stop the program that uses the port, or "
                + "set another port with --admin (0 picks a free port)\n")
    }

    @Test func theAdministrationMustHaveItsOwnAddress() throws {
        let finished = try run("serve", "--port", "9999", "--admin", "localhost:9999")
        #expect(finished.status == 64)
        #expect(finished.errors.contains("--admin 127.0.0.1:9999 is the address for clients; use another port"))
    }

    @Test(arguments: ["here", "127.0.0.1", "127.0.0.1:99999", ":9100"]) func anInvalidAddressIsRejected(
        _ wrong: String
    ) throws {
        let finished = try run("serve", "--port", "0", "--admin", wrong)
        #expect(finished.status == 64)
        #expect(finished.errors.contains("use HOST:PORT"))
        #expect(finished.errors.split(separator: "\n").count == 1)
    }

    @Test func theEnvironmentCanSetTheAdministration() throws {
        let (process, output, errors) = try start(
            ["serve"],
            environment: ["UVSERVER_PORT": "0", "UVSERVER_ADMIN": "127.0.0.1:0", "UVSERVER_LOG_LEVEL": "notice"])
        _ = try listeningAddress(output)
        kill(process.processIdentifier, SIGTERM)
        let finished = try finish(process, output, errors)
        #expect(finished.status == 0)
        #expect(finished.errors.contains("administration at http://127.0.0.1:"))
    }
}
