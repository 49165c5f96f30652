import LibUV
import Testing

/// Tests of copies between buffers and other memory.
@Suite struct BufferCopyTests {
    @Test func aBufferIsMadeOfBytesAndCopiedToAnArray() throws {
        try withLoop { loop in
            let bytes: [UInt8] = [1, 2, 3]
            let made = loop.makeBuffer(copying: bytes)
            #expect([UInt8](copying: made) == [1, 2, 3])
            var array: [UInt8] = [0]
            made.append(to: &array)
            loop.makeBuffer(copying: bytes.span.extracting(1..<2)).append(to: &array)
            loop.makeBuffer(copying: "é").append(to: &array)
            loop.makeBuffer(copying: "").append(to: &array)
            #expect(array == [0, 1, 2, 3, 2, 0xC3, 0xA9])
            let long = String(repeating: "ab", count: 100_000)
            // If arrays of this size differed, describing the difference would take minutes.
            let isEqual = [UInt8](copying: loop.makeBuffer(copying: long)) == Array(long.utf8)
            #expect(isEqual)
        }
    }

    @Test func aStreamMakesTheSameBuffers() throws {
        try withLoop { loop in
            let stream = try UVTCPStream(on: loop)
            #expect([UInt8](copying: stream.makeBuffer(copying: [1, 2])) == [1, 2])
            #expect([UInt8](copying: stream.makeBuffer(copying: "ab")) == [0x61, 0x62])
            #expect([UInt8](copying: stream.makeBuffer(copying: [UInt8]().span)).isEmpty)
            stream.close()
            try loop.run()
        }
    }

    /// Each limit is tried with pieces that end before it, at it and after it.
    ///
    /// Promise of the article "Reading lines and messages".
    @Test(arguments: [0, 1, 127, 128, 129, 5000, 131_072, 131_073, 300_000], [1, 100, 4096])
    func aBufferGrowsUpToTheLimit(_ limit: Int, _ piece: Int) throws {
        try withLoop { loop in
            var buffer = loop.makeBuffer(capacity: 0)
            var expected: [UInt8] = []
            while true {
                let next = (0..<piece).map { UInt8(truncatingIfNeeded: expected.count + $0) }
                let appended = buffer.append(copying: next.span, growingTo: limit)
                #expect(appended == min(piece, limit - expected.count))
                expected += next.prefix(appended)
                if appended < piece { break }
            }
            #expect(buffer.count == limit)
            let isEqual = [UInt8](copying: buffer) == expected
            #expect(isEqual)
            // The smaller blocks have returned to the pool.
            #expect(loop.statistics.buffers.held == 1)
            let rest = buffer.append(copying: [1, 2].span, growingTo: limit - 1)
            #expect(rest == 0)
        }
    }

    @Test func aBufferWhoseFrontWasRemovedKeepsTheRestWhenItGrows() throws {
        try withLoop { loop in
            var buffer = loop.makeBuffer(copying: [UInt8](repeating: 1, count: 128))
            buffer.removeFirst(100)
            let appended = buffer.append(copying: [UInt8](repeating: 2, count: 101).span, growingTo: 1000)
            #expect(appended == 101)
            #expect([UInt8](copying: buffer) == [UInt8](repeating: 1, count: 28) + [UInt8](repeating: 2, count: 101))
        }
    }

    /// Each buffer that exists after the loop has closed keeps the loop object alive.
    ///
    /// Promise of the article "Threads and executors".
    @Test func buffersThatAreMadeAfterTheLoopHasClosedAreFreedOnce() throws {
        weak var closed: UVLoop?
        do {
            let loop = try UVLoop()
            closed = loop
            var buffer = loop.makeBuffer(copying: "a")
            try loop.close()
            for size in [500, 5000] {
                buffer.append(copying: [UInt8](repeating: 1, count: size).span)
                #expect(loop.statistics.buffers.made == 1)
            }
            let late = loop.makeBuffer(copying: "late")
            #expect([UInt8](copying: late) == Array("late".utf8))
            #expect(buffer.count == 5501)
            #expect(loop.statistics.buffers.held == 2)
        }
        #expect(closed == nil)
    }

    @Test func aBufferOfALoopThatWasReleasedWithoutACloseGrows() throws {
        var buffer = try UVLoop().makeBuffer(copying: "a")
        buffer.append(copying: [UInt8](repeating: 98, count: 999).span)
        #expect([UInt8](copying: buffer) == [97] + [UInt8](repeating: 98, count: 999))
    }

    /// Growing block by block would copy 64 GiB here, and take minutes.
    ///
    /// Promise of the article "Reading lines and messages".
    @Test(.timeLimit(.minutes(1))) func growingByPiecesIsLinear() throws {
        try withLoop { loop in
            var buffer = loop.makeBuffer(capacity: 0)
            let piece = [UInt8](repeating: 7, count: 1024)
            for _ in 0..<16384 { buffer.append(copying: piece.span) }
            #expect(buffer.count == 16384 * 1024)
            #expect(buffer.capacity <= 32768 * 1024)
        }
    }
}
