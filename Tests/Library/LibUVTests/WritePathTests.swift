import CLibUV
import Testing

@testable import LibUV

/// Tests of the write path: gathered writes of one stream, empty buffers in a write, and errors of reads.
@Suite(.timeLimit(.minutes(1))) struct WritePathTests {
    /// The flags in the `data` of a stream.
    private func flags(_ stream: UVStream) -> UInt {
        unsafe UInt(bitPattern: stream.stream.pointee.data) & Trampolines.flags
    }

    /// Writes until the kernel accepts no more bytes and writes are gathered.
    private func stall(_ stream: UVStream) throws {
        while stream.writeQueueSize == 0 { try stream.write(stream.buffer([UInt8](repeating: 1, count: 1 << 20))) }
        try stream.write(stream.buffer("gathered"))
    }

    /// A stream that gathers writes marks only itself, so the writes of other streams stay on the fast path.
    ///
    /// Promise of the article "Coming from libuv in C".
    @Test(arguments: StreamKind.allCases) func aStalledStreamLeavesOthersOnTheFastPath(_ kind: StreamKind) throws {
        try withLoop { loop in
            let stalled = try StreamPair.make(kind, on: loop)
            let other = try StreamPair.make(kind, on: loop)
            try stalled.client.collect(Collected())
            stalled.client.reportsWrites = true
            try stall(stalled.client)
            #expect(flags(stalled.client) == Trampolines.gathersWrites | Trampolines.reportsWrites)
            #expect(stalled.client.writeQueueSize > 8)
            #expect(stalled.client.reportsWrites)
            #expect(flags(other.client) == 0)

            let received = Collected()
            try other.server.collect(received)
            for round in 1...10 {
                try other.client.write(other.client.buffer("x"))
                #expect(unsafe loop.state.pointee.gathered.count == 1)
                #expect(other.client.writeQueueSize == 0)
                try loop.run(.noWait)
                try loop.run(.noWait)
                #expect(received.bytes.count == round)
                #expect(loop.statistics.buffers.inFlight > 1)
            }

            // The mark disappears with the gathered writes.
            let rest = Collected()
            try stalled.server.collect(rest)
            while stalled.client.writeQueueSize != 0 { try loop.run(.once) }
            #expect(flags(stalled.client) == Trampolines.reportsWrites)
            #expect(unsafe loop.state.pointee.gathered.isEmpty)
            stalled.client.close()
            other.close()
            try loop.run()
            #expect(rest.bytes.suffix(8) == Array("gathered".utf8)[...])
        }
    }

    /// A stream without a closure gathers writes too, and closes with gathered writes.
    @Test(arguments: StreamKind.allCases) func aMarkedStreamCloses(_ kind: StreamKind) throws {
        try withLoop { loop in
            let pair = try StreamPair.make(kind, on: loop)
            try stall(pair.client)
            var failures = 0
            try pair.client.write(pair.client.buffer("last")) { result in
                if case .failure(let error) = result, error.code == .cancelled { failures += 1 }
            }
            #expect(flags(pair.client) == Trampolines.gathersWrites)
            pair.close()
            #expect(flags(pair.client) == 0)
            try loop.run()
            #expect(failures == 1)
            #expect(pair.client.isClosed)
        }
    }

    /// libuv gets no empty buffer, unless the whole write is empty, and each write still completes once.
    @Test(arguments: [[0], [0, 0], [3, 0], [0, 3], [3, 0, 2, 0, 0], [0, 0, 1]])
    func emptyBuffersAreNotPassedToLibuv(_ sizes: [Int]) throws {
        try withLoop { loop in
            let pair = try StreamPair.make(.tcpPair, on: loop)
            var passed: [Int] = []
            var inspected = UVBufferVector()
            var written = UVBufferVector()
            for size in sizes {
                inspected.append(pair.client.buffer([UInt8](repeating: 1, count: size)))
                written.append(pair.client.buffer([UInt8](repeating: 1, count: size)))
            }
            let first = unsafe try #require(inspected.takeBlocks())
            _ = unsafe WriteChain.withBuffers(of: first) { buffers, count in
                for index in 0..<Int(count) { unsafe passed.append(Int(buffers?[index].len ?? 0)) }
                return 0
            }
            unsafe WriteChain.drop(first)
            let full = sizes.filter { $0 > 0 }
            #expect(passed == (full.isEmpty ? [0] : full))

            let received = Collected()
            try pair.server.collect(received)
            var completions = 0
            try pair.client.write(written) { result in
                #expect((try? result.get()) != nil)
                completions += 1
            }
            try pair.client.shutdown { [client = pair.client] _ in client.close() }
            try loop.run()
            #expect(completions == 1)
            #expect(received.bytes.count == sizes.reduce(0, +))
        }
    }

    /// libuv reports `UV_ENOBUFS` if no buffer was lent.
    ///
    /// The same error of the kernel ends the stream.
    @Test(arguments: StreamKind.allCases) func anErrorOfTheKernelIsNotTakenForAMissingBuffer(
        _ kind: StreamKind
    ) throws {
        try withLoop { loop in
            let pair = try StreamPair.make(kind, on: loop)
            let collected = Collected()
            try pair.client.collect(collected)
            var none = unsafe uv_buf_t()
            var lent = unsafe loop.cell.pointee.read_buffer
            unsafe Trampolines.onRead(pair.client.stream, Int(UV_ENOBUFS.rawValue), &none)
            #expect(collected.failures.isEmpty)
            #expect(pair.client.isActive)
            unsafe Trampolines.onRead(pair.client.stream, Int(UV_ENOBUFS.rawValue), &lent)
            #expect(collected.failures == [UVError(.noBufferSpace, operation: "uv_read_start")])
            pair.server.close()
            try loop.run()
            #expect(collected.closedCount == 1)
        }
    }
}

/// Tests of water marks, of writes that copy, and of the memory of the pool.
@Suite(.timeLimit(.minutes(1))) struct WaterMarkTests {
    /// Promise of the article "Back-pressure".
    @Test(arguments: StreamKind.allCases) func aFullQueueReportsOnceThatItHasDrained(_ kind: StreamKind) throws {
        try withLoop { loop in
            let pair = try StreamPair.make(kind, on: loop)
            let events = Collected()
            try pair.client.collect(events)
            pair.client.waterMarks = UVWaterMarks(high: 200_000)
            #expect(pair.client.waterMarks == UVWaterMarks(high: 200_000, low: 100_000))
            let received = Collected()
            var fills = 0
            for round in 1...3 {
                // The kernel may accept more bytes after the queue has become full, and drain it.
                repeat {
                    while !pair.client.isFull {
                        try pair.client.write(pair.client.buffer([UInt8](repeating: 1, count: 50_000)))
                        #expect(pair.client.isFull == (pair.client.writeQueueSize > 200_000))
                    }
                    fills += 1
                    // More writes to a full queue cause no second event.
                    try pair.client.write("more")
                    for _ in 0..<10 { try loop.run(.noWait) }
                    #expect(events.drainedCount == (pair.client.isFull ? fills - 1 : fills))
                } while !pair.client.isFull
                if round == 1 {
                    try pair.server.collect(received)
                } else {
                    try pair.server.resumeReading()
                }
                while events.drainedCount < fills { try loop.run(.once) }
                #expect(pair.client.writeQueueSize <= 100_000)
                pair.server.stopReading()
            }
            // Without marks, the queue is never full.
            pair.client.waterMarks = nil
            for _ in 0..<100 { try pair.client.write(pair.client.buffer([UInt8](repeating: 1, count: 50_000))) }
            #expect(!pair.client.isFull)
            try pair.server.resumeReading()
            while pair.client.writeQueueSize > 0 { try loop.run(.once) }
            #expect(events.drainedCount == fills)
            #expect(events.failures.isEmpty)
            pair.close()
            try loop.run()
            #expect(unsafe loop.state.pointee.waterLevels.isEmpty)
        }
    }

    @Test(arguments: StreamKind.allCases) func marksDisappearWithTheirStream(_ kind: StreamKind) throws {
        try withLoop { loop in
            let pair = try StreamPair.make(kind, on: loop)
            let events = Collected()
            try pair.client.collect(events)
            pair.client.waterMarks = UVWaterMarks(high: 0)
            while !pair.client.isFull { try pair.client.write(copying: [UInt8](repeating: 1, count: 1 << 20).span) }
            pair.close()
            try loop.run()
            #expect(unsafe loop.state.pointee.waterLevels.isEmpty)
            #expect(events.drainedCount == 0)
            #expect(events.closedCount == 1)
        }
    }

    @Test(arguments: StreamKind.allCases) func textAndCopiedBytesArriveInOrder(_ kind: StreamKind) throws {
        try withLoop { loop in
            let pair = try StreamPair.make(kind, on: loop)
            let received = Collected()
            try pair.server.collect(received)
            try pair.client.write("häuser, ")
            try pair.client.write("")
            try pair.client.write(copying: Array("bytes".utf8).span)
            try pair.client.write(copying: Span())
            try pair.client.shutdown { [client = pair.client] _ in client.close() }
            try loop.run()
            #expect(received.text == "häuser, bytes")
            #expect(throws: UVError(.badDescriptor, operation: "uv_write")) { try pair.client.write("late") }
        }
    }

    /// The memory of many stalled streams returns to the system, although small allocations lie between the blocks.
    ///
    /// Promise of the article "Back-pressure".
    @Test(.enabled(if: !isSanitized, "a sanitizer does not return freed memory"))
    func theMemoryOfStalledStreamsReturnsToTheSystem() async {
        await #expect(processExitsWith: .success) {
            try withLoop { loop in
                var pairs: [StreamPair] = []
                for _ in 0..<50 { pairs.append(try StreamPair.make(.tcpPair, on: loop)) }
                let before = try UVCurrentProcess.residentByteCount
                var between: [[UInt8]] = []
                for _ in 0..<60 {
                    for pair in pairs {
                        var buffer = pair.client.makeBuffer(capacity: 60_000)
                        buffer.withOutputSpan { output in output.append(repeating: 1, count: 60_000) }
                        try pair.client.write(buffer)
                        between.append([UInt8](repeating: 1, count: 100))
                    }
                }
                #expect(try UVCurrentProcess.residentByteCount > before + (100 << 20))
                for pair in pairs { pair.close() }
                try loop.run()
                // The pool keeps 8 MiB, and memory is returned from 16 MiB on.
                #expect(try UVCurrentProcess.residentByteCount < before + (40 << 20))
                #expect(between.count == 3000)
            }
        }
    }
}
