import LibUV
import Testing

/// Tests of writing the same bytes to several streams.
@Suite(.timeLimit(.minutes(1))) struct SharedBufferTests {
    @Test func aSharedBufferHasACopyOfItsBytes() {
        var source: [UInt8] = [1, 2, 3]
        let shared = UVSharedBuffer(copying: source)
        source[0] = 9
        #expect(shared.count == 3)
        #expect(shared.withBytes { span in span.indices.map { span[$0] } } == [1, 2, 3])
        #expect(UVSharedBuffer(copying: "é").withBytes { $0[1] } == 0xA9)
        #expect(UVSharedBuffer(copying: "").count == 0)
        #expect(UVSharedBuffer(copying: source.span.extracting(1..<2)).withBytes { $0[0] } == 2)
    }

    /// Shared writes, gathered writes, vectors and empty writes keep their order on every kind of stream.
    @Test(arguments: StreamKind.allCases) func writesOfAllKindsKeepTheirOrder(_ kind: StreamKind) throws {
        try withLoop { loop in
            let pair = try StreamPair.make(kind, on: loop)
            var expected: [UInt8] = []
            var completions: [Int] = []
            // The first write exceeds the kernel's buffers, so all others are queued behind it.
            let big = [UInt8](repeating: 1, count: 5_000_000)
            try pair.client.write(pair.client.buffer(big))
            expected += big
            for index in 0..<40 {
                let bytes = [UInt8](repeating: UInt8(index), count: index % 5 == 0 ? 100_000 : index)
                expected += bytes
                switch index % 4 {
                case 0: try pair.client.write(UVSharedBuffer(copying: bytes)) { _ in completions.append(index) }
                case 1: try pair.client.write(pair.client.buffer(bytes)) { _ in completions.append(index) }
                case 2: try pair.client.write(pair.client.buffer(bytes))
                default: try pair.client.write(UVSharedBuffer(copying: bytes))
                }
            }
            #expect(pair.client.writeQueueSize > 1_000_000)
            #expect(pair.client.writeQueueSize <= expected.count)
            try pair.client.shutdown { _ in completions.append(100) }
            let collected = Collected()
            try pair.server.collect(collected)
            while collected.closedCount == 0 { try loop.run(.once) }
            // If arrays of this size differed, describing the difference would take minutes.
            let isInOrder = collected.bytes == expected
            #expect(isInOrder)
            #expect(completions == (0..<40).filter { $0 % 4 < 2 } + [100])
            #expect(pair.client.writeQueueSize == 0)
            pair.close()
            try loop.run()
        }
    }

    @Test func aGatheredWriteBehindASharedWriteIsSent() throws {
        try withLoop { loop in
            let pair = try StreamPair.make(.tcpPair, on: loop)
            try pair.client.write(UVSharedBuffer(copying: [UInt8](repeating: 1, count: 5_000_000)))
            try pair.client.write(pair.client.buffer("end"))
            let collected = Collected()
            try pair.server.collect(collected)
            while collected.bytes.count < 5_000_003 { try loop.run(.once) }
            #expect(collected.bytes.suffix(3) == Array("end".utf8)[...])
            pair.close()
            try loop.run()
        }
    }

    @Test func theEventsReportSharedWritesLikeOthers() throws {
        try withLoop { loop in
            let pair = try StreamPair.make(.tcpPair, on: loop)
            let collected = Collected()
            try pair.client.collect(collected)
            pair.client.reportsWrites = true
            try pair.client.write(UVSharedBuffer(copying: "a"))
            try pair.client.write(UVSharedBuffer(copying: ""))
            while collected.writtenCount < 2 { try loop.run(.once) }
            try pair.client.write(UVSharedBuffer(copying: [UInt8](repeating: 1, count: 5_000_000)))
            // The peer closes without reading everything, so the write fails.
            pair.server.close()
            while collected.failures.isEmpty { try loop.run(.once) }
            #expect(collected.failures.count == 1)
            #expect(collected.writtenCount == 2)
            pair.client.close()
            try loop.run()
        }
    }

    /// Promise of the article "Reading lines and messages".
    @Test func closingAStreamCompletesSharedWritesOnceAndReleasesThem() throws {
        try withLoop { loop in
            weak var released: UVSharedBuffer?
            var results: [Bool] = []
            do {
                let pair = try StreamPair.make(.tcpPair, on: loop)
                let shared = UVSharedBuffer(copying: [UInt8](repeating: 1, count: 3_000_000))
                released = shared
                for _ in 0..<3 {
                    try pair.client.write(shared) { result in
                        if case .failure(let error) = result { results.append(error.code == .cancelled) }
                    }
                }
                pair.client.close()
                #expect(throws: UVError(.badDescriptor, operation: "uv_write")) {
                    try pair.client.write(shared) { _ in Issue.record("completed") }
                }
                pair.server.close()
            }
            try loop.run()
            #expect(results == [true, true, true])
            #expect(released == nil)
        }
    }

    @Test func aStreamThatCannotBeWrittenRejectsASharedBuffer() throws {
        try withLoop { loop in
            let pair = try StreamPair.make(.tcpPair, on: loop)
            try pair.client.shutdown()
            #expect(throws: UVError(.brokenPipe, operation: "uv_write")) {
                try pair.client.write(UVSharedBuffer(copying: "x"))
            }
            let unconnected = try UVTCPStream(on: loop)
            #expect(throws: UVError(.badDescriptor, operation: "uv_write")) {
                try unconnected.write(UVSharedBuffer(copying: "x"))
            }
            unconnected.close()
            pair.close()
            try loop.run()
        }
    }

    /// One buffer of 1 MiB to 200 clients that do not read: with copies, this would occupy about 200 MiB.
    ///
    /// The test measures its process, and therefore has a process of its own.
    ///
    /// Promises of the articles "Ownership and lifetime" and "Reading lines and messages".
    @Test func manyStalledClientsShareTheMemory() async {
        await #expect(processExitsWith: .success) {
            try withLoop { loop in
                var pairs: [StreamPair] = []
                for _ in 0..<200 { pairs.append(try StreamPair.make(.tcpPair, on: loop)) }
                let shared = UVSharedBuffer(copying: [UInt8](repeating: 7, count: 1 << 20))
                let before = try UVCurrentProcess.residentByteCount
                for pair in pairs { try pair.client.write(shared) }
                let queued = pairs.reduce(0) { $0 + $1.client.writeQueueSize }
                try #require(queued > 100 << 20)
                try #require(try UVCurrentProcess.residentByteCount - before <= 8 << 20)
                for pair in pairs { pair.close() }
                try loop.run()
            }
        }
    }

    @Test func aConnectionWaitsForItsReaderAlsoWithSharedBytes() throws {
        try withTask { loop async throws in
            let (client, server) = try await UVConnection.pair(on: loop, highWaterMark: 1 << 20)
            let shared = UVSharedBuffer(copying: [UInt8](repeating: 7, count: 1 << 20))
            let written = Counter()
            let sender = Task(executorPreference: loop) {
                for _ in 0..<20 {
                    try await client.write(shared)
                    written.add()
                }
                try await client.shutdown()
            }
            try await loop.sleep(for: .milliseconds(20))
            #expect(written.value < 20)
            #expect(client.stream.writeQueueSize <= 2 << 20)
            #expect(try await server.readAll().count == 20 << 20)
            try await sender.value
            #expect(written.value == 20)
            await client.close()
            await #expect(throws: UVError.self) { try await client.write(shared) }
            await server.close()
        }
    }
}
