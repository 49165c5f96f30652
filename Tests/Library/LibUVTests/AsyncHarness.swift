import LibUV
import Testing

/// Runs `body` as a task on a new loop with a time limit, and closes the loop.
///
/// Fails the test if `body` leaves a handle open, or a buffer held or in flight.
func withTask(
    sourceLocation: SourceLocation = #_sourceLocation, _ body: @escaping @Sendable (UVLoop) async throws -> Void
) throws {
    let loop = try UVLoop()
    let deadline = try UVTimer(on: loop)
    deadline.unref()
    try deadline.start(after: .seconds(30)) { _ in
        Issue.record("the task did not end within 30 seconds", sourceLocation: sourceLocation)
        loop.stop()
    }
    do { try loop.runTask { try await body(loop) } } catch { Issue.record(error, sourceLocation: sourceLocation) }
    let open = try loop.close()
    #expect(open.map(\.type) == ["timer"], sourceLocation: sourceLocation)
    #expect(loop.statistics.buffers.inFlight == 0, sourceLocation: sourceLocation)
    #expect(loop.statistics.buffers.held == 0, sourceLocation: sourceLocation)
    #expect(loop.refusedTaskCount == 0, sourceLocation: sourceLocation)
}

extension UVConnection {
    /// Creates a TCP connection with both ends on one loop.
    nonisolated(nonsending) static func pair(
        on loop: UVLoop, readLimit: Int = 64 * 1024, highWaterMark: Int = 64 * 1024
    ) async throws -> (UVConnection, UVConnection) {
        try await loop.withTCPListener(on: .loopback(port: 0)) { connections in
            let stream = try UVTCPStream(on: loop)
            try stream.connect(to: connections.localAddress) { _ in }
            let server = try #require(try await connections.next())
            return (try UVConnection(stream, readLimit: readLimit, highWaterMark: highWaterMark), server)
        }
    }

    /// Reads all bytes up to end of stream.
    nonisolated(nonsending) func readAll() async throws(UVError) -> [UInt8] {
        var all: [UInt8] = []
        while let buffer = try await read() { all.append(contentsOf: buffer.bytes) }
        return all
    }
}

extension UVBuffer {
    /// An array with a copy of the buffer's bytes.
    var bytes: [UInt8] { withBytes { unsafe $0.withUnsafeBufferPointer { unsafe Array($0) } } }
}

extension UVLoop {
    /// Creates a buffer filled with one byte value.
    func buffer(_ byte: UInt8, count: Int) -> UVBuffer {
        var buffer = makeBuffer(capacity: count)
        buffer.withOutputSpan { output in for _ in 0..<count { output.append(byte) } }
        return buffer
    }
}

/// Runs `body` as a task on a second loop and a second thread, while `loop` keeps running.
nonisolated(nonsending) func onAnotherLoop(
    than loop: UVLoop, _ body: @escaping @Sendable (UVLoop) async throws -> Void
) async throws {
    let done = Counter()
    let threads = LibUVTests.ThreadGroup()
    try threads.start {
        #expect(throws: Never.self) { try UVLoop.run { other in try await body(other) } }
        done.add()
    }
    while done.value == 0 { try await loop.sleep(for: .milliseconds(1)) }
    threads.join()
}
