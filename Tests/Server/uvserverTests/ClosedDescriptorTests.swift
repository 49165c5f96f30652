import Foundation
import SocketAddresses
import SystemCalls
import Testing

/// Tests of programs that start with closed standard descriptors.
extension ProgramTests {
    /// Each combination of closed standard descriptors, as redirections of a shell.
    static let closures = (1...7).map { bits in
        ["<&-", ">&-", "2>&-"].enumerated().filter { bits >> $0.offset & 1 == 1 }.map(\.element).joined(separator: " ")
    }

    /// Receives until the end of the stream.
    private func receiveAll(_ client: borrowing StreamSocket, atLeast count: Int = .max) throws -> [UInt8] {
        var received: [UInt8] = []
        var buffer = ReusableBuffer(capacity: 256)
        while received.count < count {
            let result = try buffer.fill { output throws(SystemCallError) in try client.receive(into: &output) }
            guard case .bytes = result else { break }
            received += buffer.withBytes { span in span.indices.map { span[$0] } }
        }
        return received
    }

    private func connect(_ address: SocketAddress) throws -> StreamSocket {
        let client = try StreamSocket.connect(to: address, timeout: .seconds(20))
        try client.setReceiveTimeout(.seconds(20))
        return client
    }

    /// Without the guard, a client's connection would get the number of standard error, and the client would receive
    /// the log.
    @Test(arguments: ["sequential", "threads", "thread-pool", "epoll", "libuv", "async"])
    func clientsReceiveNoLogIfStandardDescriptorsAreClosed(_ model: String) throws {
        for closure in Self.closures {
            let listener = try ListeningSocket(address: .loopback(port: 0), backlog: 128, isNonBlocking: false)
            let address = try listener.localAddress
            let copy = fcntl(listener.rawValue, F_DUPFD, 20)
            defer { close(copy) }
            var server = try ChildProcess(
                "/bin/bash",
                [
                    "-c",
                    """
                    exec 2>/dev/null 3<&\(copy); exec \(copy)<&-
                    LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" serve --model \(model) --log-level trace \(closure)
                    """, Self.program.path,
                ])
            let first = try connect(address)
            _ = try first.sendAll(Array("^abc$".utf8).span)
            var firstBytes = try receiveAll(first, atLeast: 4)
            // This client's connection is logged while the first client is connected.
            let second = try connect(address)
            if model != "sequential" {
                _ = try second.sendAll(Array("^abc$".utf8).span)
                #expect(try receiveAll(second, atLeast: 4) == Array("*bcd".utf8), "\(closure)")
            }
            server.terminate()
            firstBytes += try receiveAll(first)
            #expect(firstBytes == Array("*bcd".utf8), "\(closure)")
            #expect(try server.wait(timeout: .seconds(20)) == .code(0), "\(closure)")
            #expect(second.rawValue >= 0 && listener.rawValue >= 0)
        }
    }

    /// Without the guard, the client would send its own transcript to the server.
    @Test func aClientWithClosedStandardDescriptorsDoesNotTalkToItself() throws {
        let (process, output, errors, address) = try serve("--model", "threads")
        for closure in Self.closures {
            var client = try ChildProcess(
                "/bin/bash",
                ["-c", "exec \"$0\" client -n 1 --pause 0 127.0.0.1 \(address.port) \(closure)", Self.program.path])
            #expect(try client.wait(timeout: .seconds(20)) == .code(0), "\(closure)")
        }
        kill(process.processIdentifier, SIGTERM)
        let finished = try finish(process, output, errors)
        #expect(
            finished.errors.contains(
                "stopped: 7 connections served, 0 rejected; \(7 * 36) bytes received, \(7 * 19) sent"))
    }

    @Test func theOtherCommandsAcceptClosedStandardDescriptors() throws {
        let (process, output, errors, address) = try serve()
        for command in ["health \(address)", "models", "--help", "serve --help"] {
            for closure in Self.closures {
                var program = try ChildProcess(
                    "/bin/bash", ["-c", "exec \"$0\" \(command) \(closure)", Self.program.path])
                #expect(try program.wait(timeout: .seconds(20)) == .code(0), "\(command) \(closure)")
            }
        }
        kill(process.processIdentifier, SIGTERM)
        #expect(try finish(process, output, errors).errors.contains("stopped: 7 connections served, 0 rejected"))
    }
}
