import Foundation
import SocketAddresses
import SystemCalls
import Testing

/// Tests of the signals other than SIGINT and SIGTERM.
extension ProgramTests {
    /// Starts a program that does not ignore SIGHUP, even if the tests run under `nohup`.
    private static let withHangUp = ["env", "--default-signal=HUP"]

    @Test(arguments: models) func aHangUpStopsCleanly(_ model: String) throws {
        let (process, output, errors, _) = try serve(through: Self.withHangUp, ["--model", model])
        kill(process.processIdentifier, SIGHUP)
        let finished = try finish(process, output, errors)
        #expect(finished.status == 0)
        #expect(finished.errors.contains("stopped: 0 connections served"))
    }

    /// A terminal that closes may send SIGHUP twice.
    ///
    /// Neither the second SIGHUP nor a SIGALRM of another process closes the connections.
    @Test(arguments: ["threads", "thread-pool", "select", "poll", "epoll", "libuv", "libuv-loops", "async"])
    func aSecondHangUpDoesNotEndTheDrain(_ model: String) throws {
        let (process, output, errors, address) = try serve(
            through: Self.withHangUp, ["--model", model, "--drain-timeout", "60m"])
        let client = try connectPatiently(to: address)
        #expect(try receive(1, from: client) == "*")
        #expect(try client.sendAll(Array("^ab".utf8).span) == 3)
        #expect(try receive(2, from: client) == "bc")
        kill(process.processIdentifier, SIGHUP)
        let deadline = ContinuousClock.now + .seconds(20)
        while (try? StreamSocket.connect(to: address, timeout: .seconds(1)).rawValue) != nil {
            try #require(ContinuousClock.now < deadline)
        }
        for _ in 0..<3 { kill(process.processIdentifier, SIGHUP) }
        #expect(try client.sendAll(Array("c$".utf8).span) == 2)
        #expect(try receive(2, from: client) == "d")
        #expect(try finish(process, output, errors).status == 0)
    }

    @Test(arguments: models, [SIGUSR1, SIGUSR2, SIGXFSZ, SIGALRM])
    func otherSignalsHaveNoEffect(_ model: String, _ signal: Int32) throws {
        let (process, output, errors, address) = try serve("--model", model)
        kill(process.processIdentifier, signal)
        #expect(try run("health", "\(address)").status == 0)
        kill(process.processIdentifier, SIGTERM)
        #expect(try finish(process, output, errors).status == 0)
    }

    @Test(arguments: models) func anIgnoredHangUpStaysIgnored(_ model: String) throws {
        let (process, output, errors, address) = try serve(
            through: ["sh", "-c", "trap '' HUP; exec \"$0\" \"$@\""], ["--model", model])
        kill(process.processIdentifier, SIGHUP)
        #expect(try run("health", "\(address)").status == 0)
        kill(process.processIdentifier, SIGTERM)
        #expect(try finish(process, output, errors).status == 0)
    }
}
