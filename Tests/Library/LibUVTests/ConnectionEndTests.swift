import LibUV
import SystemCalls
import Testing

/// Tests of how connections and servers end: overlapping cancellation scopes, time limits, and calls after a close.
@Suite(.timeLimit(.minutes(1))) struct ConnectionEndTests {
    // MARK: - Cancellation scopes

    /// Two tasks are in scopes of one connection, and leave them in the order in which they entered them.
    ///
    /// Afterwards, every reader that is cancelled ends. A task that the runtime creates in the memory of an earlier one
    /// must not be taken for it, so there are several readers.
    @Test func scopesThatOverlapLeaveNothingBehind() throws {
        try withTask { loop in
            let (connection, peer) = try await UVConnection.pair(on: loop)
            let (first, second) = (Gate(on: loop), Gate(on: loop))
            let firstTask = scope(of: connection) { try await first.wait() }
            try await first.waitUntilWaiting()
            let secondTask = scope(of: connection) { try await second.wait() }
            try await second.waitUntilWaiting()
            first.open()
            await firstTask.value
            second.open()
            await secondTask.value
            for _ in 0..<8 {
                let reader = Task(executorPreference: loop) { try await connection.read()?.bytes }
                for _ in 0..<5 { await Task.yield() }
                reader.cancel()
                let outcome = await reader.result
                #expect(throws: UVError(.cancelled, operation: "uv_read_start")) { try outcome.get() }
            }
            await connection.close()
            await peer.close()
        }
    }

    /// The cancellation of one task does not end the read of another task whose scope is older or newer.
    ///
    /// Promise of the article "Threads and executors".
    @Test(arguments: [true, false])
    func aScopeCancelsOnlyTheReadOfItsOwnTask(_ readerEntersFirst: Bool) throws {
        try withTask { loop in
            let (connection, peer) = try await UVConnection.pair(on: loop)
            let gate = Gate(on: loop)
            let enterOther = { @Sendable () async throws -> Task<Void, Never> in
                let task = scope(of: connection) { try await gate.wait() }
                try await gate.waitUntilWaiting()
                return task
            }
            var other: Task<Void, Never>?
            if !readerEntersFirst { other = try await enterOther() }
            let reader = Task(executorPreference: loop) {
                try await connection.attendingToCancellation { try await $0.read()?.bytes }
            }
            for _ in 0..<5 { await Task.yield() }
            if readerEntersFirst { other = try await enterOther() }
            other?.cancel()
            await other?.value
            for _ in 0..<5 { await Task.yield() }
            try await peer.write("x")
            #expect(try await reader.value == [120])
            await connection.close()
            await peer.close()
        }
    }

    /// A reader in an older scope is cancelled although another task has entered a newer scope, and while it reads.
    @Test func aReaderInAnOlderScopeIsCancelled() throws {
        try withTask { loop in
            let (connection, peer) = try await UVConnection.pair(on: loop)
            let (gate, start) = (Gate(on: loop), Gate(on: loop))
            let reader = Task(executorPreference: loop) {
                try await connection.attendingToCancellation { connection in
                    try await start.wait()
                    return try await connection.read()?.bytes
                }
            }
            try await start.waitUntilWaiting()
            let other = scope(of: connection) { try await gate.wait() }
            try await gate.waitUntilWaiting()
            start.open()
            while !start.hasPassed { try await loop.sleep(for: .milliseconds(1)) }
            for _ in 0..<5 { await Task.yield() }
            reader.cancel()
            let outcome = await reader.result
            #expect(throws: UVError(.cancelled, operation: "uv_read_start")) { try outcome.get() }
            // The task in the newer scope is not cancelled.
            gate.open()
            await other.value
            await connection.close()
            await peer.close()
        }
    }

    /// Many tasks enter nested scopes and leave them in a mixed order.
    ///
    /// Promise of the article "Threads and executors".
    @Test func manyScopesEndInAnyOrder() throws {
        try withTask { loop in
            let (connection, peer) = try await UVConnection.pair(on: loop)
            let gates = (0..<12).map { _ in Gate(on: loop) }
            var tasks: [Task<Void, Never>] = []
            for gate in gates {
                tasks.append(
                    scope(of: connection) {
                        try await connection.attendingToCancellation { _ in try await gate.wait() }
                    })
                try await gate.waitUntilWaiting()
            }
            for index in [3, 11, 0, 7, 5, 1, 10, 2, 9, 4, 8, 6] {
                if index % 2 == 0 { gates[index].open() } else { tasks[index].cancel() }
                await tasks[index].value
            }
            let reader = Task(executorPreference: loop) { try await connection.read()?.bytes }
            for _ in 0..<5 { await Task.yield() }
            try await peer.write("y")
            #expect(try await reader.value == [121])
            await connection.close()
            await peer.close()
        }
    }

    // MARK: - Time limits

    /// A peer that accepts no bytes gets a reset when the time limit has passed.
    ///
    /// Promises of the articles "Back-pressure" and "Ownership and lifetime".
    @Test func closingIsLimitedIfThePeerDoesNotRead() throws {
        try withTask { loop in
            try await loop.withTCPListener(on: .loopback(port: 0)) { connections in
                let address = connections.localAddress
                let peer = try StreamSocket.connect(to: address, timeout: .seconds(5)).release()
                defer { closeDescriptor(peer) }
                let connection = try #require(try await connections.next())
                let queued = await connection.closing(within: .milliseconds(50)) { connection in
                    fill(connection.stream)
                    return connection.stream.writeQueueSize
                }
                #expect(queued > 0)
                #expect(connection.stream.isClosed)
                // The peer reads what it has already received. Without a reset, it would then get the end of stream.
                var count = 1
                while count > 0 { count = readBytes(1 << 20, from: peer) }
                #expect(count == -1)
            }
        }
    }

    /// A peer that reads gets all bytes, however many are queued when the body returns.
    ///
    /// Promises of the articles "Back-pressure" and "Ownership and lifetime".
    @Test func closingSendsAllBytesToAPeerThatReads() throws {
        try withTask { loop in
            let (connection, peer) = try await UVConnection.pair(on: loop)
            let reader = Task(executorPreference: loop) { try await peer.readAll().count }
            let written = await connection.closing { connection in fill(connection.stream) }
            #expect(try await reader.value == written)
            await peer.close()
        }
    }

    /// `closing` waits for a shutdown that the body has begun, but for whose end the body does not wait.
    @Test(arguments: [true, false]) func closingFinishesAShutdownThatTimedOut(_ peerReads: Bool) throws {
        try withTask { loop in
            let (connection, peer) = try await UVConnection.pair(on: loop)
            let gate = Gate(on: loop)
            let reader = Task(executorPreference: loop) {
                try await gate.wait()
                return try await peer.readAll().count
            }
            let written = await connection.closing(within: peerReads ? .seconds(30) : .milliseconds(50)) { connection in
                let written = fill(connection.stream)
                await #expect(throws: UVError.self) {
                    try await loop.withTimeout(.milliseconds(10)) { try await connection.shutdown() }
                }
                #expect(connection.stream.writeQueueSize > 0)
                if peerReads { gate.open() }
                return written
            }
            #expect(connection.stream.isClosed)
            gate.open()
            #expect((try await reader.value == written) == peerReads)
            await peer.close()
        }
    }

    /// Clients that never read do not occupy the slots of `serve` forever.
    ///
    /// Promises of the articles "Back-pressure" and "Stopping a server".
    @Test func stalledClientsGiveTheirSlotsBack() throws {
        try withTask { loop in
            try await loop.withTCPListener(on: .loopback(port: 0)) { connections in
                let server = Task(executorPreference: loop) {
                    try await connections.serve(limit: 2, closingWithin: .milliseconds(50)) { fill($0.stream) }
                }
                var stalled: [UVConnection] = []
                for _ in 0..<4 { stalled.append(try await loop.connect(to: connections.localAddress)) }
                let client = try await loop.connect(to: connections.localAddress)
                #expect(try await client.read() != nil)
                for connection in stalled + [client] { await connection.close() }
                server.cancel()
                try await server.value
            }
        }
    }

    // MARK: - Finishing

    /// `finish` accepts no more, and `serve` returns when the served connections have ended.
    ///
    /// Promises of the articles "Back-pressure" and "Stopping a server".
    @Test func finishLetsServedConnectionsEnd() throws {
        try withTask { loop in
            try await loop.withTCPListener(on: .loopback(port: 0)) { connections in
                let server = Task(executorPreference: loop) {
                    try await connections.serve { connection in
                        while let bytes = try await connection.read() { try await connection.write(bytes) }
                    }
                    return true
                }
                let client = try await loop.connect(to: connections.localAddress)
                try await client.write("a")
                #expect(try await client.read()?.bytes == [97])
                connections.finish()
                while true {
                    do throws(UVError) { await (try loop.connect(to: connections.localAddress)).close() } catch {
                        #expect(error.code == .connectionRefused || error.code == .connectionReset)
                        break
                    }
                }
                // The client is still served.
                try await client.write("b")
                #expect(try await client.read()?.bytes == [98])
                await client.close()
                #expect(try await server.value)
            }
        }
    }

    /// After its time limit, `finish` cancels what is still served.
    ///
    /// A call from another thread has the same effect.
    ///
    /// Promises of the articles "Back-pressure" and "Stopping a server".
    @Test(arguments: [false, true])
    func finishIsLimited(_ isOffLoop: Bool) throws {
        try withTask { loop in
            try await loop.withTCPListener(on: .loopback(port: 0)) { connections in
                let cancelled = Counter()
                let server = Task(executorPreference: loop) {
                    try await connections.serve(limit: 1) { connection in
                        do { _ = try await connection.read() } catch let error as UVError where error.code == .cancelled
                        {
                            cancelled.add()
                        }
                    }
                }
                let client = try await loop.connect(to: connections.localAddress)
                for _ in 0..<5 { try await loop.sleep(for: .milliseconds(1)) }
                if isOffLoop {
                    let threads = LibUVTests.ThreadGroup()
                    try threads.start { connections.finish(within: .milliseconds(20)) }
                    threads.join()
                } else {
                    connections.finish(within: .seconds(3600))
                    connections.finish(within: .milliseconds(20))
                }
                try await server.value
                #expect(cancelled.value == 1)
                await client.close()
            }
        }
    }

    /// Without served connections, `serve` returns immediately, whether it runs already or begins later.
    ///
    /// Promise of the article "Stopping a server".
    @Test func finishWithoutConnectionsEndsServe() throws {
        try withTask { loop in
            try await loop.withTCPListener(on: .loopback(port: 0)) { connections in
                let server = Task(executorPreference: loop) { try await connections.serve { _ in } }
                for _ in 0..<5 { await Task.yield() }
                connections.finish(within: .seconds(3600))
                try await server.value
                try await connections.serve { _ in }
                #expect(try await connections.next() == nil)
            }
        }
    }

    // MARK: - After a close

    /// A way to close a connection.
    enum Way: CaseIterable {
        case closeOfTheConnection, closeOfTheStream, closeOfTheStreamWithoutWaiting
    }

    /// All calls on a closed connection report `cancelled`.
    @Test(arguments: Way.allCases) func callsAfterACloseReportCancelled(_ way: Way) throws {
        try withTask { loop in
            let (connection, peer) = try await UVConnection.pair(on: loop)
            try await peer.write("a")
            #expect(try await connection.read()?.bytes == [97])
            if way == .closeOfTheConnection {
                // Bytes that have been read ahead are dropped.
                try await peer.write("b")
                while connection.receivedByteCount == 0 { await Task.yield() }
            }
            switch way {
            case .closeOfTheConnection: await connection.close()
            case .closeOfTheStream:
                connection.stream.close()
                while !connection.stream.isClosed { await Task.yield() }
            case .closeOfTheStreamWithoutWaiting: connection.stream.close()
            }
            try await expectCancelled(connection, on: loop)
            await connection.close()
            try await expectCancelled(connection, on: loop)
            await peer.close()
        }
    }

    /// All calls that wait when a connection is closed report `cancelled`.
    @Test(arguments: Way.allCases) func waitingCallsReportCancelled(_ way: Way) throws {
        for call in Call.allCases {
            try withTask { loop in
                let (connection, peer) = try await UVConnection.pair(on: loop)
                if call != .read, call != .readInto { fill(connection.stream) }
                let task = Task(executorPreference: loop) { try await call.make(on: connection) }
                for _ in 0..<5 { try await loop.sleep(for: .milliseconds(1)) }
                switch way {
                case .closeOfTheConnection: await connection.close()
                case .closeOfTheStream:
                    connection.stream.close()
                    while !connection.stream.isClosed { await Task.yield() }
                case .closeOfTheStreamWithoutWaiting: connection.stream.close()
                }
                let result = await task.result
                do {
                    try result.get()
                    Issue.record("\(call) succeeded")
                } catch { #expect((error as? UVError)?.code == .cancelled, "\(call): \(error)") }
                await connection.close()
                await peer.close()
            }
        }
    }

    /// A task that waits for a connection of a closed listener gets the end of the sequence, and so do later calls.
    @Test func aClosedListenerEndsItsSequence() throws {
        try withTask { loop in
            let listener = try UVTCPListener(on: loop)
            try listener.bind(to: .loopback(port: 0))
            let connections = try UVIncomingConnections(of: listener)
            let waiting = Task(executorPreference: loop) { try await connections.next() == nil }
            for _ in 0..<5 { await Task.yield() }
            listener.close()
            #expect(try await waiting.value)
            #expect(try await connections.next() == nil)
            #expect(throws: UVError(.cancelled, operation: "uv_accept")) { try listener.accept() }
        }
    }
}

/// A call that can wait.
private enum Call: CaseIterable {
    case read, readInto, write, flush, shutdown

    nonisolated(nonsending) func make(on connection: UVConnection) async throws(UVError) {
        switch self {
        case .read: _ = try await connection.read()
        case .readInto:
            var buffer = connection.loop.makeBuffer(capacity: 16)
            _ = try await connection.read(into: &buffer)
        case .write: try await connection.write("x")
        case .flush: try await connection.flush()
        case .shutdown: try await connection.shutdown()
        }
    }
}

private nonisolated(nonsending) func expectCancelled(
    _ connection: UVConnection, on loop: UVLoop, sourceLocation: SourceLocation = #_sourceLocation
) async throws {
    for call in Call.allCases {
        do throws(UVError) {
            try await call.make(on: connection)
            Issue.record("\(call) succeeded", sourceLocation: sourceLocation)
        } catch { #expect(error.code == .cancelled, "\(call): \(error)", sourceLocation: sourceLocation) }
    }
}

/// Writes until the kernel accepts no more bytes, and returns the number of written bytes.
@discardableResult
private func fill(_ stream: UVStream) -> Int {
    var written = 0
    while stream.writeQueueSize < 256 * 1024, written < 64 << 20 {
        guard (try? stream.write(stream.loop.buffer(1, count: 64 * 1024))) != nil else { break }
        written += 64 * 1024
    }
    return written
}

/// Starts a task that is in a scope of a connection while `body` runs.
private func scope(
    of connection: UVConnection, _ body: @escaping @Sendable () async throws -> Void
) -> Task<Void, Never> {
    Task(executorPreference: connection.loop) {
        try? await connection.attendingToCancellation { _ in try await body() }
    }
}

// @unchecked Sendable: used only on the loop's thread.
/// Holds a task until it is opened or the task is cancelled.
private final class Gate: @unchecked Sendable {
    private let loop: UVLoop
    private var isOpen = false
    private var isWaiting = false
    private(set) var hasPassed = false

    init(on loop: UVLoop) { self.loop = loop }

    func open() { isOpen = true }

    func wait() async throws {
        isWaiting = true
        while !isOpen { try await loop.sleep(for: .milliseconds(1)) }
        hasPassed = true
    }

    func waitUntilWaiting() async throws {
        while !isWaiting { try await loop.sleep(for: .milliseconds(1)) }
    }
}
