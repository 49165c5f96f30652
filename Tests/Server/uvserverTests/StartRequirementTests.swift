import Foundation
import SocketAddresses
import SystemCalls
import Testing

/// Tests of limits that are too low for the server.
extension ProgramTests {
    /// Expects that a program has printed one line about a limit.
    private func expectOneLine(_ finished: Finished, naming limit: String, _ model: String) {
        #expect(finished.status == 1, "\(model)")
        #expect(finished.output.isEmpty)
        #expect(finished.errors.split(separator: "\n").count == 1, "\(model): \(finished.errors)")
        #expect(finished.errors.contains(limit), "\(model): \(finished.errors)")
        #expect(!finished.errors.contains("check --"))
    }

    /// Reads the line that a server prints when it listens, and returns the address in it; `nil` if there is no line.
    private func firstAddress(_ output: Pipe) throws -> SocketAddress? {
        var line = ""
        while !line.hasSuffix("\n"), let byte = try output.fileHandleForReading.read(upToCount: 1), !byte.isEmpty {
            line += String(decoding: byte, as: UTF8.self)
        }
        return try line.firstMatch(of: /listening on (\S+)/).map { try SocketAddress(parsing: String($0.1)) }
    }

    /// With each limit, the server either serves a client or prints one line.
    @Test(arguments: models, [false, true]) func aLowLimitOnDescriptorsIsNamed(_ model: String, _ hasAdmin: Bool) throws
    {
        var startedAt: [Int] = []
        let arguments =
            ["serve", "--port", "0", "--model", model, "--loops", "2"]
            + (hasAdmin ? ["--admin", "127.0.0.1:0"] : [])
        for limit in [5, 6, 7, 8, 9, 11, 13, 15, 17, 20, 24, 28, 32, 40, 48, 64] {
            let (process, output, errors) = try start(
                through: ["prlimit", "--nofile=\(limit):\(limit)"], arguments)
            if let address = try firstAddress(output) {
                startedAt.append(limit)
                #expect(try run("health", "\(address)").status == 0, "\(limit)")
                kill(process.processIdentifier, SIGTERM)
                #expect(try finish(process, output, errors).status == 0)
            } else {
                #expect(startedAt.isEmpty)
                let finished = try finish(process, output, errors)
                expectOneLine(finished, naming: "(RLIMIT_NOFILE) is \(limit), but model \(model)", model)
            }
        }
        #expect(!startedAt.isEmpty)
    }

    /// The program, run by a user whose processes are limited: the kernel does not limit root.
    private func start(processLimit: Int, _ arguments: [String]) throws -> Finished {
        let user = getuid() == 0 ? ["setpriv", "--reuid=64321", "--regid=64321", "--clear-groups"] : []
        let (process, output, errors) = try start(
            through: ["prlimit", "--nproc=\(processLimit):\(processLimit)"] + user,
            ["serve", "--port", "0"] + arguments)
        return try finish(process, output, errors)
    }

    @Test(arguments: models) func aLowLimitOnThreadsIsNamed(_ model: String) throws {
        let finished = try start(processLimit: 1, ["--model", model, "--admin", "127.0.0.1:0"])
        expectOneLine(finished, naming: "RLIMIT_NPROC is 1", model)
        #expect(finished.errors.contains("model \(model) needs "))
    }

    @Test func theNeedForThreadsDependsOnOptions() throws {
        let pool = try start(processLimit: 10, ["--model", "thread-pool", "--threads", "20"])
        expectOneLine(pool, naming: "needs 20 threads (--threads)", "thread-pool")
        let loops = try start(processLimit: 1, ["--model", "libuv-loops", "--loops", "4"])
        expectOneLine(loops, naming: "needs 3 threads (--loops)", "libuv-loops")
    }

    /// Clients cannot take the descriptors of the administration.
    @Test(arguments: models) func theAdministrationHasItsOwnDescriptors(_ model: String) throws {
        let (process, output, errors) = try start(
            through: ["prlimit", "--nofile=128:128"],
            ["serve", "--port", "0", "--model", model, "--admin", "127.0.0.1:0", "--loops", "2"])
        let address = try listeningAddress(output)
        var line = ""
        while !line.hasSuffix("/\n"), let byte = try errors.fileHandleForReading.read(upToCount: 1), !byte.isEmpty {
            line += String(decoding: byte, as: UTF8.self)
        }
        let match = try #require(line.firstMatch(of: /administration at http:\/\/(\S+)\/\n/), "\(line)")
        let admin = try SocketAddress(parsing: String(match.1))
        var clients: [Int32] = []
        defer { for client in clients { StreamSocket.close(client) } }
        for _ in 0..<150 { clients.append(try connectPatiently(to: address).release()) }
        for path in ["/healthz", "/metrics"] {
            let socket = try connectPatiently(to: admin)
            _ = try socket.sendAll(Array("GET \(path) HTTP/1.0\r\n\r\n".utf8).span)
            let response = try receive(.max, from: socket)
            #expect(response.hasPrefix("HTTP/1.1 200 "))
            #expect(path == "/healthz" || response.contains("process_open_fds "), "\(model)")
        }
        kill(process.processIdentifier, SIGTERM)
        #expect(try finish(process, output, errors).status == 0)
    }
}
