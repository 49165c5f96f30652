import Foundation
import SystemCalls
import Testing

/// Tests of `uvbench` whose output is not read.
@Suite(.serialized, .timeLimit(.minutes(1))) struct StuckOutputTests {
    /// A pseudo terminal or a pipe that accepts no further byte, because no process reads it.
    private final class Full {
        let reader: Int32
        let writer: Int32

        init(isTerminal: Bool) throws {
            var ends: [Int32] = [-1, -1]
            if isTerminal {
                var (controller, terminal): (Int32, Int32) = (-1, -1)
                try #require(unsafe openpty(&controller, &terminal, nil, nil, nil) == 0)
                ends = [controller, terminal]
            } else {
                try #require(unsafe pipe(&ends) == 0)
            }
            reader = ends[0]
            writer = fcntl(ends[1], F_DUPFD, 20)
            close(ends[1])
            let flags = fcntl(writer, F_GETFL)
            _ = fcntl(writer, F_SETFL, flags | O_NONBLOCK)
            // A terminal moves bytes between its buffers, which makes room again.
            var entry = pollfd(fd: writer, events: Int16(POLLOUT), revents: 0)
            repeat {
                for count in [4096, 1] {
                    let bytes = [UInt8](repeating: 0x2E, count: count)
                    while unsafe write(writer, bytes, count) > 0 {}
                }
            } while unsafe poll(&entry, 1, 100) == 1
            _ = fcntl(writer, F_SETFL, flags)
        }

        deinit { for number in [reader, writer] { close(number) } }
    }

    private func start(_ arguments: String) throws -> ChildProcess {
        try ChildProcess("/bin/bash", ["-c", "exec \"$0\" \(arguments)", Program.uvbench.file.path])
    }

    /// Runs `body` with the port of a floor server.
    private func withFloor(_ body: (Substring) throws -> Void) throws {
        let floor = try Program.uvbench.start(["floor", "--port", "0"])
        let line = try floor.readLine(from: floor.output)
        try body(try #require(line.firstMatch(of: /:(\d+)\s/), "\(line)").1)
        kill(floor.process.processIdentifier, SIGTERM)
        #expect(try floor.finish().status == 0)
    }

    /// The progress is shown on the terminal.
    @Test func aStuckTerminalDoesNotStopALoad() throws {
        try withFloor { port in
            let full = try Full(isTerminal: true)
            var load = try start(
                "load --warm-up 0s --duration 1200ms 127.0.0.1 \(port) 2>&\(full.writer) >/dev/null \(full.writer)>&-")
            let end = try load.wait(timeout: .seconds(30))
            #expect(end == .code(0) || end == .code(3))
            #expect(fcntl(full.writer, F_GETFL) & O_NONBLOCK == 0)
        }
    }

    /// A result waits for its reader, but a signal ends the program.
    @Test func aSignalEndsALoadWhoseResultIsNotRead() throws {
        try withFloor { port in
            let full = try Full(isTerminal: false)
            var load = try start(
                "load --warm-up 0s --count 20 127.0.0.1 \(port) >&\(full.writer) 2>/dev/null \(full.writer)>&-")
            #expect(try load.wait(timeout: .seconds(1)) == nil)
            load.terminate()
            #expect(try load.wait(timeout: .seconds(20)) == .code(1))
        }
    }

    @Test func theFloorDoesNotWaitForAStuckReader() throws {
        let full = try Full(isTerminal: false)
        var floor = try start("floor --port 0 >&\(full.writer) 2>/dev/null \(full.writer)>&-")
        #expect(try floor.wait(timeout: .seconds(20)) == .code(1))
    }
}
