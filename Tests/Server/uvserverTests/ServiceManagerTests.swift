import Foundation
import Servers
import SocketAddresses
import SystemCalls
import Testing

/// Tests of notifications to a service manager, and of sockets inherited from it.
extension ProgramTests {
    /// Starts the program as a service manager does, with a listening socket as descriptor 3.
    private func startManaged(
        _ arguments: String, listener: borrowing ListeningSocket, environment: String = "", sockets: Int = 1
    ) throws -> ChildProcess {
        // The copied descriptor has a number with two digits. Bash accepts such numbers in a redirection. A child of
        // another test may inherit the copy. This is harmless, because the test itself keeps the socket open.
        let copy = fcntl(listener.rawValue, F_DUPFD, 20)
        defer { close(copy) }
        let others = (4..<(3 + max(1, sockets))).map { "\($0)<&\(copy)" }.joined(separator: " ")
        return try ChildProcess(
            "/bin/bash",
            [
                "-c",
                """
                exec 2>&1 3<&\(copy) \(others); exec \(copy)<&-
                LISTEN_PID=$$ LISTEN_FDS=\(sockets) \(environment) exec "$0" serve \(arguments)
                """, Self.program.path,
            ])
    }

    private func listener() throws -> ListeningSocket {
        try ListeningSocket(address: .loopback(port: 0), backlog: 128, isNonBlocking: false)
    }

    private func converse(_ client: borrowing StreamSocket) throws {
        try client.setReceiveTimeout(.seconds(20))
        var received: [UInt8] = []
        var buffer = ReusableBuffer(capacity: 16)
        while received.count < 4 {
            let result = try buffer.fill { output throws(SystemCallError) in try client.receive(into: &output) }
            guard case .bytes = result else { break }
            received += buffer.withBytes { span in span.indices.map { span[$0] } }
        }
        #expect(received == Array("*bcd".utf8))
    }

    @Test(arguments: models) func aRestartLosesNoClient(_ model: String) throws {
        let listener = try listener()
        let address = try listener.localAddress
        let line = "listening on \(address) (\(model))"
        var first = try startManaged("--model \(model)", listener: listener)
        #expect(try first.readLine(timeout: .seconds(20)) == line)
        do {
            let client = try StreamSocket.connect(to: address, timeout: .seconds(5))
            _ = try client.sendAll(Array("^abc$".utf8).span)
            try converse(client)
        }
        first.terminate()
        #expect(try first.wait(timeout: .seconds(20)) == .code(0))
        // No process accepts connections at this point, but the kernel still establishes them.
        let clients = try (0..<20).map { _ in
            let client = try StreamSocket.connect(to: address, timeout: .seconds(5))
            _ = try client.sendAll(Array("^abc$".utf8).span)
            return client.release()
        }
        var second = try startManaged("--model \(model)", listener: listener)
        #expect(try second.readLine(timeout: .seconds(20)) == line)
        for client in clients { try converse(StreamSocket(adopting: client)) }
        second.terminate()
        #expect(try second.wait(timeout: .seconds(20)) == .code(0))
        #expect(listener.rawValue >= 0)
    }

    @Test(arguments: models) func theNextProcessServesClientsThatConnectDuringTheDrain(_ model: String) throws {
        let listener = try listener()
        let address = try listener.localAddress
        var first = try startManaged("--model \(model) --drain-timeout 60m", listener: listener)
        #expect(try first.readLine(timeout: .seconds(20)) != nil)
        // This client does not read its replies, so it delays the drain.
        let staller = try StreamSocket.connect(to: address, timeout: .seconds(5))
        try staller.setSendTimeout(.milliseconds(300))
        let block = [UInt8](repeating: 0x61, count: 1 << 20)
        _ = try staller.sendAll([0x5E].span)
        while try staller.sendAll(block.span) == block.count {}
        first.terminate()
        // The kernel refuses no connection. A client that gets a greeting was accepted before the signal.
        var waiting: Int32?
        let deadline = ContinuousClock.now.advanced(by: .seconds(20))
        while waiting == nil, ContinuousClock.now < deadline {
            let client = try StreamSocket.connect(to: address, timeout: .seconds(5))
            if try !client.wait(for: .readable, timeout: .milliseconds(500)) { waiting = client.release() }
        }
        let client = StreamSocket(adopting: try #require(waiting))
        _ = try client.sendAll(Array("^abc$".utf8).span)
        // At the second signal, the process closes all its connections. The pending connection stays open.
        first.terminate()
        #expect(try first.wait(timeout: .seconds(20)) == .code(0))
        var second = try startManaged("--model \(model)", listener: listener)
        #expect(try second.readLine(timeout: .seconds(20)) != nil)
        try converse(client)
        second.terminate()
        #expect(try second.wait(timeout: .seconds(20)) == .code(0))
        #expect(staller.rawValue >= 0 && listener.rawValue >= 0)
    }

    @Test(arguments: models, NotificationReceiver.Kind.allCases)
    func theManagerIsNotifiedOfStartWatchdogAndStop(_ model: String, _ kind: NotificationReceiver.Kind) throws {
        let receiver = try NotificationReceiver(kind)
        let (process, output, errors) = try start(
            ["serve", "--port", "0", "--model", model],
            environment: ["NOTIFY_SOCKET": receiver.name, "WATCHDOG_USEC": "40000"])
        let address = try listeningAddress(output)
        #expect(receiver.next() == "READY=1")
        #expect(receiver.next() == "STATUS=listening on \(address) (\(model))")
        for _ in 0..<3 { #expect(receiver.next() == "WATCHDOG=1") }
        kill(process.processIdentifier, SIGTERM)
        var last = receiver.next()
        while last == "WATCHDOG=1" { last = receiver.next() }
        #expect(last == "STOPPING=1")
        let finished = try finish(process, output, errors)
        #expect(finished.status == 0)
        #expect(finished.errors.split(separator: "\n").count == 1, "\(finished.errors)")
    }

    @Test func aHungLoopSendsNoWatchdogNotification() throws {
        let receiver = try NotificationReceiver(.abstract)
        let (process, output, errors) = try start(
            ["serve", "--port", "0"], environment: ["NOTIFY_SOCKET": receiver.name, "WATCHDOG_USEC": "40000"])
        _ = try listeningAddress(output)
        while let next = receiver.next(), next != "WATCHDOG=1" {}
        kill(process.processIdentifier, SIGSTOP)
        // Skips the notifications that the process sent before SIGSTOP.
        while receiver.next(timeout: .milliseconds(200)) != nil {}
        #expect(receiver.next(timeout: .milliseconds(200)) == nil)
        kill(process.processIdentifier, SIGCONT)
        #expect(receiver.next() == "WATCHDOG=1")
        kill(process.processIdentifier, SIGTERM)
        #expect(try finish(process, output, errors).status == 0)
    }

    @Test func thereAreNoWatchdogNotificationsForAnotherProcess() throws {
        let receiver = try NotificationReceiver(.abstract)
        let (process, output, errors) = try start(
            ["serve", "--port", "0"],
            environment: ["NOTIFY_SOCKET": receiver.name, "WATCHDOG_USEC": "1000", "WATCHDOG_PID": "1"])
        let address = try listeningAddress(output)
        #expect(try run("health", "\(address)").status == 0)
        kill(process.processIdentifier, SIGTERM)
        #expect(try finish(process, output, errors).status == 0)
        #expect(receiver.next() == "READY=1")
        #expect(receiver.next()?.hasPrefix("STATUS=") == true)
        #expect(receiver.next() == "STOPPING=1")
        #expect(receiver.next(timeout: .zero) == nil)
    }

    @Test(arguments: [
        ["NOTIFY_SOCKET": ""], ["NOTIFY_SOCKET": "notify"], ["NOTIFY_SOCKET": "/nonexistent/notify"],
        ["NOTIFY_SOCKET": "@" + String(repeating: "n", count: 108)],
    ])
    func anInvalidNotifySocketCausesOneWarning(_ environment: [String: String]) throws {
        let (process, output, errors) = try start(["serve", "--port", "0"], environment: environment)
        #expect(try run("health", "\(listeningAddress(output))").status == 0)
        kill(process.processIdentifier, SIGTERM)
        let finished = try finish(process, output, errors)
        #expect(finished.status == 0)
        let warnings = finished.errors.split(separator: "\n").filter { $0.contains(" warning ") }
        #expect(warnings.count == 1, "\(finished.errors)")
        #expect(warnings.first?.contains("service manager") == true)
    }

    @Test func optionsWithoutEffectAreLogged() throws {
        let listener = try listener()
        var server = try startManaged("--host 127.0.0.1 --port=9090", listener: listener)
        let told = try server.readLine(timeout: .seconds(20))
        #expect(told?.contains("options have no effect") == true)
        #expect(told?.contains("unused=\"--host --port\"") == true)
        #expect(try server.readLine(timeout: .seconds(20)) == "listening on \(try listener.localAddress) (libuv)")
        server.terminate()
        #expect(try server.wait(timeout: .seconds(20)) == .code(0))
    }

    @Test func severalSocketsAreRejectedWithAdvice() throws {
        let listener = try listener()
        var server = try startManaged("", listener: listener, sockets: 2)
        let line = try server.readLine(timeout: .seconds(20))
        #expect(line?.hasPrefix("uvserver: the service manager has passed 2 sockets") == true)
        #expect(line?.contains("one ListenStream= in the .socket file") == true)
        #expect(try server.wait(timeout: .seconds(20)) == .code(1))
    }

    @Test func aDescriptorThatIsNotAListeningSocketIsRejected() throws {
        var server = try ChildProcess(
            "/bin/bash",
            [
                "-c", "LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=web exec \"$0\" serve 2>&1 3</dev/null",
                Self.program.path,
            ])
        let line = try server.readLine(timeout: .seconds(20))
        #expect(line?.contains("descriptor 3 ('web') is not a listening socket") == true)
        #expect(line?.contains("Accept=no") == true)
        #expect(try server.wait(timeout: .seconds(20)) == .code(1))
    }
}
