import CLibUV
import Foundation
import SystemCalls
import Testing

@testable import LibUV

/// Tests of promises in the articles that no other test covers; see docs/promises.md.
@Suite(.timeLimit(.minutes(1))) struct ArticlePromiseTests {
    // MARK: - Back-pressure in tasks

    /// The server is an echo, whose client writes as much as it can, and never reads.
    ///
    /// Promises of the articles "Back-pressure" and "Getting started".
    @Test func aClientThatNeverReadsStopsTheReads() async throws {
        try await withOuterTask { loop in
            let (client, server) = try await UVConnection.pair(on: loop)
            let echo = Task(executorPreference: loop) {
                while let bytes = try await server.read() { try await server.write(bytes) }
            }
            let chunk = [UInt8](repeating: 1, count: 64 << 10)
            await #expect(throws: UVError(.timedOut, operation: "uv_write")) {
                for _ in 0..<2000 { try await client.write(chunk, within: .seconds(1)) }
            }
            // Each read may exceed the limit of 64 KiB by up to 128 KiB, and so may each write.
            #expect(server.receivedByteCount <= (64 + 128) << 10)
            #expect(server.stream.writeQueueSize > 64 << 10)
            #expect(server.stream.writeQueueSize <= (64 + 128) << 10)
            await client.close()
            _ = await echo.result
            await server.close()
        }
    }

    /// A copy would need another buffer.
    ///
    /// Promises of the articles "Back-pressure" and "Closures and tasks".
    @Test func anEchoMovesItsBuffer() throws {
        try withTask { loop in
            let (client, server) = try await UVConnection.pair(on: loop)
            try await client.write([UInt8](repeating: 3, count: 5000))
            guard let buffer = try await server.read() else {
                Issue.record("no bytes")
                return
            }
            let made = loop.statistics.buffers.made
            #expect(loop.statistics.buffers.held == 1)
            try await server.write(buffer)
            let buffers = loop.statistics.buffers
            #expect(buffers.made == made && buffers.held == 0 && buffers.inFlight == 0)
            #expect(try await client.read()?.bytes == [UInt8](repeating: 3, count: 5000))
            await client.close()
            await server.close()
        }
    }

    /// Writes complete and `flush` returns although the peer reads nothing, as soon as the kernel has the bytes.
    ///
    /// Promises of the articles "Back-pressure" and "What is not guaranteed".
    @Test func flushWaitsForTheKernel() throws {
        try withTask { loop in
            let (client, server) = try await UVConnection.pair(on: loop, highWaterMark: .max)
            let completed = Counter()
            try client.stream.write(loop.buffer(1, count: 5)) { _ in completed.add() }
            try await client.flush()
            while completed.value == 0 { try await loop.sleep(for: .milliseconds(1)) }
            #expect(loop.statistics.readByteCount == 0)
            try await client.write(loop.buffer(1, count: 20_000_000))
            #expect(client.stream.writeQueueSize > 0)
            let flushed = Counter()
            let flushing = Task(executorPreference: loop) {
                try await client.flush()
                flushed.add()
                #expect(client.stream.writeQueueSize == 0)
            }
            for _ in 0..<20 { try await loop.sleep(for: .milliseconds(1)) }
            #expect(flushed.value == 0)
            var received = 0
            while received < 20_000_005 { received += try await server.read()?.count ?? 20_000_005 }
            try await flushing.value
            #expect(flushed.value == 1)
            await client.close()
            await server.close()
        }
    }

    /// The kernel accepts all writes, so nothing else makes the task wait.
    ///
    /// Promise of the article "Back-pressure".
    @Test func aWriterWaitsForOneIterationAfter256KiB() throws {
        try withTask { loop in
            let passes = Counter()
            let prepare = try UVPrepare(on: loop)
            try prepare.start { _ in passes.add() }
            var (all, counts): ([UVConnection], [Int]) = ([], [])
            for _ in 0..<10 {
                let (near, far) = try UVTCPStream.pair(on: loop)
                all += [try UVConnection(near), try UVConnection(far)]
            }
            let begin = passes.value
            for index in 0..<10 {
                try await all[2 * index].write(loop.buffer(1, count: 64 << 10))
                #expect(all[2 * index].stream.writeQueueSize == 0)
                counts.append(passes.value - begin)
            }
            #expect(counts == [0, 0, 0, 0, 1, 1, 1, 1, 1, 2])
            prepare.close()
            for connection in all { await connection.close() }
        }
    }

    /// Twelve bytes, each of which arrives in time, together take longer than the limit.
    ///
    /// Promises of the articles "Back-pressure" and "Stopping a server".
    @Test func theLimitOfAReadAppliesToTheNextBytes() async throws {
        try await withOuterTask { loop in
            let (client, server) = try await UVConnection.pair(on: loop)
            let limit = Duration.seconds(1)
            let begin = loop.clock.now
            let sender = Task(executorPreference: loop) {
                for _ in 0..<12 {
                    try await loop.sleep(for: .milliseconds(100))
                    try await client.write([1])
                }
            }
            var received = 0
            while received < 12 { received += try await server.read(within: limit)?.count ?? 100 }
            #expect(received == 12)
            #expect(begin.duration(to: loop.clock.now) > limit)
            try await sender.value
            await client.close()
            await server.close()
        }
    }

    // MARK: - Back-pressure in closures

    /// The closure is that of the article.
    ///
    /// Promise of the article "Back-pressure".
    @Test func anEchoInClosuresBuffersAtMostOneReadMore() throws {
        try withLoop(configuration: .init(readBufferSize: 10_000)) { loop in
            let connection = try Connection.make(on: loop)
            let stream = connection.server
            var peak = 0
            stream.waterMarks = UVWaterMarks(high: 100_000)
            try stream.startReading { stream, event in
                switch event {
                case .bytes(let bytes):
                    try? stream.write(copying: bytes)
                    peak = max(peak, stream.writeQueueSize)
                    if stream.isFull { stream.stopReading() }
                case .drained: try? stream.resumeReading()
                case .end: try? stream.shutdown { _ in stream.close() }
                case .failed: stream.close()
                case .written, .closed: break
                }
            }
            let count = 32 << 20
            try connection.client.write(connection.client.buffer([UInt8](repeating: 1, count: count))) { _ in }
            try connection.client.shutdown()
            try loop.runUntil { stream.isFull }
            for _ in 0..<20 { try loop.run(.noWait) }
            #expect(stream.isFull)
            let collected = Collected()
            try connection.client.collect(collected)
            try loop.runUntil { connection.client.isClosed && stream.isClosed }
            #expect(collected.bytes.count == count)
            #expect(peak > 100_000 && peak <= 110_000)
        }
    }

    /// Without a pause, libuv would read all bytes in one iteration.
    ///
    /// Promise of the article "Back-pressure".
    @Test func aStreamWithManyRepliesPausesReading() throws {
        let readSize = 16 << 10
        try withLoop(configuration: .init(readBufferSize: readSize)) { loop in
            let pair = try StreamPair.make(.tcpPair, on: loop)
            let total = try pair.client.tryWrite([UInt8](repeating: 1, count: 150 << 10).span)
            try #require(total > 100 << 10)
            var (received, passes): (Int, [Int]) = (0, [])
            let prepare = try UVPrepare(on: loop)
            try prepare.start { _ in passes.append(received) }
            try pair.server.startReading { stream, event in
                guard case .bytes(let bytes) = event else { return }
                received += bytes.count
                try? stream.write(copying: bytes)
            }
            try loop.runUntil { received == total }
            passes.append(received)
            let mostInOnePass = zip(passes.dropFirst(), passes).map { $0 - $1 }.max() ?? 0
            #expect(mostInOnePass > 64 << 10)
            #expect(mostInOnePass <= 64 << 10 + readSize)
            #expect(pair.server.writeQueueSize == 0)
            prepare.close()
            pair.close()
            try loop.run()
        }
    }

    // MARK: - Reads, buffers and handles

    /// Promises of the articles "Coming from libuv in C" and "Ownership and lifetime".
    @Test func allReadsOfALoopUseOneBuffer() throws {
        try withLoop { loop in
            let pairs = try (0..<3).map { _ in try StreamPair.make(.tcpPair, on: loop) }
            var (received, addresses): (Int, Set<UInt>) = (0, [])
            for pair in pairs {
                try pair.server.startReading { _, event in
                    guard case .bytes(let bytes) = event else { return }
                    let address = unsafe bytes.withUnsafeBufferPointer { UInt(bitPattern: $0.baseAddress) }
                    addresses.insert(address)
                    received += bytes.count
                }
                try pair.client.write("x")
            }
            try loop.runUntil { received == 3 }
            #expect(addresses.count == 1)
            for pair in pairs { pair.close() }
            try loop.run()
        }
    }

    /// A test cannot force the kernel to cause such a read.
    ///
    /// Promises of the articles "Coming from libuv in C" and "Errors".
    @Test(arguments: StreamKind.allCases) func aReadOfNoBytesIsNotReported(_ kind: StreamKind) throws {
        try withLoop { loop in
            let pair = try StreamPair.make(kind, on: loop)
            let record = Record()
            try pair.client.startReading { _, _ in record.note("an event") }
            var lent = unsafe loop.cell.pointee.read_buffer
            unsafe Trampolines.onRead(pair.client.stream, 0, &lent)
            #expect(record.events.isEmpty)
            #expect(pair.client.isActive)
            pair.close()
            try loop.run()
        }
    }

    /// Promise of the article "Ownership and lifetime".
    @Test(arguments: StreamKind.allCases) func aStreamWithoutAReferenceStillReads(_ kind: StreamKind) throws {
        try withLoop { loop in
            let collected = Collected()
            weak var reader: UVStream?
            let client: UVStream
            do {
                let pair = try StreamPair.make(kind, on: loop)
                try pair.server.collect(collected)
                (client, reader) = (pair.client, pair.server)
            }
            try client.write("still there")
            try client.shutdown { _ in client.close() }
            try loop.runUntil { client.isClosed && reader == nil }
            #expect(collected.text == "still there")
            #expect(collected.closedCount == 1)
        }
    }

    /// Promises of the articles "Coming from SwiftNIO" and "Errors".
    @Test func aStreamStaysOpenAfterItsEndAndAfterAFailure() throws {
        for isReset in [false, true] {
            try withLoop { loop in
                let connection = try Connection.make(on: loop)
                let record = Record()
                try connection.client.startReading { _, event in
                    switch event {
                    case .end: record.note("end")
                    case .failed: record.note("failed")
                    case .closed: record.note("closed")
                    default: record.note("another event")
                    }
                }
                if isReset { try connection.server.closeReset() } else { try connection.server.shutdown() }
                try loop.runUntil { !record.events.isEmpty }
                for _ in 0..<5 { try loop.run(.noWait) }
                #expect(record.events == [isReset ? "failed" : "end"])
                #expect(!connection.client.isClosing)
                connection.close()
                try loop.run()
                #expect(record.events.last == "closed" && record.events.count == 2)
            }
        }
    }

    /// Promise of the article "Ownership and lifetime".
    @Test func theCountsOfBuffersAddUp() throws {
        try withLoop { loop in
            let pair = try StreamPair.make(.tcpPair, on: loop)
            /// Checks the numbers of buffers in the three states, and their sum.
            func check(pooled: Int, held: Int, inFlight: Int, sourceLocation: SourceLocation = #_sourceLocation) {
                let buffers = loop.statistics.buffers
                #expect(buffers.pooled == pooled, sourceLocation: sourceLocation)
                #expect(buffers.held == held, sourceLocation: sourceLocation)
                #expect(buffers.inFlight == inFlight, sourceLocation: sourceLocation)
                #expect(buffers.made == pooled + held + inFlight, sourceLocation: sourceLocation)
            }
            do {
                let first = loop.makeBuffer(capacity: 10)
                check(pooled: 0, held: 1, inFlight: 0)
                let large = pair.client.buffer([UInt8](repeating: 1, count: 5_000_000))
                check(pooled: 0, held: 2, inFlight: 0)
                try pair.client.write(large)
                check(pooled: 0, held: 1, inFlight: 1)
                let isEmpty = first.isEmpty
                #expect(isEmpty)
            }
            check(pooled: 1, held: 0, inFlight: 1)
            try pair.client.write("small")
            check(pooled: 0, held: 0, inFlight: 2)
            try pair.server.collect(Collected())
            try loop.runUntil { loop.statistics.buffers.inFlight == 0 }
            // The pool does not keep the large buffer.
            check(pooled: 1, held: 0, inFlight: 0)
            pair.close()
            try loop.run()
        }
    }

    /// Promise of the article "Errors".
    @Test func aBufferThatCannotBeAllocatedEndsTheProcess() async {
        await #expect(processExitsWith: .failure) {
            guard let loop = try? UVLoop() else { return }
            print(loop.makeBuffer(capacity: .max).count)
        }
    }
}
