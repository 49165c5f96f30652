import LibUV
import Testing

/// Tests of buffers that grow when bytes are appended.
@Suite(.timeLimit(.minutes(1))) struct BufferGrowthTests {
    /// Each size class is exceeded by one byte and by many.
    ///
    /// Promise of the article "Reading lines and messages".
    @Test(arguments: [0, 128, 1024, 8192, 65_536, 131_072, 200_000], [1, 100, 70_000])
    func appendingLosesNoByte(_ capacity: Int, _ excess: Int) throws {
        try withLoop { loop in
            var buffer = loop.makeBuffer(capacity: capacity)
            let first = (0..<buffer.capacity).map { UInt8(truncatingIfNeeded: $0) }
            buffer.append(copying: first.span)
            #expect(buffer.count == buffer.capacity)
            let rest = [UInt8](repeating: 255, count: excess)
            buffer.append(copying: rest.span)
            let isEqual = [UInt8](copying: buffer) == first + rest
            #expect(isEqual)
            #expect(buffer.capacity >= min(131_072, 2 * first.count))
            // The smaller block has returned to the pool.
            #expect(loop.statistics.buffers.held == 1)
        }
    }

    /// The capacity is that of the next class, so that the next bytes need no further copy.
    @Test func aFullBufferGrowsToTheNextClass() throws {
        try withLoop { loop in
            var buffer = loop.makeBuffer(capacity: 1)
            var capacities: [Int] = []
            while capacities.count < 6 {
                capacities.append(buffer.capacity)
                buffer.append(copying: [UInt8](repeating: 1, count: buffer.capacity - buffer.count + 1).span)
            }
            #expect(capacities == [128, 1024, 8192, 65_536, 131_072, 262_144])
        }
    }

    /// A buffer whose front was removed uses the room there, or grows.
    @Test(arguments: [1, 64, 127, 128], [2, 65, 128, 129])
    func aBufferWithoutItsFrontKeepsTheRest(_ removed: Int, _ added: Int) throws {
        try withLoop { loop in
            var buffer = loop.makeBuffer(copying: (0..<128).map { UInt8($0) })
            buffer.removeFirst(removed)
            let bytes = [UInt8](repeating: 255, count: added)
            buffer.append(copying: bytes.span)
            #expect(buffer.bytes == (removed..<128).map { UInt8($0) } + bytes)
            let isRoomy = removed >= 64 && 128 - removed + added <= 128
            #expect(loop.statistics.buffers.made == (isRoomy ? 1 : 2))
            buffer.append(copying: [UInt8]().span)
            #expect(buffer.count == 128 - removed + added)
        }
    }

    /// A received buffer that has grown is written as a whole.
    @Test func aReceivedBufferIsExtendedAndWritten() throws {
        try withTask { loop in
            let (client, server) = try await UVConnection.pair(on: loop)
            try await client.write("abc")
            guard var buffer = try await server.read() else {
                Issue.record("the stream has ended")
                return
            }
            let trailer = [UInt8](repeating: 120, count: 100_000)
            buffer.append(copying: trailer.span)
            let writing = Task(executorPreference: loop) { [box = Box(buffer)] in
                if let buffer = box.take() { try await server.write(buffer) }
                await server.close()
            }
            let isEqual = try await client.readAll() == Array("abc".utf8) + trailer
            #expect(isEqual)
            try await writing.value
            await client.close()
        }
    }

    // @unchecked Sendable: one task fills the box, and another one empties it later.
    private final class Box: @unchecked Sendable {
        private var buffer: UVBuffer?
        init(_ buffer: consuming UVBuffer) { self.buffer = consume buffer }
        func take() -> UVBuffer? { buffer.take() }
    }

    /// Reading into a buffer fills its capacity, and does not make it grow.
    @Test func aReadIntoABufferDoesNotMakeItGrow() throws {
        try withTask { loop in
            let (client, server) = try await UVConnection.pair(on: loop)
            try await client.write([UInt8](repeating: 1, count: 1000))
            // Reads the bytes ahead.
            guard var first = try await server.read() else {
                Issue.record("the stream has ended")
                return
            }
            try await client.write([UInt8](repeating: 2, count: 1000))
            try await loop.sleep(for: .milliseconds(2))
            var buffer = loop.makeBuffer(capacity: 128)
            let count = try await server.read(into: &buffer)
            #expect(count == 128)
            #expect(buffer.capacity == 128)
            let bytes = buffer.bytes
            first.append(copying: bytes.span)
            #expect(first.count == 1128)
            await client.close()
            await server.close()
        }
    }
}
