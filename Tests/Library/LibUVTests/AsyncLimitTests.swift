import CLibUV
import Testing

@testable import LibUV

/// Tests of writes that cannot outrun the loop, and of the time limits of a connection.
@Suite(.timeLimit(.minutes(1))) struct AsyncLimitTests {
    /// A write that the kernel accepts needs no buffer afterwards, and a writer gives the loop a turn.
    ///
    /// Promise of the article "Back-pressure".
    @Test func aWriterCannotOutrunTheLoop() throws {
        try withTask { loop in
            try await loop.withTCPListener(on: .loopback(port: 0)) { connections in
                let address = connections.localAddress
                let reader = Task(executorPreference: loop) {
                    try await onAnotherLoop(than: loop) { other in
                        try await other.withTCPConnection(to: address) { connection in
                            while let buffer = try await connection.read() { _ = consume buffer }
                        }
                    }
                }
                let connection = try #require(try await connections.next())
                // The bytes that are written between two passes of I/O.
                let measure = try TurnMeasure(on: loop)
                let chunk = [UInt8](repeating: 1, count: 64 << 10)
                var peak = 0
                for _ in 0..<1000 {
                    try await connection.write(chunk)
                    peak = max(peak, loop.statistics.buffers.made)
                }
                try await connection.shutdown()
                // One buffer is written, one is pending, one is gathered.
                #expect(peak <= 6)
                #expect(measure.turns >= 64_000 / 1024)
                #expect(measure.most <= 1 << 20)
                measure.close()
                await connection.close()
                try await reader.value
            }
        }
    }

    /// Several tasks that write share the limit, and a timer runs in the meantime.
    ///
    /// Promise of the article "Back-pressure".
    @Test func aTimerRunsWhileSeveralTasksWrite() throws {
        try withTask { loop in
            let (client, server) = try await UVConnection.pair(on: loop)
            let ticks = Counter()
            let timer = try UVTimer(on: loop)
            try timer.start(after: .zero, repeating: .milliseconds(1)) { _ in ticks.add() }
            let writers = (0..<4).map { _ in
                Task(executorPreference: loop) {
                    for _ in 0..<200 { try await client.write(loop.buffer(1, count: 32 << 10)) }
                }
            }
            var received = 0
            while received < 4 * 200 * (32 << 10) { received += try await server.read()?.count ?? 0 }
            for writer in writers { try await writer.value }
            #expect(ticks.value > 2)
            timer.close()
            await client.close()
            await server.close()
        }
    }

    /// After a write that timed out with queued bytes, the connection accepts no further write, and closing it releases
    /// the queue.
    ///
    /// Promises of the articles "Back-pressure" and "Stopping a server".
    @Test(arguments: [false, true]) func anUnfinishedWriteEndsTheWrites(_ isCancelled: Bool) throws {
        try withTask { loop in
            let (client, server) = try await UVConnection.pair(on: loop)
            var errors: [UVError] = []
            for _ in 0..<200 {
                do throws(UVError) {
                    if isCancelled {
                        let writer = Task(executorPreference: loop) {
                            try await client.write(loop.buffer(1, count: 100_000))
                        }
                        for _ in 0..<5 { await loop.yieldToIO() }
                        writer.cancel()
                        if case .failure(let error as UVError) = await writer.result { throw error }
                    } else {
                        try await client.write(loop.buffer(1, count: 100_000), within: .milliseconds(5))
                    }
                } catch { errors.append(error) }
            }
            #expect(errors.first == UVError(isCancelled ? .cancelled : .timedOut, operation: "uv_write"))
            #expect(errors.count > 100)
            let later = UVError(.connectionAborted, operation: "uv_write")
            #expect(errors.dropFirst().allSatisfy { $0 == later })
            #expect(client.stream.writeQueueSize <= 64 * 1024 + 100_000)
            // The connection can still read.
            try await server.write("still here")
            #expect(try await client.read()?.bytes == Array("still here".utf8))
            await client.close()
            #expect(loop.statistics.buffers.inFlight == 0)
            await server.close()
        }
    }

    /// A write that times out before it begins sends nothing, and the connection can be used further.
    ///
    /// Promises of the articles "Back-pressure" and "Stopping a server".
    @Test func aWriteThatDidNotBeginIsDropped() throws {
        try withTask { loop in
            let (client, server) = try await UVConnection.pair(on: loop)
            var queued = 0
            // The program queues writes that have completions, for which the stream reports no event.
            while client.stream.writeQueueSize <= 64 * 1024 {
                try client.stream.write(loop.buffer(1, count: 1 << 20)) { _ in }
                queued += 1 << 20
            }
            let size = client.stream.writeQueueSize
            for _ in 0..<20 {
                await #expect(throws: UVError(.timedOut, operation: "uv_write")) {
                    try await client.write("dropped", within: .milliseconds(2))
                }
            }
            #expect(client.stream.writeQueueSize == size)
            #expect(unsafe client.state.pointee.writers.isEmpty)
            let sender = Task(executorPreference: loop) {
                try await client.write("sent", within: .seconds(30))
                try await client.shutdown()
            }
            let all = try await server.readAll()
            try await sender.value
            #expect(all.count == queued + 4)
            #expect(all.suffix(4) == Array("sent".utf8)[...])
            await client.close()
            await server.close()
        }
    }

    /// Promise of the article "Back-pressure".
    @Test func aReadThatTimesOutLeavesTheConnectionUsable() throws {
        try withTask { loop in
            let (client, server) = try await UVConnection.pair(on: loop)
            for _ in 0..<3 {
                let begun = loop.clock.now
                await #expect(throws: UVError(.timedOut, operation: "uv_read_start")) {
                    _ = try await server.read(within: .milliseconds(3))?.count
                }
                #expect(begun.duration(to: loop.clock.now) >= .milliseconds(3))
                var buffer = loop.makeBuffer(capacity: 10)
                do throws(UVError) {
                    _ = try await server.read(into: &buffer, within: .milliseconds(1))
                    Issue.record("the read returned")
                } catch { #expect(error.code == .timedOut) }
            }
            // A cancelled read after a timeout reports the cancellation.
            let reader = Task(executorPreference: loop) { try await server.readAll() }
            await Task.yield()
            reader.cancel()
            let outcome = await reader.result
            #expect(throws: UVError(.cancelled, operation: "uv_read_start")) { try outcome.get() }
            try await client.write("after")
            #expect(try await server.read(within: .seconds(30))?.bytes == Array("after".utf8))
            try await client.shutdown()
            #expect(try await server.readAll().isEmpty)
            await client.close()
            await server.close()
        }
    }

    /// Reads that time out while bytes arrive lose none of them.
    ///
    /// Promise of the article "Back-pressure".
    @Test func readsThatTimeOutLoseNoBytes() throws {
        try withTask { loop in
            let (client, server) = try await UVConnection.pair(on: loop)
            let sender = Task(executorPreference: loop) {
                for index in 0..<200 as Range<UInt8> {
                    try await client.write([index])
                    try await loop.sleep(for: .milliseconds(1))
                }
                try await client.shutdown()
            }
            var all: [UInt8] = []
            var isOwn = false
            reading: while true {
                isOwn.toggle()
                do throws(UVError) {
                    if isOwn {
                        var buffer = loop.makeBuffer(capacity: 10)
                        if try await server.read(into: &buffer, within: .milliseconds(1)) == 0 { break reading }
                        all.append(contentsOf: buffer.bytes)
                    } else {
                        guard let buffer = try await server.read(within: .milliseconds(1)) else { break reading }
                        all.append(contentsOf: buffer.bytes)
                    }
                } catch { #expect(error.code == .timedOut) }
            }
            #expect(all == Array(0..<200))
            try await sender.value
            await client.close()
            await server.close()
        }
    }

    /// The timer expires before the loop polls for I/O, so the bytes arrive after the wait has ended.
    ///
    /// Promise of the article "Back-pressure".
    @Test func bytesThatArriveWithTheTimeoutAreRead() throws {
        try withTask { loop in
            let (client, server) = try await UVConnection.pair(on: loop)
            for index in 0..<20 as Range<UInt8> {
                let reader = Task(executorPreference: loop) {
                    var buffer = loop.makeBuffer(capacity: 10)
                    _ = try await server.read(into: &buffer, within: .milliseconds(1))
                    return buffer.bytes
                }
                await Task.yield()
                try await client.write([index])
                let begun = loop.clock.now
                while begun.duration(to: loop.clock.now) < .milliseconds(4) {}
                #expect(try await reader.value == [index])
            }
            await client.close()
            await server.close()
        }
    }

    /// Reads that complete in time do not restart the timer, and the timer is not a handle of the program.
    ///
    /// Promise of the article "Back-pressure".
    @Test func readsInTimeShareOneRunOfTheTimer() throws {
        try withTask { loop in
            let (client, server) = try await UVConnection.pair(on: loop)
            var due: Set<UInt64> = []
            for index in 0..<100 as Range<UInt8> {
                let sender = Task(executorPreference: loop) { try await client.write([index]) }
                #expect(try await server.read(within: .seconds(30))?.bytes == [index])
                due.insert(unsafe server.state.pointee.limits.timer?.pointee.due ?? 0)
                try await sender.value
            }
            #expect(due.count == 1 && !due.contains(.max))
            var types: [String] = []
            loop.walk { types.append($0.typeName) }
            // The timer is the deadline of the test.
            #expect(types.sorted() == ["tcp", "tcp", "timer"])
            await client.close()
            await server.close()
            #expect(unsafe server.state.pointee.limits.timer == nil)
        }
    }

    @Test func aLoopClosesWithATimedRead() throws {
        let loop = try UVLoop()
        let errors = Counter()
        Task(executorPreference: loop) {
            let (one, _) = try UVTCPStream.pair(on: loop)
            do throws(UVError) { _ = try await UVConnection(one).read(within: .seconds(60)) } catch {
                errors.add(error.code == .cancelled ? 1 : 100)
            }
        }
        for _ in 0..<5 { try loop.run(.noWait) }
        #expect(try loop.close().map(\.type) == ["tcp", "tcp"])
        #expect(errors.value == 1)
    }

    /// Promise of the article "Back-pressure".
    @Test func anIdleConnectionTimesOutAndABusyOneDoesNot() throws {
        try withTask { loop in
            let (client, server) = try await UVConnection.pair(on: loop)
            server.idleLimit = .milliseconds(200)
            #expect(server.idleLimit == .milliseconds(200))
            let sender = Task(executorPreference: loop) {
                for _ in 0..<40 {
                    try await client.write([1])
                    try await loop.sleep(for: .milliseconds(10))
                }
            }
            var received = 0
            while received < 40 { received += try await server.read()?.count ?? 0 }
            try await sender.value
            await #expect(throws: UVError(.timedOut, operation: "uv_read_start")) { _ = try await server.read()?.count }
            // A peer that reads nothing makes the writer idle.
            server.idleLimit = .milliseconds(20)
            await #expect(throws: UVError(.timedOut, operation: "uv_write")) {
                while true { try await server.write(loop.buffer(1, count: 1 << 20)) }
            }
            await client.close()
            await server.close()
        }
    }
}

/// Measures the bytes that a loop writes between two passes of I/O.
private final class TurnMeasure {
    private let prepare: UVPrepare
    private(set) var turns = 0
    private(set) var most: UInt64 = 0
    private var last: UInt64

    init(on loop: UVLoop) throws {
        prepare = try UVPrepare(on: loop)
        last = loop.statistics.writtenByteCount
        try prepare.start { [unowned self] prepare in
            let written = prepare.loop.statistics.writtenByteCount
            turns += 1
            most = max(most, written - last)
            last = written
        }
    }

    func close() { prepare.close() }
}
