import LibUV
import Testing

/// Tests of a write buffer that is not written to a stream.
@Suite struct WriteBufferTests {
    @Test func bytesAreAppendedUpToALimitAndTakenFromTheFront() throws {
        try withLoop { loop in
            var buffer = loop.makeBuffer(capacity: 100)
            // The capacity is rounded up to the buffer's size class.
            #expect(buffer.capacity == 128)
            let bytes = (0..<200).map { UInt8($0) }
            let appended = buffer.append(copying: bytes.span, growingTo: 128)
            #expect(appended == 128)
            #expect(buffer.count == 128)
            buffer.removeFirst(100)
            buffer.removeFirst(-1)
            let rest = buffer.withBytes { span in span.indices.map { span[$0] } }
            #expect(rest == Array(bytes[100..<128]))
            #expect(buffer.capacity == 28)
            buffer.removeFirst(1000)
            #expect(buffer.count == 0)
        }
    }

    @Test func aRefilledBufferBeginsAnew() throws {
        try withLoop { loop in
            do {
                var first = loop.makeBuffer(capacity: 8)
                first.append(copying: [1, 2, 3].span)
                first.removeFirst(2)
            }
            let second = loop.makeBuffer(capacity: 8)
            #expect(second.count == 0)
            #expect(second.capacity == 128)
            #expect(loop.statistics.buffers.made == 1)
        }
    }

    /// Promise of the article "Ownership and lifetime".
    @Test(arguments: [0, 128, 129, 1024, 1025, 8192, 65536, 65537, 131_072, 131_073, 1 << 22])
    func everySizeHasRoomAndComesBack(_ size: Int) throws {
        try withLoop { loop in
            do {
                let buffer = loop.makeBuffer(capacity: size)
                #expect(buffer.capacity >= size)
                #expect(loop.statistics.buffers.held == 1)
            }
            // A buffer larger than every size class is freed; other buffers return to the pool.
            #expect(loop.statistics.buffers.pooled == (size > 131_072 ? 0 : 1))
            #expect(loop.statistics.buffers.made == loop.statistics.buffers.pooled)
        }
    }
}
