import Foundation
import SocketAddresses
import SystemCalls
import Testing

/// Tests that run `uvbench load` as a process.
@Suite(.serialized, .timeLimit(.minutes(2))) struct LoadTests {
    /// Starts a server, runs a load against it, and stops the server.
    private func load(_ arguments: [String], model: String = "epoll") throws -> Program.Finished {
        let server = try Program.uvserver.start(["serve", "--port", "0", "--model", model])
        defer {
            kill(server.process.processIdentifier, SIGTERM)
            _ = try? server.finish()
        }
        let line = try server.readLine(from: server.output)
        let address = try #require(line.wholeMatch(of: /listening on (\S+) .*\n/), "\(line)").1
        let port = try SocketAddress(parsing: String(address)).port
        return try Program.uvbench.run(["load", "127.0.0.1", "\(port)"] + arguments)
    }

    private static let short = ["--warm-up", "0s", "--count", "2000"]

    /// Expects exit code 0 or 3, because a busy machine can make any result inconclusive.
    private func expectMeasured(_ finished: Program.Finished) {
        #expect(finished.status == 0 || finished.status == 3, "\(finished.errors)")
        if finished.status == 3 { #expect(finished.errors.contains("no conclusion is possible")) }
    }

    /// The server serves one client at a time, so the other connections wait for their greetings.
    @Test func aSignalEndsALoadThatOpensItsConnections() throws {
        let server = try Program.uvserver.start(
            ["serve", "--port", "0", "--model", "sequential", "--log-level", "debug"])
        let line = try server.readLine(from: server.output)
        let address = try #require(line.wholeMatch(of: /listening on (\S+) .*\n/), "\(line)").1
        let target = try SocketAddress(parsing: String(address))
        var load = try ChildProcess(
            Program.uvbench.file.path, ["load", target.host, "\(target.port)", "-c", "2", "--timeout", "10m"])
        while case let event = try server.readLine(from: server.errors), !event.contains("accepted") {
            try #require(!event.isEmpty)
        }
        load.terminate()
        #expect(try load.wait(timeout: .seconds(20)) == .code(1))
        kill(server.process.processIdentifier, SIGTERM)
        _ = try server.finish()
    }

    @Test func theTableHasItsRows() throws {
        let finished = try load(Self.short + ["--rate", "4000"])
        expectMeasured(finished)
        for row in ["open loop, 4000 requests/s", "response time", "service time", "generator lag", "2000 requests"] {
            #expect(finished.output.contains(row), "\(finished.output)")
        }
        // The program shows no progress, because its standard error is a pipe.
        #expect(!finished.errors.contains("\r"))
    }

    @Test func theJSONCanBeRead() throws {
        let finished = try load(Self.short + ["--json", "--kernel-timestamps", "-c", "2"])
        expectMeasured(finished)
        let json = try #require(
            JSONSerialization.jsonObject(with: Data(finished.output.utf8)) as? [String: Any], "\(finished.output)")
        #expect(json["requests"] as? Int == 2000)
        let times = try #require(json["times"] as? [String: [String: Any]])
        #expect(times["response time"]?["count"] as? Int == 1998)
        #expect(times["first of a connection"]?["count"] as? Int == 2)
        let matched = try #require(times["wire time"]?["count"] as? Int)
        #expect(matched + (json["unmatchedWireTimes"] as? Int ?? 0) == 1998)
        #expect((json["faults"] as? [String: Any])?["crossTalk"] as? Int == 0)
    }

    @Test func theCSVHasALineForEachPercentile() throws {
        let finished = try load(Self.short + ["--csv"])
        expectMeasured(finished)
        let lines = finished.output.split(separator: "\n")
        #expect(lines.first == "time,percentile,nanoseconds,count")
        #expect(lines.contains { $0.hasPrefix("response time,50,") })
        #expect(lines.contains { $0.hasPrefix("response time,99.99,,") })
    }

    @Test func theHistogramsAreWritten() throws {
        let directory = FileManager.default.temporaryDirectory
        let names = ["hgrm", "hlog"].map { directory.appending(path: "load-\(UUID().uuidString).\($0)").path }
        defer { for name in names { try? FileManager.default.removeItem(atPath: name) } }
        expectMeasured(try load(Self.short + ["--hgrm", names[0], "--hlog", names[1]]))
        #expect(try String(contentsOfFile: names[0], encoding: .utf8).contains("#[Mean"))
        #expect(try String(contentsOfFile: names[1], encoding: .utf8).contains("#[Histogram log format version 1.3]"))
    }

    @Test func aMissedRequirementIsExitCodeOne() throws {
        let finished = try load([
            "--warm-up", "0s", "--count", "500", "-c", "1", "--rate", "500", "--require", "p50<1us",
        ])
        // Exit code 3 means that the machine was too busy for a conclusion.
        if finished.status != 3 {
            #expect(finished.status == 1)
            #expect(finished.errors.contains("p50<1us is not met: the measured value is "))
        }
    }

    @Test func aRefusedConnectionIsOneLine() throws {
        let port = try ListeningSocket(address: .loopback(port: 0), backlog: 1, isNonBlocking: false).localAddress.port
        let finished = try Program.uvbench.run(["load", "127.0.0.1", "\(port)"])
        #expect(finished.status == 1)
        #expect(
            finished.errors.contains("cannot connect to 127.0.0.1:\(port): Connection refused. No server listens there")
        )
        #expect(finished.errors.split(separator: "\n").count == 1)
    }

    @Test func anInterruptPrintsWhatWasMeasured() throws {
        let listener = try ListeningSocket(address: .loopback(port: 0), backlog: 1, isNonBlocking: false)
        let port = try listener.localAddress.port
        let running = try Program.uvbench.start([
            "load", "127.0.0.1", "\(port)", "-c", "1", "--warm-up", "0s", "--duration", "10m", "--timeout", "1s",
        ])
        guard case .connection(let socket) = try listener.accept(isNonBlocking: false) else { return }
        // The test acts as the server, which replies to the first request, but not to the second.
        _ = try socket.sendAll([0x2A].span)
        var buffer = ReusableBuffer(capacity: 64)
        _ = try buffer.fill { output throws(SystemCallError) in try socket.receive(into: &output) }
        let reply = buffer.withBytes { bytes in (1..<bytes.count - 1).map { bytes[$0] &+ 1 } }
        _ = try socket.sendAll(reply.span)
        _ = try buffer.fill { output throws(SystemCallError) in try socket.receive(into: &output) }
        kill(running.process.processIdentifier, SIGINT)
        let finished = try running.finish()
        #expect(finished.output.contains("interrupted: the results cover the time before the interruption"))
        #expect(finished.output.contains("1 requests and 16 reply bytes"))
        #expect(finished.status == 1, "the missing second reply must be a fault")
    }

    @Test(arguments: [
        [], ["127.0.0.1"], ["nowhere", "1"], ["127.0.0.1", "0"], ["127.0.0.1", "1", "--rate", "0"],
        ["127.0.0.1", "1", "--rate", "nan"], ["127.0.0.1", "1", "--size", "0"], ["127.0.0.1", "1", "--in-flight", "0"],
        ["127.0.0.1", "1", "--bulk", "--rate", "5"], ["127.0.0.1", "1", "--bulk", "--kernel-timestamps"],
        ["127.0.0.1", "1", "--json", "--csv"], ["127.0.0.1", "1", "--require", "p99"],
        ["127.0.0.1", "1", "--require", "wire.p99<1ms"], ["127.0.0.1", "1", "-c", "0"],
        ["127.0.0.1", "1", "--arrivals", "bursty"], ["127.0.0.1", "1", "--count", "0"],
        ["127.0.0.1", "1", "--connect-per-request", "--in-flight", "2"],
    ])
    func misuseIsExitCodeTwo(_ arguments: [String]) throws {
        try Program.uvbench.run(["load"] + arguments).expectFailure(2)
    }
}
