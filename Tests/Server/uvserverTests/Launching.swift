import Foundation
import SocketAddresses
import SystemCalls
import Testing

/// Programs that start `uvserver` under special conditions, for example `strace`.
///
/// Each launcher executes `uvserver` in its own process, so that signals reach `uvserver`.
extension ProgramTests {
    /// Starts `uvserver` through a launcher, which is found in `PATH`.
    func start(
        through launcher: [String], _ arguments: [String], environment: [String: String] = [:]
    ) throws -> (Process, Pipe, Pipe) {
        let process = Process()
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let (output, errors) = (Pipe(), Pipe())
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = launcher + [Self.program.path] + arguments
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        return (process, output, errors)
    }

    /// Starts a server through a launcher, and reads its address.
    func serve(
        through launcher: [String], _ arguments: [String], environment: [String: String] = [:]
    ) throws -> (Process, Pipe, Pipe, SocketAddress) {
        let (process, output, errors) = try start(
            through: launcher, ["serve", "--port", "0"] + arguments, environment: environment)
        return (process, output, errors, try listeningAddress(output))
    }

    /// Runs a program to its end, and returns whether it exits with code 0.
    static func succeeds(_ words: [String]) -> Bool {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = words
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }

    /// Connects a client, whose waits have a timeout.
    func connectPatiently(to address: SocketAddress) throws -> StreamSocket {
        let socket = try StreamSocket.connect(to: address, timeout: .seconds(20))
        try socket.setReceiveTimeout(.seconds(20))
        return socket
    }

    /// Receives bytes up to a count or the end of the stream.
    func receive(_ count: Int, from socket: borrowing StreamSocket) throws -> String {
        var text = ""
        var buffer = ReusableBuffer(capacity: 1)
        while text.utf8.count < count,
            try buffer.fill({ output throws(SystemCallError) in try socket.receive(into: &output) }) == .bytes(1)
        {
            buffer.withBytes { text.unicodeScalars.append(Unicode.Scalar($0[0])) }
        }
        return text
    }
}
