import LibUV
import SystemCalls
import Testing

/// Tests of behaviour that all kinds of streams share, and of some properties of TCP.
///
/// docs/behaviours.md lists the behaviours and pitfalls by number.
@Suite(.timeLimit(.minutes(1))) struct StreamTests {
    /// Tests behaviour 28 of docs/behaviours.md.
    ///
    /// Promise of the article "Coming from SwiftNIO".
    @Test(arguments: StreamKind.allCases) func pingPong(_ kind: StreamKind) throws {
        try withLoop { loop in
            let connection = try StreamPair.make(kind, on: loop)
            try connection.server.startReading { stream, event in
                switch event {
                case .bytes(let bytes):
                    let echo = stream.makeBuffer(capacity: bytes.count) { output in
                        for index in bytes.indices { output.append(bytes[index]) }
                    }
                    try? stream.write(echo)
                case .end: stream.close()
                default: break
                }
            }
            let collected = Collected()
            var rounds = 0
            try connection.client.startReading { stream, event in
                guard case .bytes(let bytes) = event else { return }
                collected.append(bytes)
                guard collected.bytes.count == (rounds + 1) * 4 else { return }
                rounds += 1
                if rounds == 100 { stream.close() } else { try? stream.write(stream.buffer("ping")) }
            }
            try connection.client.write(connection.client.buffer("ping"))
            try loop.run()
            #expect(rounds == 100)
            #expect(collected.text == String(repeating: "ping", count: 100))
        }
    }

    /// Behaviour 28: one write sends several buffers in order, and completes once.
    @Test(arguments: StreamKind.allCases) func severalBuffersInOneWriteArriveInOrderAndCompleteOnce(
        _ kind: StreamKind
    ) throws {
        try withLoop { loop in
            let connection = try StreamPair.make(kind, on: loop)
            let collected = Collected()
            try connection.server.collect(collected)
            var vector = UVBufferVector()
            for index in 0..<10 { vector.append(connection.client.buffer("part \(index);")) }
            #expect(vector.byteCount == 70)
            var completions = 0
            try connection.client.write(vector) { result in
                completions += 1
                #expect((try? result.get()) != nil)
            }
            try connection.client.shutdown { [client = connection.client] _ in client.close() }
            try loop.run()
            #expect(completions == 1)
            #expect(collected.text == (0..<10).map { "part \($0);" }.joined())
        }
    }

    /// Promise of the article "Ownership and lifetime".
    @Test func aVectorThatIsDroppedGivesItsBuffersBack() throws {
        try withLoop { loop in
            do {
                var vector = UVBufferVector()
                for _ in 0..<3 { vector.append(loop.makeBuffer(capacity: 10)) }
                #expect(loop.statistics.buffers.held == 3)
            }
            #expect(loop.statistics.buffers.held == 0)
            #expect(loop.statistics.buffers.pooled == 3)
        }
    }

    /// Behaviours 29 and 30, pitfalls 5 and 33: queued writes are gathered, and all of them complete in order.
    ///
    /// Promises of the articles "Coming from SwiftNIO" and "Coming from libuv in C".
    @Test(arguments: StreamKind.allCases) func tenThousandWritesCompleteInOrder(_ kind: StreamKind) throws {
        try withLoop { loop in
            let connection = try StreamPair.make(kind, on: loop)
            let collected = Collected()
            var completed: [Int] = []
            let block = [UInt8](repeating: 7, count: 1000)
            for index in 0..<10_000 {
                try connection.client.write(connection.client.buffer(block)) { result in
                    #expect((try? result.get()) != nil)
                    completed.append(index)
                }
            }
            #expect(loop.statistics.buffers.inFlight == 10_000)
            #expect(completed.isEmpty)
            // The server has not read anything yet, so most of the bytes are queued.
            #expect(connection.client.writeQueueSize > 1_000_000)
            try connection.server.collect(collected)
            try connection.client.shutdown { [client = connection.client] _ in client.close() }
            try loop.run()
            #expect(completed == Array(0..<10_000))
            #expect(collected.bytes.count == 10_000_000)
            #expect(collected.bytes.allSatisfy { $0 == 7 })
        }
    }

    /// Tests behaviour 31 of docs/behaviours.md.
    ///
    /// Promise of the article "Back-pressure".
    @Test(arguments: StreamKind.allCases) func theQueueGrowsByEachWriteAndIsEmptyInTheLastCompletion(
        _ kind: StreamKind
    ) throws {
        try withLoop { loop in
            let connection = try StreamPair.make(kind, on: loop)
            let block = [UInt8](repeating: 1, count: 100_000)
            var last = 0
            while connection.client.writeQueueSize == 0 { try connection.client.write(connection.client.buffer(block)) }
            last = connection.client.writeQueueSize
            for _ in 0..<10 {
                try connection.client.write(connection.client.buffer(block))
                #expect(connection.client.writeQueueSize == last + 100_000)
                last = connection.client.writeQueueSize
            }
            var sizeAtTheEnd = -1
            try connection.client.write(connection.client.buffer("x")) { [client = connection.client] _ in
                sizeAtTheEnd = client.writeQueueSize
                client.close()
            }
            try connection.server.collect(Collected())
            try loop.run()
            #expect(sizeAtTheEnd == 0)
        }
    }

    /// Tests behaviours 30 and 43, and pitfalls 5 and 7 of docs/behaviours.md.
    ///
    /// Promises of the articles "Coming from SwiftNIO", "Coming from libuv in C", "Errors", "Ownership and lifetime"
    /// and "What is not guaranteed".
    @Test(arguments: StreamKind.allCases) func closeCompletesEveryWriteOnceInOrderBeforeTheClose(
        _ kind: StreamKind
    ) throws {
        try withLoop { loop in
            let connection = try StreamPair.make(kind, on: loop)
            let record = Record()
            var failures = 0
            let block = [UInt8](repeating: 1, count: 1 << 20)
            for index in 0..<20 {
                try connection.client.write(connection.client.buffer(block)) { result in
                    if case .failure(let error) = result {
                        #expect(error.code == .cancelled)
                        failures += 1
                    }
                    record.note("write \(index)")
                }
            }
            connection.client.close { record.note("closed") }
            connection.client.close { record.note("closed again") }
            connection.server.close()
            #expect(record.events.isEmpty)
            try loop.run()
            #expect(record.events == (0..<20).map { "write \($0)" } + ["closed", "closed again"])
            #expect(failures > 0)
            // Closing a handle that is already closed runs the completion at once.
            connection.client.close { record.note("late") }
            #expect(record.events.last == "late")
        }
    }

    /// Tests behaviour 32 and pitfall 20 of docs/behaviours.md.
    ///
    /// Promise of the article "Errors".
    @Test(arguments: StreamKind.allCases) func tryWriteTakesWhatTheKernelTakesAndNeverOvertakes(
        _ kind: StreamKind
    ) throws {
        try withLoop { loop in
            let connection = try StreamPair.make(kind, on: loop)
            let block = [UInt8](repeating: 3, count: 1 << 20)
            var total = 0
            while true {
                let count = try connection.client.tryWrite(block.span)
                if count == 0 { break }
                total += count
            }
            let nothing = try connection.client.tryWrite(Span())
            #expect(nothing == 0)
            try connection.client.write(connection.client.buffer("behind"))
            #expect(connection.client.writeQueueSize == 6)
            let one: [UInt8] = [1]
            let overtaking = try connection.client.tryWrite(one.span)
            #expect(overtaking == 0)
            let collected = Collected()
            try connection.server.collect(collected)
            try connection.client.shutdown { [client = connection.client] _ in client.close() }
            try loop.run()
            #expect(collected.bytes.count == total + 6)
            #expect(collected.bytes.suffix(6) == Array("behind".utf8)[...])
        }
    }

    /// Behaviour 33, pitfalls 6 and 22: the peer's reset is reported as an error and raises no signal.
    ///
    /// Promise of the article "Errors".
    @Test func aWriteToAPeerThatHasResetFails() throws {
        try withLoop { loop in
            let connection = try Connection.make(on: loop)
            let collected = Collected()
            try connection.client.collect(collected)
            try connection.server.closeReset()
            try loop.run()
            #expect(collected.failures.map(\.code) == [.connectionReset])
            #expect(collected.endCount == 0)
            #expect(collected.closedCount == 1)
        }
    }

    @Test func tryWriteAfterAResetThrows() throws {
        try withLoop { loop in
            let connection = try Connection.make(on: loop)
            try connection.server.closeReset()
            while !connection.server.isClosed { try loop.run(.once) }
            var failures = 0
            for _ in 0..<3 {
                do throws(UVError) { _ = try connection.client.tryWrite([1].span) } catch {
                    #expect(error.code == .connectionReset || error.code == .brokenPipe)
                    failures += 1
                }
            }
            #expect(failures == 3)
            #expect(connection.client.writeQueueSize == 0)
            connection.client.close()
            try loop.run()
        }
    }

    /// Behaviour 34, pitfall 9: a rejected write returns its buffer, and its completion does not run.
    ///
    /// Promises of the articles "Errors" and "Ownership and lifetime".
    @Test(arguments: StreamKind.allCases) func aRefusedWriteGivesItsBufferBack(_ kind: StreamKind) throws {
        try withLoop { loop in
            let connection = try StreamPair.make(kind, on: loop)
            let client = connection.client
            try client.shutdown()
            #expect(throws: UVError(.brokenPipe, operation: "uv_write")) { try client.write(client.buffer("x")) }
            #expect(throws: UVError(.brokenPipe, operation: "uv_write")) {
                try client.write(client.buffer("x")) { _ in Issue.record("called") }
            }
            #expect(loop.statistics.buffers.held == 0 && loop.statistics.buffers.inFlight == 0)
            connection.close()
            #expect(throws: UVError(.badDescriptor, operation: "uv_write")) { try client.write(client.buffer("x")) }
            #expect(throws: UVError.self) { try client.tryWrite([1].span) }
            let unconnected = try UVTCPStream(on: loop)
            #expect(throws: UVError.self) { try unconnected.write(unconnected.buffer("x")) }
            #expect(loop.statistics.buffers.held == 0 && loop.statistics.buffers.inFlight == 0)
            unconnected.close()
            try loop.run()
        }
    }

    @Test(arguments: StreamKind.allCases) func anEmptyWriteGoesStraightBackOrCompletesInItsTurn(
        _ kind: StreamKind
    ) throws {
        try withLoop { loop in
            let connection = try StreamPair.make(kind, on: loop)
            let client = connection.client
            try client.write(client.makeBuffer(capacity: 10))
            #expect(loop.statistics.buffers.inFlight == 0)
            let record = Record()
            try client.write(client.buffer("a")) { _ in record.note("a") }
            try client.write(client.makeBuffer(capacity: 10)) { _ in record.note("empty") }
            try client.write(UVBufferVector()) { _ in
                record.note("no buffers")
                connection.close()
            }
            try loop.run()
            #expect(record.events == ["a", "empty", "no buffers"])
        }
    }

    /// Tests behaviour 35 and pitfalls 17 and 21 of docs/behaviours.md.
    ///
    /// Promises of the articles "Coming from libuv in C", "Errors" and "Getting started".
    @Test(arguments: StreamKind.allCases) func aShutdownComesAfterTheWritesAndThePeerGetsAll(
        _ kind: StreamKind
    ) throws {
        try withLoop { loop in
            let connection = try StreamPair.make(kind, on: loop)
            let record = Record()
            let block = [UInt8](repeating: 9, count: 3 << 20)
            for index in 0..<2 {
                try connection.client.write(connection.client.buffer(block)) { _ in record.note("write \(index)") }
            }
            try connection.client.shutdown { [client = connection.client] result in
                #expect((try? result.get()) != nil)
                record.note("shutdown")
                client.close { record.note("closed") }
            }
            let collected = Collected()
            try connection.server.collect(collected)
            try loop.run()
            #expect(record.events == ["write 0", "write 1", "shutdown", "closed"])
            #expect(collected.bytes.count == 6 << 20)
            #expect(collected.endCount == 1)
        }
    }

    /// Behaviour 36, pitfall 16: a half-closed connection still works.
    ///
    /// Promise of the article "Coming from SwiftNIO".
    @Test(arguments: StreamKind.allCases) func bothSidesWorkAfterTheOtherHasEnded(_ kind: StreamKind) throws {
        try withLoop { loop in
            let connection = try StreamPair.make(kind, on: loop)
            let (client, server) = (Collected(), Collected())
            try connection.client.collect(client)
            #expect(throws: UVError(.alreadyInProgress, operation: "uv_read_start")) {
                try connection.client.startReading { _, _ in }
            }
            // After end of stream, the server can still write a reply, and the client still receives it.
            try connection.server.collect(server) { stream in
                try? stream.write(stream.buffer("answer"))
                try? stream.shutdown { _ in stream.close() }
            }
            try connection.client.write(connection.client.buffer("question"))
            try connection.client.shutdown()
            try loop.run()
            #expect(server.text == "question")
            #expect(client.text == "answer")
            #expect(client.endCount == 1 && server.endCount == 1)
            #expect(client.closedCount == 1 && server.closedCount == 1)
        }
    }

    /// Tests behaviours 37 and 38, and pitfall 17 of docs/behaviours.md.
    @Test(arguments: StreamKind.allCases) func aSecondShutdownIsRefusedAndTheFirstCompletesOnce(
        _ kind: StreamKind
    ) throws {
        try withLoop { loop in
            let connection = try StreamPair.make(kind, on: loop)
            let record = Record()
            try connection.client.shutdown { _ in record.note("shutdown") }
            #expect(throws: UVError(.notConnected, operation: "uv_shutdown")) {
                try connection.client.shutdown { _ in record.note("second") }
            }
            connection.client.close { record.note("closed") }
            connection.server.close()
            try loop.run()
            #expect(record.events == ["shutdown", "closed"])
            let unconnected = try UVTCPStream(on: loop)
            #expect(throws: UVError(.notConnected, operation: "uv_shutdown")) { try unconnected.shutdown() }
            unconnected.close()
            try loop.run()
        }
    }

    /// Tests behaviour 39 of docs/behaviours.md.
    @Test(arguments: StreamKind.allCases) func bothEndsMayShutDownTogether(_ kind: StreamKind) throws {
        try withLoop { loop in
            let connection = try StreamPair.make(kind, on: loop)
            let (client, server) = (Collected(), Collected())
            try connection.client.collect(client)
            try connection.server.collect(server)
            try connection.client.shutdown()
            try connection.server.shutdown()
            try loop.run()
            #expect(client.endCount == 1 && server.endCount == 1)
        }
    }

    /// Tests behaviour 40 of docs/behaviours.md.
    @Test(arguments: StreamKind.allCases) func readableAndWritableFollowTheConnection(_ kind: StreamKind) throws {
        try withLoop { loop in
            let unconnected = try UVTCPStream(on: loop)
            #expect(!unconnected.isReadable && !unconnected.isWritable)
            unconnected.close()
            let connection = try StreamPair.make(kind, on: loop)
            #expect(connection.client.isReadable && connection.client.isWritable)
            try connection.client.shutdown()
            #expect(!connection.client.isWritable && connection.client.isReadable)
            connection.close()
            #expect(!connection.client.isReadable)
            try loop.run()
        }
    }

    /// Tests behaviour 41 and pitfall 19 of docs/behaviours.md.
    ///
    /// Promise of the article "Back-pressure".
    @Test(arguments: StreamKind.allCases) func nothingIsReportedAfterAStopAndNothingIsLost(_ kind: StreamKind) throws {
        try withLoop(configuration: .init(readBufferSize: 1000)) { loop in
            let connection = try StreamPair.make(kind, on: loop)
            let collected = Collected()
            var chunks = 0
            try connection.server.startReading { stream, event in
                switch event {
                case .bytes(let bytes):
                    collected.append(bytes)
                    chunks += 1
                    stream.stopReading()
                    stream.stopReading()
                    if chunks % 2 == 0 {
                        // Here, the callback both stops and resumes reading.
                        try? stream.resumeReading()
                    } else {
                        let now = chunks
                        let timer = try? UVTimer(on: loop)
                        try? timer?.start(after: .zero) { timer in
                            #expect(chunks == now, "bytes were read while reading was stopped")
                            try? stream.resumeReading()
                            timer.close()
                        }
                    }
                case .end: stream.close()
                default: break
                }
            }
            #expect(throws: UVError(.alreadyInProgress, operation: "uv_read_start")) {
                try connection.server.resumeReading()
            }
            let bytes = (0..<20_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
            try connection.client.write(connection.client.buffer(bytes))
            try connection.client.shutdown { [client = connection.client] _ in client.close() }
            try loop.run()
            #expect(collected.bytes == bytes)
            #expect(chunks >= 20)
        }
    }

    /// Behaviour 42, pitfalls 6 and 18: closing a stream returns the memory of 100 MB that its peer does not read.
    ///
    /// Promises of the articles "Back-pressure", "Getting started" and "What is not guaranteed".
    @Test(arguments: [StreamKind.tcp, .pipeAtAPath]) func aHundredMegabytesForAPeerThatDoesNotReadComeBack(
        _ kind: StreamKind
    ) throws {
        try withLoop { loop in
            let connection = try StreamPair.make(kind, on: loop)
            let block = [UInt8](repeating: 5, count: 128 * 1024)
            var completions = 0
            for _ in 0..<800 {
                try connection.client.write(connection.client.buffer(block)) { _ in completions += 1 }
            }
            try loop.run(.noWait)
            #expect(loop.statistics.buffers.inFlight > 700)
            #expect(connection.client.writeQueueSize > 90 << 20)
            connection.close()
            try loop.run()
            #expect(completions == 800)
            #expect(loop.statistics.buffers.inFlight == 0)
            // The configuration limits the number of buffers that the pool keeps.
            #expect(loop.statistics.buffers.pooled <= 8 << 20 / (128 * 1024))
            #expect(loop.statistics.buffers.made == loop.statistics.buffers.pooled)
        }
    }

    /// Promise of the article "Back-pressure".
    @Test(arguments: StreamKind.allCases) func writtenIsReportedOnlyWhereItIsWanted(_ kind: StreamKind) throws {
        try withLoop { loop in
            let connection = try StreamPair.make(kind, on: loop)
            let collected = Collected()
            try connection.client.collect(collected)
            try connection.server.collect(Collected())
            try connection.client.write(connection.client.buffer("quiet"))
            try loop.run(.once)
            #expect(collected.writtenCount == 0)
            connection.client.reportsWrites = true
            #expect(connection.client.reportsWrites)
            try connection.client.write(connection.client.buffer("reported"))
            while collected.writtenCount == 0 { try loop.run(.once) }
            connection.client.reportsWrites = false
            connection.close()
            try loop.run()
            #expect(collected.writtenCount == 1)
            #expect(collected.closedCount == 1)
        }
    }
}
