import LibUV
import Testing

/// Tests of a byte stream that implements only what it must.
@Suite(.timeLimit(.minutes(1))) struct ByteStreamDefaultTests {
    /// Promise of the article "Reading lines and messages".
    @Test(arguments: [false, true]) func allWritesUseTheWriteOfABuffer(isElsewhere: Bool) async throws {
        try await withOuterTask { loop in
            let stream = SmallStream(on: loop)
            let writes: @Sendable () async throws -> Void = {
                try await stream.write("text ")
                try await stream.write(Array("bytes ".utf8))
                try await stream.write("text ", within: .seconds(30))
                try await stream.write(Array("bytes ".utf8), within: .seconds(30))
                try await stream.write(loop.makeBuffer(copying: "buffer"), within: .seconds(30))
            }
            if isElsewhere { try await Task.detached { try await writes() }.value } else { try await writes() }
            #expect(stream.written.value == 5)
            #expect(stream.bytes == Array("text bytes text bytes buffer".utf8))
        }
    }

    /// Promise of the article "Reading lines and messages".
    @Test(arguments: [false, true]) func aReadHasATimeLimit(isElsewhere: Bool) async throws {
        try await withOuterTask { loop in
            let stream: any UVByteStream = SmallStream(on: loop)
            let read: @Sendable (Duration) async throws -> [UInt8]? = { limit in
                try await stream.read(within: limit)?.bytes
            }
            for _ in 0..<3 {
                let begin = loop.clock.now
                await #expect(throws: UVError(.timedOut, operation: "UVByteStream.read")) {
                    if isElsewhere {
                        _ = try await Task.detached { try await read(.milliseconds(10)) }.value
                    } else {
                        _ = try await read(.milliseconds(10))
                    }
                }
                #expect(begin.duration(to: loop.clock.now) >= .milliseconds(10))
            }
            // No bytes are lost, and other errors stay what they are.
            try await stream.write("later")
            #expect(try await read(.seconds(30)) == Array("later".utf8))
            await stream.close()
            await #expect(throws: SmallStream.closed) { _ = try await read(.seconds(30)) }
        }
    }

    /// Promise of the article "Reading lines and messages".
    @Test func aWriteHasATimeLimit() throws {
        try withTask { loop in
            let stream = SmallStream(on: loop)
            stream.isFull = true
            await #expect(throws: UVError(.timedOut, operation: "UVByteStream.write")) {
                try await stream.write("dropped", within: .milliseconds(10))
            }
            stream.isFull = false
            try await stream.write("written", within: .seconds(30))
            #expect(stream.bytes == Array("written".utf8))
            let writer = Task(executorPreference: loop) {
                stream.isFull = true
                try await stream.write("dropped", within: .seconds(1000))
            }
            try await loop.sleep(for: .milliseconds(1))
            writer.cancel()
            await #expect(throws: UVError(.cancelled, operation: "sleep")) { try await writer.value }
        }
    }

    /// Code over the protocol calls the functions of the connection, and not the default implementations.
    @Test func aConnectionUsesItsOwnTimer() throws {
        try withTask { loop in
            let (client, server) = try await UVConnection.pair(on: loop)
            let stream: any UVByteStream = client
            await #expect(throws: UVError(.timedOut, operation: "uv_read_start")) {
                _ = try await stream.read(within: .milliseconds(5))?.count
            }
            await #expect(throws: UVError(.timedOut, operation: "uv_write")) {
                while true { try await stream.write(loop.buffer(1, count: 1 << 20), within: .milliseconds(5)) }
            }
            await client.close()
            await server.close()
        }
    }
}

// @unchecked Sendable: used only on the loop's thread, or by one task at a time.
/// A stream that reads what has been written to it.
private final class SmallStream: UVByteStream, @unchecked Sendable {
    static let closed = UVError(.cancelled, operation: "SmallStream")

    let loop: UVLoop
    let written = Counter()
    /// Whether writes wait until they are cancelled.
    var isFull = false
    private(set) var bytes: [UInt8] = []
    private var isClosed = false

    init(on loop: UVLoop) { self.loop = loop }

    nonisolated(nonsending) func read() async throws(UVError) -> UVBuffer? {
        while bytes.isEmpty {
            if isClosed { throw SmallStream.closed }
            try await loop.sleep(for: .milliseconds(1))
        }
        defer { bytes = [] }
        return loop.makeBuffer(copying: bytes)
    }

    nonisolated(nonsending) func write(_ buffer: consuming UVBuffer) async throws(UVError) {
        if isFull { try await loop.sleep(for: .seconds(1000)) }
        written.add()
        buffer.append(to: &bytes)
    }

    nonisolated(nonsending) func flush() async throws(UVError) {}

    nonisolated(nonsending) func shutdown() async throws(UVError) {}

    nonisolated(nonsending) func close() async { isClosed = true }
}
