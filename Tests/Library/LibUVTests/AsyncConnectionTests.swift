import LibUV
import Testing

/// Tests of tasks that read and write streams.
@Suite(.timeLimit(.minutes(1))) struct AsyncConnectionTests {
    @Test func anEchoThroughTheAsyncFace() throws {
        try withTask { loop in
            try await loop.withTCPListener(on: .loopback(port: 0)) { connections in
                let address = connections.localAddress
                let server = Task(executorPreference: loop) {
                    try await connections.serve { connection in
                        while let buffer = try await connection.read() { try await connection.write(buffer) }
                    }
                }
                let answers = try await withThrowingTaskGroup(of: [UInt8].self) { group in
                    for index in 0..<20 {
                        group.addTask {
                            try await loop.withTCPConnection(to: address) { connection in
                                try await connection.write("hello \(index)")
                                try await connection.shutdown()
                                return try await connection.readAll()
                            }
                        }
                    }
                    return try await group.reduce(into: Set<String>()) {
                        $0.insert(String(decoding: $1, as: UTF8.self))
                    }
                }
                #expect(answers == Set((0..<20).map { "hello \($0)" }))
                server.cancel()
                try await server.value
            }
        }
    }

    @Test func bytesThatComeOneByOneShareBuffers() throws {
        try withTask { loop in
            let (client, server) = try await UVConnection.pair(on: loop)
            try await client.write([1])
            _ = try await server.read()
            for byte in 0..<200 as Range<UInt8> {
                try await client.write([byte])
                while server.receivedByteCount <= Int(byte) { try await loop.sleep(for: .zero) }
            }
            let held = loop.statistics.buffers.held
            #expect(held == 2)
            try await client.shutdown()
            #expect(try await server.readAll() == Array(0..<200))
            await client.close()
            await server.close()
        }
    }

    /// Promise of the article "Back-pressure".
    @Test func aReaderThatDoesNotAskBoundsWhatIsBuffered() throws {
        try withTask { loop in
            let (client, server) = try await UVConnection.pair(on: loop)
            let total = 16 * 1024 * 1024
            let sender = Task(executorPreference: loop) {
                for _ in 0..<(total / 65536) { try await client.write(loop.buffer(7, count: 65536)) }
                try await client.shutdown()
            }
            var received = 0
            var peak = 0
            while let buffer = try await server.read() {
                received += buffer.count
                // The reader is slow. The loop runs other tasks in the meantime.
                for _ in 0..<10 { await Task.yield() }
                peak = max(peak, server.receivedByteCount)
            }
            try await sender.value
            #expect(received == total)
            // The last read may exceed the limit of 64 KiB by up to 128 KiB.
            #expect(peak <= 64 * 1024 + 128 * 1024)
            await client.close()
            await server.close()
        }
    }

    /// Promise of the article "Back-pressure".
    @Test func nothingIsReadBeforeSomebodyAsks() throws {
        try withTask { loop in
            let (client, server) = try await UVConnection.pair(on: loop)
            try await client.write("early")
            for _ in 0..<20 { try await loop.sleep(for: .milliseconds(1)) }
            #expect(server.receivedByteCount == 0)
            #expect(loop.statistics.readByteCount == 0)
            let buffer = try await server.read()
            #expect(buffer?.bytes == Array("early".utf8))
            await client.close()
            await server.close()
        }
    }

    /// Promise of the article "Ownership and lifetime".
    @Test func aReadIntoTheCallersBufferCopiesNothing() throws {
        try withTask { loop in
            let (client, server) = try await UVConnection.pair(on: loop)
            let sender = Task(executorPreference: loop) {
                for round in 0..<100 as Range<UInt8> { try await client.write(loop.buffer(round, count: 50_000)) }
                try await client.shutdown()
            }
            var buffer = loop.makeBuffer(capacity: 1 << 20)
            var received = 0
            while true {
                let count = try await server.read(into: &buffer)
                if count == 0 { break }
                received += count
                // The read filled the caller's buffer directly.
                #expect(server.receivedByteCount == 0)
                if buffer.count == buffer.capacity {
                    buffer.removeFirst(0); buffer = loop.makeBuffer(capacity: 1 << 20)
                }
            }
            #expect(received == 5_000_000)
            try await sender.value
            await client.close()
            await server.close()
        }
    }

    @Test func readsIntoABufferAndOthersKeepTheOrder() throws {
        try withTask { loop in
            let (client, server) = try await UVConnection.pair(on: loop)
            let bytes = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 / 3) }
            let sender = Task(executorPreference: loop) {
                try await client.write(bytes)
                try await client.shutdown()
            }
            var all: [UInt8] = []
            var isOwn = false
            while true {
                isOwn.toggle()
                if isOwn {
                    var buffer = loop.makeBuffer(capacity: 1000)
                    if try await server.read(into: &buffer) == 0 { break }
                    all.append(contentsOf: buffer.bytes)
                } else {
                    guard let buffer = try await server.read() else { break }
                    all.append(contentsOf: buffer.bytes)
                }
            }
            #expect(all == bytes)
            try await sender.value
            await client.close()
            await server.close()
        }
    }

    /// Promise of the article "Back-pressure".
    @Test func writeSuspendsAboveTheHighWaterMark() throws {
        try withTask { loop in
            let (client, server) = try await UVConnection.pair(on: loop, highWaterMark: 100_000)
            let written = Counter()
            let sender = Task(executorPreference: loop) {
                for _ in 0..<200 {
                    try await client.write(loop.buffer(1, count: 100_000))
                    written.add()
                }
                try await client.shutdown()
            }
            // The peer does not read. The connection queues bytes up to its high-water mark, and then `write` suspends.
            var before = -1
            while written.value != before {
                before = written.value
                for _ in 0..<20 { try await loop.sleep(for: .milliseconds(1)) }
            }
            #expect(written.value < 200)
            #expect(client.stream.writeQueueSize <= 200_000)
            #expect(try await server.readAll().count == 20_000_000)
            try await sender.value
            await client.close()
            await server.close()
        }
    }

    @Test func halfCloseStillReads() throws {
        try withTask { loop in
            let (client, server) = try await UVConnection.pair(on: loop)
            try await client.write("question")
            try await client.shutdown()
            #expect(try await server.readAll() == Array("question".utf8))
            try await server.write("answer")
            try await server.shutdown()
            #expect(try await client.readAll() == Array("answer".utf8))
            await #expect(throws: UVError.self) { try await client.shutdown() }
            await #expect(throws: UVError.self) { try await client.write("more") }
            await client.close()
            await server.close()
        }
    }

    @Test func aSecondReaderIsRefused() throws {
        try withTask { loop in
            let (client, server) = try await UVConnection.pair(on: loop)
            let first = Task(executorPreference: loop) { try await server.readAll() }
            await Task.yield()
            await #expect(throws: UVError(.busy, operation: "uv_read_start")) { _ = try await server.readAll() }
            await client.close()
            #expect(try await first.value.isEmpty)
            await server.close()
        }
    }

    /// Promise of the article "Threads and executors".
    @Test func cancelledReadsResumeOnceAndLoseNothing() throws {
        try withTask { loop in
            let (client, server) = try await UVConnection.pair(on: loop)
            for index in 0..<200 {
                let reader = Task(executorPreference: loop) {
                    var buffer = loop.makeBuffer(capacity: 100)
                    if index % 2 == 0 { return try await server.read(into: &buffer) }
                    return try await server.readAll().count
                }
                if index % 3 != 0 { await Task.yield() }
                reader.cancel()
                let outcome = await reader.result
                #expect(throws: UVError(.cancelled, operation: "uv_read_start")) { try outcome.get() }
            }
            try await client.write("still here")
            try await client.shutdown()
            #expect(try await server.readAll() == Array("still here".utf8))
            await client.close()
            await server.close()
        }
    }

    /// Promise of the article "Threads and executors".
    @Test func aCancelledWriterIsResumedAndItsBytesAreSent() throws {
        try withTask { loop in
            let (client, server) = try await UVConnection.pair(on: loop, highWaterMark: 0)
            let writer = Task(executorPreference: loop) { try await client.write(loop.buffer(5, count: 20_000_000)) }
            await Task.yield()
            writer.cancel()
            let outcome = await writer.result
            #expect(throws: UVError(.cancelled, operation: "uv_write")) { try outcome.get() }
            let end = Task(executorPreference: loop) { try await client.shutdown() }
            #expect(try await server.readAll().count == 20_000_000)
            try await end.value
            await client.close()
            await server.close()
        }
    }

    @Test func closeResumesReaderAndWriters() throws {
        try withTask { loop in
            let (client, server) = try await UVConnection.pair(on: loop, highWaterMark: 0)
            let reader = Task(executorPreference: loop) { try await client.readAll() }
            let writers = (0..<3).map { _ in
                Task(executorPreference: loop) { try await client.write(loop.buffer(5, count: 10_000_000)) }
            }
            await Task.yield()
            await client.close()
            await #expect(throws: UVError.self) { try await reader.value }
            for writer in writers { await #expect(throws: UVError.self) { try await writer.value } }
            await #expect(throws: UVError.self) { _ = try await client.readAll() }
            await server.close()
        }
    }

    /// Promise of the article "Closures and tasks".
    @Test func aResetIsTheReadersAndTheWritersError() throws {
        try withTask { loop in
            let (client, server) = try await UVConnection.pair(on: loop)
            let reader = Task(executorPreference: loop) { try await server.readAll() }
            await Task.yield()
            try (client.stream as? UVTCPStream)?.closeReset()
            await #expect(throws: UVError(.connectionReset, operation: "uv_read_start")) { try await reader.value }
            await #expect(throws: UVError(.connectionReset, operation: "uv_read_start")) { try await server.write("x") }
            await server.close()
        }
    }

    /// Promise of the article "Ownership and lifetime".
    @Test func theScopeSendsWhatWasWrittenBeforeItCloses() throws {
        try withTask { loop in
            try await loop.withTCPListener(on: .loopback(port: 0)) { connections in
                let client = Task(executorPreference: loop) {
                    try await loop.withTCPConnection(to: connections.localAddress) { connection in
                        // The task does not await the write, so bytes are still queued when the scope ends.
                        try connection.stream.write(loop.buffer(3, count: 5_000_000))
                    }
                }
                let server = try #require(try await connections.next())
                #expect(try await server.readAll().count == 5_000_000)
                await server.close()
                try await client.value
            }
        }
    }

    /// Promises of the articles "LibUV" and "Ownership and lifetime".
    @Test func theScopeClosesOnEveryWayOut() throws {
        struct Stop: Error {}
        try withTask { loop in
            try await loop.withTCPListener(on: .loopback(port: 0)) { connections in
                let kept = Kept()
                await #expect(throws: Stop.self) {
                    try await loop.withTCPConnection(to: connections.localAddress) { connection in
                        kept.connection = connection
                        throw Stop()
                    }
                }
                #expect(kept.connection?.stream.isClosed == true)
                let server = try #require(try await connections.next())
                #expect(try await server.readAll().isEmpty)
                await server.close()
            }
        }
    }

    @Test func aRefusedConnectionIsAnErrorAndLeavesNothingOpen() throws {
        try withTask { loop in
            let address = try await loop.withTCPListener(on: .loopback(port: 0)) { $0.localAddress }
            await #expect(throws: UVError(.connectionRefused, operation: "uv_tcp_connect")) {
                try await loop.withTCPConnection(to: address) { _ in }
            }
            await #expect(throws: UVError.self) {
                try await loop.withTCPListener(on: .loopback(port: 0)) { listener in
                    try await loop.withTCPListener(on: listener.localAddress) { _ in }
                }
            }
        }
    }

    /// Promise of the article "Threads and executors".
    @Test func aCancelledConnectEndsTheAttempt() throws {
        try withTask { loop in
            let listener = try UVTCPListener(on: loop)
            try listener.bind(to: .loopback(port: 0))
            try listener.listen(backlog: 0) { _, _ in }
            let address = try listener.localAddress
            // The listener accepts no connection. Attempts beyond the backlog stay pending.
            let attempts = (0..<8).map { _ in
                Task(executorPreference: loop) { try await loop.connect(to: address).close() }
            }
            await Task.yield()
            attempts.forEach { $0.cancel() }
            var cancelled = 0
            for attempt in attempts {
                do { try await attempt.value } catch let error as UVError where error.code == .cancelled {
                    cancelled += 1
                }
            }
            #expect(cancelled == 8)
            listener.close()
        }
    }

    /// Promise of the article "Coming from SwiftNIO".
    @Test func anActorOnTheLoopReadsAndWritesWithoutLeavingItsThread() throws {
        try withTask { loop in
            let (client, server) = try await UVConnection.pair(on: loop)
            let echo = Echo(server)
            await echo.begin()
            for round in 0..<100 as Range<UInt8> {
                try await client.write([round])
                let answer = try await client.read()
                #expect(answer?.bytes == [round])
            }
            try await client.shutdown()
            #expect(try await client.readAll().isEmpty)
            #expect(await echo.wasOnLoop)
            await client.close()
            await server.close()
        }
    }

    /// Promise of the article "Threads and executors".
    @Test func aTaskInAScopeIsCancelledPromptlyAndSoAreItsChildren() throws {
        try withTask { loop in
            let (client, server) = try await UVConnection.pair(on: loop)
            let reader = Task(executorPreference: loop) {
                try await server.attendingToCancellation { server in
                    // The timeout cancels only the child task, and not the scope.
                    await #expect(throws: UVError(.timedOut, operation: "withTimeout")) {
                        try await loop.withTimeout(.milliseconds(2)) { _ = try await server.readAll() }
                    }
                    return try await server.readAll()
                }
            }
            try await loop.sleep(for: .milliseconds(10))
            reader.cancel()
            let outcome = await reader.result
            #expect(throws: UVError(.cancelled, operation: "uv_read_start")) { try outcome.get() }
            // The scope has ended, so its cancellation does not affect this read.
            try await client.write("after")
            #expect(try await server.read()?.bytes == Array("after".utf8))
            await client.close()
            await server.close()
        }
    }

    /// Promise of the article "Threads and executors".
    @Test func closingTheLoopResumesWhoWaits() throws {
        let loop = try UVLoop()
        let outcomes = Counter()
        let listener = try UVTCPListener(on: loop)
        try listener.bind(to: .loopback(port: 0))
        Task(executorPreference: loop) {
            let connections = try UVIncomingConnections(of: listener)
            let client = try await loop.connect(to: connections.localAddress)
            let server = try #require(try await connections.next())
            Task(executorPreference: loop) {
                do throws(UVError) { _ = try await server.readAll() } catch {
                    outcomes.add(error.code == .cancelled ? 1 : 100)
                }
            }
            Task(executorPreference: loop) {
                if try await connections.next() == nil { outcomes.add(10) }
            }
            _ = client
        }
        for _ in 0..<20 { try loop.run(.noWait) }
        #expect(try loop.close().count == 3)
        #expect(outcomes.value == 11)
        #expect(loop.refusedTaskCount == 0)
        #expect(loop.statistics.buffers.inFlight == 0)
    }
}

/// Holds a reference to a connection after its scope has ended.
private final class Kept: @unchecked Sendable {
    // @unchecked Sendable: the object is used only on one loop's thread.
    var connection: UVConnection?
}

/// An actor that runs on the loop and echoes the bytes it reads.
private actor Echo: UVActor {
    nonisolated let loop: UVLoop
    private let connection: UVConnection
    private(set) var wasOnLoop = true

    init(_ connection: UVConnection) {
        loop = connection.loop
        self.connection = connection
    }

    func begin() {
        // The task has no executor preference, but inherits the actor's isolation, so it must always resume on the
        // loop.
        Task {
            while let buffer = try await connection.read() {
                wasOnLoop = wasOnLoop && loop.isIsolatingCurrentContext() == true
                try await connection.write(buffer)
            }
            try await connection.shutdown()
        }
    }
}
