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

    // MARK: - Errors

    /// `UVError.Code` has no name for this code.
    ///
    /// Promise of the article "Errors".
    @Test func aCodeWithoutANameOfItsOwnHasNameAndMessage() {
        let error = UVError(code: -EXDEV, operation: "rename")
        #expect(error.code == UVError.Code(rawValue: -EXDEV))
        #expect(error.name == "EXDEV")
        #expect(error.message == "cross-device link not permitted")
        #expect("\(error)" == "rename: EXDEV (cross-device link not permitted)")
    }

    /// Promise of the article "Errors".
    @Test func aCallThatThrowsReleasesItsClosure() throws {
        final class Captured {}
        try withLoop { loop in
            weak var captured: Captured?
            let (stream, listener) = (try UVTCPStream(on: loop), try UVPipeListener(on: loop))
            let closed = try UVTimer(on: loop)
            closed.close()
            do {
                let value = Captured()
                captured = value
                // The stream is not connected, and the listener is not bound.
                #expect(throws: UVError.self) { try stream.write(stream.buffer("x")) { _ in _ = value } }
                #expect(throws: UVError.self) { try stream.shutdown { _ in _ = value } }
                #expect(throws: UVError.self) { try stream.startReading { _, _ in _ = value } }
                #expect(throws: UVError.self) { try listener.listen { _, _ in _ = value } }
                #expect(throws: UVError.self) { try closed.start(after: .zero) { _ in _ = value } }
                #expect(throws: UVError.self) { try loop.random(byteCount: -1) { _ in _ = value } }
            }
            #expect(captured == nil)
            stream.close()
            listener.close()
            try loop.run()
        }
    }

    /// Promise of the article "Errors".
    @Test func aHandlerOfSIGPIPEStays() async {
        await #expect(processExitsWith: .success) {
            signal(SIGPIPE) { _ in }
            let before = disposition(of: SIGPIPE)
            let loop = try UVLoop()
            #expect(disposition(of: SIGPIPE) == before)
            try loop.close()
        }
    }

    /// Promise of the article "Errors".
    @Test func aLoopCanLeaveSIGPIPEAsItIs() async {
        await #expect(processExitsWith: .success) {
            signal(SIGPIPE, SIG_DFL)
            let before = disposition(of: SIGPIPE)
            var configuration = UVLoop.Configuration()
            configuration.ignoresSIGPIPE = false
            let first = try UVLoop(configuration: configuration)
            #expect(disposition(of: SIGPIPE) == before)
            let second = try UVLoop()
            #expect(disposition(of: SIGPIPE) != before)
            try second.close()
            try first.close()
        }
    }

    // MARK: - Processes

    /// Promise of the article "What is not guaranteed".
    @Test func theChildrenOfAKilledProcessContinue() throws {
        let file = TemporaryFile()
        try withTask { loop in
            let task = Task(executorPreference: loop) {
                try await loop.runProcess(parent(file, andThen: "wait"))
            }
            let (child, shell) = try await processIDs(in: file, on: loop)
            task.cancel()
            _ = await task.result
            try await waitUntilReaped(shell, on: loop)
            #expect(isRunning(child))
            kill(child, SIGKILL)
        }
    }

    /// The child of the process keeps the outputs open, so the call still waits when the process has ended.
    ///
    /// Promise of the article "Ownership and lifetime".
    @Test func theGroupOfAnEndedProcessIsNotKilled() throws {
        let file = TemporaryFile()
        try withTask { loop in
            let task = Task(executorPreference: loop) {
                var options = parent(file, andThen: "exit")
                options.isDetached = true
                return try await loop.output(of: options)
            }
            let (child, shell) = try await processIDs(in: file, on: loop)
            try await waitUntilReaped(shell, on: loop)
            task.cancel()
            let result = await task.result
            #expect(throws: UVError(.cancelled, operation: "uv_spawn")) { try result.get() }
            for _ in 0..<5 { try await loop.sleep(for: .milliseconds(1)) }
            #expect(isRunning(child))
            kill(child, SIGKILL)
        }
    }

    // MARK: - Scopes and servers

    /// The peer does not read.
    ///
    /// If a scope waited for it, the test would exceed its time limit.
    ///
    /// Promise of the article "Ownership and lifetime".
    @Test(arguments: [false, true]) func aScopeThatThrowsOrIsCancelledDropsTheQueue(_ isCancelled: Bool) throws {
        struct Failure: Error {}
        try withTask { loop in
            let (connection, peer) = try await UVConnection.pair(on: loop)
            let begun = Counter()
            let scope = Task(executorPreference: loop) {
                try await connection.closing(within: .seconds(1000)) { connection in
                    try connection.stream.write(loop.buffer(1, count: 20_000_000))
                    #expect(connection.stream.writeQueueSize > 0)
                    begun.add()
                    if !isCancelled { throw Failure() }
                    try await loop.sleep(for: .seconds(1000))
                }
            }
            while begun.value == 0 { try await loop.sleep(for: .milliseconds(1)) }
            if isCancelled { scope.cancel() }
            let result = await scope.result
            #expect(throws: (any Error).self) { try result.get() }
            #expect(connection.isClosing)
            var received = 0
            do throws(UVError) {
                while let bytes = try await peer.read() { received += bytes.count }
            } catch { #expect(error.code == .connectionReset) }
            #expect(received < 20_000_000)
            await peer.close()
        }
    }

    /// The faulty connection has queued bytes that its client does not read.
    ///
    /// The third client is served only after the faulty connection has closed, because there are two slots.
    ///
    /// Promise of the article "Stopping a server".
    @Test func anErrorOfABodyClosesItsOwnConnection() throws {
        struct Failure: Error {}
        try withTask { loop in
            try await loop.withTCPListener(on: .loopback(port: 0)) { connections in
                let server = Task(executorPreference: loop) {
                    try await connections.serve(limit: 2, closingWithin: .seconds(1000)) { connection in
                        while let bytes = try await connection.read()?.bytes {
                            if bytes == [0] {
                                try connection.stream.write(loop.buffer(0, count: 20_000_000))
                                throw Failure()
                            }
                            try await connection.write(bytes)
                        }
                    }
                }
                let (good, faulty) = (
                    try await loop.connect(to: connections.localAddress),
                    try await loop.connect(to: connections.localAddress)
                )
                try await faulty.write([0])
                let late = try await loop.connect(to: connections.localAddress)
                for client in [good, late] {
                    try await client.write([1])
                    #expect(try await client.read()?.bytes == [1])
                }
                var received = 0
                while let bytes = try await faulty.read() { received += bytes.count }
                #expect(received < 20_000_000)
                for client in [good, late, faulty] { await client.close() }
                connections.finish()
                try await server.value
            }
        }
    }

    /// Promise of the article "Stopping a server".
    @Test func theLimitForClosingDoesNotLimitTheBody() throws {
        try withTask { loop in
            try await loop.withTCPListener(on: .loopback(port: 0)) { connections in
                let server = Task(executorPreference: loop) {
                    try await connections.serve(closingWithin: .milliseconds(1)) { connection in
                        while let bytes = try await connection.read() { try await connection.write(bytes) }
                    }
                }
                let client = try await loop.connect(to: connections.localAddress)
                for index in 0..<3 as Range<UInt8> {
                    try await loop.sleep(for: .milliseconds(10))
                    try await client.write([index])
                    #expect(try await client.read()?.bytes == [index])
                }
                await client.close()
                connections.finish()
                try await server.value
            }
        }
    }

    /// The task that handles the signals is that of the article.
    ///
    /// Promise of the article "Stopping a server".
    @Test func aSecondSignalClosesAllConnections() async {
        await #expect(processExitsWith: .success) {
            try withTask { loop in
                try await loop.withTCPListener(on: .loopback(port: 0)) { connections in
                    let served = Counter()
                    let server = Task(executorPreference: loop) {
                        try await connections.serve { connection in
                            served.add()
                            _ = try await connection.read()
                        }
                    }
                    let client = try await loop.connect(to: connections.localAddress)
                    while served.value == 0 { try await loop.sleep(for: .milliseconds(1)) }
                    let signals = try loop.signals([SIGTERM])
                    let stopping = loop.task {
                        var limit = Duration.seconds(1000)
                        for try await _ in signals {
                            connections.finish(within: limit)
                            limit = .zero
                        }
                    }
                    kill(getpid(), SIGTERM)
                    while !connections.isFinishing { try await loop.sleep(for: .milliseconds(1)) }
                    await #expect(throws: UVError(.timedOut, operation: "uv_read_start")) {
                        _ = try await client.read(within: .milliseconds(10))?.count
                    }
                    kill(getpid(), SIGTERM)
                    try await server.value
                    #expect(try await client.read() == nil)
                    await client.close()
                    stopping.cancel()
                    try await stopping.value
                }
            }
        }
    }

    /// The path of a listener that has closed remains if the socket has been renamed, as after a crash.
    ///
    /// Promise of the article "Stopping a server".
    @Test func aPathWithoutAServerIsInUseAndRefusesConnections() throws {
        try withTask { loop in
            let (path, left) = (temporaryPath(), temporaryPath())
            try await loop.withPipeListener(on: .path(path)) { _ in #expect(unsafe rename(path, left) == 0) }
            await #expect(throws: UVError(.addressInUse, operation: "uv_pipe_bind")) {
                try await loop.withPipeListener(on: .path(left)) { _ in }
            }
            await #expect(throws: UVError(.connectionRefused, operation: "uv_pipe_connect")) {
                try await loop.withPipeConnection(to: .path(left)) { _ in }
            }
            #expect(unsafe unlink(left) == 0)
            try await loop.withPipeListener(on: .path(left)) { _ in }
        }
    }

    /// Promise of the article "Threads and executors".
    @Test func listenersThatShareAPortShareTheConnections() throws {
        try withLoop { loop in
            let listeners = [try UVTCPListener(on: loop), try UVTCPListener(on: loop)]
            try listeners[0].bind(to: .loopback(port: 0), sharesPort: true)
            let address = try listeners[0].localAddress
            try listeners[1].bind(to: address, sharesPort: true)
            var counts = [0, 0]
            for (index, listener) in listeners.enumerated() {
                try listener.listen { listener, _ in
                    guard let stream = try? listener.accept() else { return }
                    counts[index] += 1
                    stream.close()
                }
            }
            for _ in 0..<64 {
                let client = try UVTCPStream(on: loop)
                try client.connect(to: address) { _ in client.close() }
            }
            try loop.runUntil { counts[0] + counts[1] == 64 }
            // The probability that the kernel picks one listener for all clients is practically zero.
            #expect(counts[0] > 0 && counts[1] > 0)
            for listener in listeners { listener.close() }
            try loop.run()
        }
    }

    // MARK: - Threads

    /// Promises of the articles "Coming from SwiftNIO" and "Threads and executors".
    @Test func aLoopDoesNothingUntilAThreadRunsIt() throws {
        let loop = try UVLoop()
        let calls = Counter()
        try UVTimer(on: loop).start(after: .zero) { timer in
            calls.add()
            timer.close()
        }
        try loop.execute { calls.add() }
        let task = loop.task { calls.add() }
        let threads = LibUVTests.ThreadGroup()
        try threads.start { for _ in 0..<1000 { sched_yield() } }
        threads.join()
        #expect(calls.value == 0)
        try loop.run()
        #expect(calls.value == 3)
        #expect(!task.isCancelled)
        try loop.close()
    }

    #if DEBUG
        /// Promises of the articles "Coming from SwiftNIO", "Errors", "Threads and executors" and "What is not
        /// guaranteed".
        @Test func aHandleOffItsThreadTrapsWithAMessage() async {
            let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                let loop = try UVLoop()
                let timer = Unchecked(value: try UVTimer(on: loop))
                let threads = LibUVTests.ThreadGroup()
                try threads.start { timer.value.ref() }
                threads.join()
            }
            let message = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
            #expect(message.contains("a handle is used off its loop's thread"))
        }
    #endif

    /// Debug builds trap instead.
    ///
    /// Promise of the article "What is not guaranteed".
    @Test func makingAHandleOnAnotherThreadIsRefused() async {
        await #expect(processExitsWith: isDebug ? .failure : .success) {
            let loop = try UVLoop()
            let refused = Counter()
            let threads = LibUVTests.ThreadGroup()
            try threads.start {
                do throws(UVError) { _ = try UVTimer(on: loop) } catch {
                    if error == UVError(.notPermitted, operation: "uv_timer_init") { refused.add() }
                }
                do throws(UVError) { _ = try loop.random(byteCount: 1) { _ in } } catch {
                    if error == UVError(.notPermitted, operation: "uv_random") { refused.add() }
                }
            }
            threads.join()
            #expect(refused.value == 2)
            try loop.close()
        }
    }

    /// Promise of the article "Threads and executors".
    @Test func aSignalHandlerWakesTheLoop() async {
        await #expect(processExitsWith: .success) {
            let loop = try UVLoop()
            var calls = 0
            let wakeUp = try UVAsync(on: loop) { wakeUp in
                calls += 1
                wakeUp.close()
            }
            unsafe senderOfTheSignalHandler = wakeUp.sender
            signal(userSignal) { _ in _ = unsafe senderOfTheSignalHandler?.send() }
            raiseUserSignal()
            try loop.run()
            #expect(calls == 1)
            try loop.close()
        }
    }

    /// Promise of the article "Threads and executors".
    @Test func aLoopOnAnotherThreadRunsNoJobsOfTheMainActor() async throws {
        let thread = try UVLoopThread()
        let (wasOnLoop, isOnLoop) = try await thread.run { loop in
            (await MainActor.run { loop.isOnThread }, loop.isOnThread)
        }
        #expect(!wasOnLoop && isOnLoop)
        #expect(try await thread.shutdown().isEmpty)
    }

    // MARK: - Dependencies

    /// The package has dependencies that only its other products use.
    ///
    /// Promises of the articles "Getting started", "LibUV" and "Metrics of a loop".
    @Test func theLibraryImportsOnlyLibuvAndTheRuntime() throws {
        let tests = URL(filePath: #filePath).deletingLastPathComponent()
        let library = tests.appending(path: "../../../Sources/Library").standardizedFileURL
        var modules: Set<String> = []
        for target in ["LibUV", "SocketAddresses"] {
            let folder = library.appending(path: target)
            let files = try #require(FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil))
            for case let file as URL in files where file.pathExtension == "swift" {
                for match in try String(contentsOf: file, encoding: .utf8).matches(of: /(?m)^[@_a-z ]*import (\w+)/) {
                    modules.insert(String(match.1))
                }
            }
        }
        #expect(modules.contains("CLibUV"))
        // The C library has a module for each platform.
        #expect(modules.isSubset(of: ["CLibUV", "SocketAddresses", "Synchronization", "Glibc", "Musl", "Darwin"]))
    }

    // MARK: - Jobs

    /// Enqueueing a job from another thread writes to a descriptor of the loop, which counts as a wake-up.
    ///
    /// Promise of the article "Threads and executors".
    @Test func callsOnOneLoopWakeNoThread() throws {
        try withTask { loop in
            let tally = Tally(on: loop)
            let before = loop.statistics.wakeUpCount
            for _ in 0..<1000 { await tally.add() }
            await withDiscardingTaskGroup { group in
                for _ in 0..<100 { group.addTask { await tally.add() } }
            }
            #expect(await tally.count == 1100)
            #expect(await tally.wasOnLoop)
            #expect(loop.statistics.wakeUpCount == before)
        }
    }

    /// Promise of the article "Threads and executors".
    @Test func assumeIsolatedTrapsElsewhere() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let tally = Tally(on: try UVLoop())
            // No thread runs the loop.
            addWithoutSuspending(to: tally)
        }
        let message = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(message.contains("Incorrect actor executor assumption"))
    }

    /// Promise of the article "Threads and executors".
    @Test func jobsFromAnotherThreadShareOneWakeUp() throws {
        let loop = try UVLoop()
        let before = loop.statistics.wakeUpCount
        let ran = Counter()
        let threads = LibUVTests.ThreadGroup()
        try threads.start {
            for _ in 0..<1000 {
                try? loop.execute { ran.add() }
                Task(executorPreference: loop) { ran.add() }
            }
        }
        threads.join()
        #expect(loop.statistics.wakeUpCount == before + 1)
        try loop.run()
        #expect(ran.value == 2000)
        try loop.close()
    }

    /// Promise of the article "Threads and executors".
    @Test func atMost256JobsRunBetweenTwoPassesOfIO() throws {
        try withLoop { loop in
            let jobs = Counter()
            var (last, most) = (0, 0)
            let prepare = try UVPrepare(on: loop)
            try prepare.start { _ in
                most = max(most, jobs.value - last)
                last = jobs.value
            }
            for _ in 0..<2000 { try loop.execute { jobs.add() } }
            try loop.runUntil { jobs.value == 2000 }
            #expect(most == 256)
            prepare.close()
            try loop.run()
        }
    }

    /// Promise of the article "Threads and executors".
    @Test func executeThrowsDuringTheClose() throws {
        let loop = try UVLoop()
        let (near, far) = try UVTCPStream.pair(on: loop)
        var errors: [UVError] = []
        try near.write(near.buffer([UInt8](repeating: 1, count: 5_000_000))) { _ in
            do throws(UVError) { try loop.execute { Issue.record("the job ran") } } catch { errors.append(error) }
        }
        try loop.close()
        #expect(errors == [UVError(.cancelled, operation: "UVLoop.execute")])
        #expect(far.isClosed)
    }

    /// Promise of the article "Threads and executors".
    @Test func stopCancelsOnlyTheTaskOfTheRun() throws {
        let loop = try UVLoop()
        let ended = Counter()
        let other = loop.task {
            do throws(UVError) { try await loop.sleep(for: .seconds(1000)) } catch {
                ended.add(error.code == .cancelled ? 1 : 100)
            }
        }
        try UVTimer(on: loop).start(after: .milliseconds(2)) { timer in
            loop.stop()
            timer.close()
        }
        try loop.runTask { try await loop.sleep(for: .seconds(1000)) }
        try loop.runTask { for _ in 0..<5 { try await loop.sleep(for: .milliseconds(1)) } }
        #expect(ended.value == 0 && !other.isCancelled)
        try loop.close()
        #expect(ended.value == 1)
        #expect(loop.refusedTaskCount == 0)
    }

    /// Promise of the article "Threads and executors".
    @Test func theFirstRefusedTaskIsReported() async {
        let result = await #expect(processExitsWith: .success, observing: [\.standardErrorContent]) {
            let loop = try UVLoop()
            try loop.close()
            for _ in 0..<3 { Task(executorPreference: loop) {} }
            #expect(loop.refusedTaskCount == 3)
        }
        let message = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(message.components(separatedBy: "a task was resumed after its loop had closed").count == 2)
    }

    /// Each of eight items of work waits until the test releases it.
    ///
    /// Promise of the article "Threads and executors".
    @Test func thePoolHasFourThreads() async {
        await #expect(processExitsWith: .success) {
            try UVEnvironment.remove("UV_THREADPOOL_SIZE")
            try withLoop { loop in
                let state = Monitor((begun: 0, isReleased: false))
                var completed = 0
                for _ in 0..<8 {
                    try loop.work {
                        state.withLock { $0.begun += 1 }
                        state.notifyAll()
                        state.wait { $0.isReleased ? () : nil }
                    } completion: { _ in
                        completed += 1
                    }
                }
                state.wait { $0.begun >= 4 ? () : nil }
                for _ in 0..<100 {
                    sched_yield()
                    try loop.run(.noWait)
                }
                #expect(state.withLock { $0.begun } == 4)
                state.withLock { $0.isReleased = true }
                state.notifyAll()
                try loop.run()
                #expect(completed == 8)
            }
        }
    }
}

#if DEBUG
    private let isDebug = true
#else
    private let isDebug = false
#endif

/// The signal handler of a test cannot capture anything.
private nonisolated(unsafe) var senderOfTheSignalHandler: UVAsync.Sender?

// @unchecked Sendable: the test uses the value on a thread that is not allowed to use it.
private struct Unchecked<Value>: @unchecked Sendable { let value: Value }

/// An actor on a loop.
private actor Tally: UVActor {
    nonisolated let loop: UVLoop
    private(set) var count = 0
    private(set) var wasOnLoop = true

    init(on loop: UVLoop) { self.loop = loop }

    func add() {
        count += 1
        wasOnLoop = wasOnLoop && loop.isOnThread
    }
}

private func addWithoutSuspending(to tally: Tally) { tally.assumeIsolated { $0.add() } }

/// Returns the address of a signal's handler, as a number.
private func disposition(of number: Int32) -> Int {
    let handler = signal(number, SIG_IGN)
    signal(number, handler)
    return unsafe unsafeBitCast(handler, to: Int.self)
}

/// A shell that starts a child, and writes the process IDs of the child and of itself to a file.
private func parent(_ file: TemporaryFile, andThen command: String) -> UVProcess.Options {
    UVProcess.Options(
        program: "/bin/sh", arguments: ["-c", "sleep 1000 & echo $! $$ >\(file.path); \(command)"])
}

/// Waits until a shell has written the process IDs of its child and of itself.
private nonisolated(nonsending) func processIDs(
    in file: TemporaryFile, on loop: UVLoop
) async throws -> (child: Int32, shell: Int32) {
    while true {
        let text = file.text
        if text.hasSuffix("\n") {
            let numbers = text.dropLast().split(separator: " ").compactMap { Int32($0) }
            try #require(numbers.count == 2)
            return (numbers[0], numbers[1])
        }
        try await loop.sleep(for: .milliseconds(1))
    }
}

/// Waits until the loop has seen the end of a process, which leaves no zombie, and has closed its handle.
private nonisolated(nonsending) func waitUntilReaped(_ processID: Int32, on loop: UVLoop) async throws {
    while kill(processID, 0) == 0 { try await loop.sleep(for: .milliseconds(1)) }
    for _ in 0..<5 { try await loop.sleep(for: .milliseconds(1)) }
}

/// Returns whether a process exists and is not a zombie.
private func isRunning(_ processID: Int32) -> Bool {
    let text = (try? String(contentsOfFile: "/proc/\(processID)/stat", encoding: .utf8)) ?? ""
    guard let state = text.split(separator: ")").last?.dropFirst().first else { return false }
    return state != "Z" && state != "X"
}
