import Foundation
import SocketAddresses
import SystemCalls
import Testing

/// Tests of `uvbench` with closed standard descriptors.
@Suite(.serialized, .timeLimit(.minutes(1))) struct ClosedDescriptorTests {
    /// Each combination of closed standard descriptors, as redirections of a shell.
    static let closures = (1...7).map { bits in
        ["<&-", ">&-", "2>&-"].enumerated().filter { bits >> $0.offset & 1 == 1 }.map(\.element).joined(separator: " ")
    }

    private func start(_ arguments: String, _ closure: String) throws -> ChildProcess {
        try ChildProcess("/bin/bash", ["-c", "exec \"$0\" \(arguments) \(closure)", Program.uvbench.file.path])
    }

    /// Without the guard, the program would send its result to the server.
    @Test func aLoadIsServed() throws {
        let floor = try Program.uvbench.start(["floor", "--port", "0"])
        let line = try floor.readLine(from: floor.output)
        let port = try #require(line.firstMatch(of: /:(\d+)\s/), "\(line)").1
        for closure in Self.closures {
            var load = try start("load --warm-up 0s --connections 4 --count 40 127.0.0.1 \(port)", closure)
            // On a busy machine, the result may be inconclusive.
            let end = try load.wait(timeout: .seconds(30))
            #expect(end == .code(0) || end == .code(3), "\(closure)")
        }
        kill(floor.process.processIdentifier, SIGTERM)
        #expect(try floor.finish().status == 0)
    }

    @Test(arguments: closures) func theFloorServes(_ closure: String) throws {
        let free = try ListeningSocket(address: .loopback(port: 0), backlog: 1, isNonBlocking: true).localAddress.port
        var floor = try start("floor --port \(free)", closure)
        let deadline = ContinuousClock.now + .seconds(20)
        while try Program.uvserver.run(["health", "127.0.0.1:\(free)"]).status != 0 {
            try #require(ContinuousClock.now < deadline)
        }
        floor.terminate()
        #expect(try floor.wait(timeout: .seconds(20)) == .code(0))
    }
}
