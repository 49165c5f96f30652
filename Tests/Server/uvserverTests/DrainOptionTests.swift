import Foundation
import SocketAddresses
import SystemCalls
import Testing

/// Tests of the options for the drain and for limits.
extension ProgramTests {
    @Test(arguments: models) func clientsAreServedDuringTheDrainDelay(_ model: String) throws {
        let (process, output, errors, address) = try serve("--model", model, "--drain-delay", "1m")
        kill(process.processIdentifier, SIGTERM)
        for _ in 0..<5 { #expect(try run("health", "\(address)").status == 0) }
        // A second signal ends the delay.
        kill(process.processIdentifier, SIGTERM)
        #expect(try finish(process, output, errors).status == 0)
    }

    @Test(arguments: models) func afterTheDelayTheServerDrains(_ model: String) throws {
        let (process, output, errors, _) = try serve("--model", model, "--drain-delay", "100ms")
        kill(process.processIdentifier, SIGTERM)
        #expect(try finish(process, output, errors).status == 0)
    }

    @Test(arguments: models) func theLogHasTheReasonWhyAnIdleConnectionIsClosed(_ model: String) throws {
        let (process, output, errors, address) = try serve("--model", model, "--idle-timeout", "200ms")
        let client = try StreamSocket.connect(to: address, timeout: .seconds(5))
        try client.setReceiveTimeout(.seconds(20))
        var buffer = ReusableBuffer(capacity: 8)
        #expect(try buffer.fill { output throws(SystemCallError) in try client.receive(into: &output) } == .bytes(1))
        #expect(try buffer.fill { output throws(SystemCallError) in try client.receive(into: &output) } == .end)
        kill(process.processIdentifier, SIGTERM)
        let finished = try finish(process, output, errors)
        #expect(finished.status == 0)
        let lines = finished.errors.split(separator: "\n").filter { $0.contains("closed a connection") }
        #expect(lines.count == 1)
        #expect(lines.first?.contains("--idle-timeout") == true)
        #expect(lines.first?.contains("client=127.0.0.1:") == true)
    }

    @Test func anInvalidLimitIsRejected() throws {
        let wrong = [
            ("--idle-timeout", "soon"), ("--min-read-rate", "0"), ("--max-buffered-total", "1"),
            ("--proxy-protocol", "10.0.0.0/33"), ("--proxy-protocol", "10.0.0.1/8"), ("--proxy-protocol", "127.0.0.1,"),
        ]
        for (option, value) in wrong {
            let finished = try run("serve", option, value)
            #expect(finished.status == 64)
            #expect(finished.errors.contains(option))
            #expect(finished.errors.split(separator: "\n").count == 1)
        }
    }
}
