import LibUV
import Testing

/// An actor with an executor of its own, which is not a loop.
private actor Elsewhere {
    private(set) var count = 0

    func read(_ connection: UVConnection) async throws -> Int {
        count += 1
        let buffer = try await connection.read()
        count += 1
        return buffer?.count ?? 0
    }

    /// The closures use the state of the actor.
    func talk(to address: SocketAddress, on loop: UVLoop) async throws -> Int {
        try await loop.withTCPConnection(to: address) { connection in
            self.count += 1
            try await connection.write("hello")
            let buffer = try await loop.withTimeout(.seconds(20)) {
                self.count += 1
                return try await connection.read()
            }
            self.count += 1
            return buffer?.count ?? 0
        }
    }
}

/// Runs `body` on a thread of its own.
///
/// A test that blocks its thread with a loop, and waits for tasks elsewhere, would take a thread from those tasks.
func onOwnThread(_ body: @escaping @Sendable () throws -> Void) async throws {
    let threads = LibUVTests.ThreadGroup()
    let result: Result<Void, any Error> = await withCheckedContinuation { continuation in
        do {
            try threads.start { continuation.resume(returning: Result { try body() }) }
        } catch { continuation.resume(returning: .failure(error)) }
    }
    threads.join()
    try result.get()
}

/// Runs `body` as a task on a new loop, with a thread of its own; see `withTask`.
func withOuterTask(
    sourceLocation: SourceLocation = #_sourceLocation, _ body: @escaping @Sendable (UVLoop) async throws -> Void
) async throws {
    try await onOwnThread { try withTask(sourceLocation: sourceLocation, body) }
}

/// Tests of calls from tasks that are not on the loop.
@Suite(.timeLimit(.minutes(1))) struct NaturalTaskTests {
    /// Runs `body` in a kind of task.
    enum Kind: CaseIterable {
        case plain, detached, child, group, otherActor, mainActor, immediate, otherLoop

        nonisolated(nonsending) func run(
            on loop: UVLoop, _ body: @escaping @Sendable () async throws -> Void
        ) async throws {
            switch self {
            case .plain: try await Task { try await body() }.value
            case .detached: try await Task.detached { try await body() }.value
            case .child:
                async let child: Void = body()
                try await child
            case .group:
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask(executorPreference: globalConcurrentExecutor) { try await body() }
                    try await group.waitForAll()
                }
            case .otherActor: try await Kind.other(body)
            case .mainActor: try await Task { @MainActor in try await body() }.value
            case .immediate: try await Task.immediate { try await body() }.value
            case .otherLoop: try await onAnotherLoop(than: loop) { _ in try await body() }
            }
        }

        private actor Other { func run(_ body: @Sendable () async throws -> Void) async throws { try await body() } }
        private static func other(_ body: @Sendable () async throws -> Void) async throws {
            try await Other().run(body)
        }
    }

    /// Promises of the articles "LibUV", "Threads and executors" and "What is not guaranteed".
    @Test(arguments: Kind.allCases) func everyMemberOfAConnectionMayBeCalledFromAnyTask(_ kind: Kind) async throws {
        try await withOuterTask { loop in
            let calls = Counter()
            try await kind.run(on: loop) {
                try await loop.withTCPListener(on: .loopback(port: 0)) { connections in
                    let client = try await loop.connect(to: connections.localAddress)
                    let server = try #require(try await connections.next())
                    try await client.write("hello")
                    let buffer = try await server.read()
                    #expect(buffer?.bytes == Array("hello".utf8))
                    try await client.write(loop.buffer(2, count: 300))
                    var own = loop.makeBuffer(capacity: 100)
                    for expected in [100, 128] {
                        if own.count == own.capacity { own = loop.makeBuffer(capacity: 1000) }
                        let count = try await server.read(into: &own)
                        #expect(count > 0, "\(expected)")
                    }
                    try await client.flush()
                    let isOnLoop = try await server.withStream { stream throws(UVError) in stream.loop.isOnThread }
                    #expect(isOnLoop)
                    #expect(client.receivedByteCount == 0)
                    try await client.shutdown()
                    while try await server.read() != nil {}
                    await #expect(throws: UVError.self) {
                        try await loop.withTimeout(.milliseconds(1)) { _ = try await client.read() }
                    }
                    let count = try await server.closing { connection in
                        try await connection.write("bye")
                        return connection.receivedByteCount
                    }
                    #expect(count == 0 && server.isClosing)
                    #expect(try await client.readAll() == Array("bye".utf8))
                    await client.close()
                    calls.add()
                }
            }
            #expect(calls.value == 1)
        }
    }

    /// Promises of the articles "Closures and tasks", "Getting started", "Threads and executors" and "What is not
    /// guaranteed".
    @Test(arguments: Kind.allCases) func everyOtherMemberMayBeCalledFromAnyTask(_ kind: Kind) async throws {
        try await withOuterTask { loop in
            let calls = Counter()
            try await kind.run(on: loop) {
                try await loop.sleep(for: .milliseconds(1))
                try await loop.clock.sleep(for: .milliseconds(1))
                #expect(try await loop.resolve("127.0.0.1", options: .numericNode).addresses.count == 1)
                #expect(try await loop.resolveName(of: .loopback(port: 1), options: [.numericHost]).host == "127.0.0.1")
                #expect(try await loop.random(byteCount: 3).count == 3)
                #expect(try await loop.work { 7 } == 7)
                #expect(try await loop.runProcess(.init(program: "true")) == .exited(0))
                try await loop.withDatagramSocket(on: .loopback(port: 0)) { socket in
                    let address = try await socket.withSocket { socket throws(UVError) in try socket.localAddress }
                    try await socket.send("text", to: address)
                    let datagram = try await socket.receive()
                    try await socket.send(datagram.buffer, to: datagram.sender)
                    let again = try await socket.receive()
                    #expect(again.buffer.bytes == Array("text".utf8))
                    #expect(socket.receivedByteCount == 0)
                }
                calls.add()
            }
            #expect(calls.value == 1)
        }
    }

    @Test(arguments: Kind.allCases) func aDescriptorIsWatchedFromAnyTask(_ kind: Kind) async throws {
        try await withOuterTask { loop in
            let pair = try LocalPair()
            let watched = try UVDescriptorWatcher(pair.first, on: loop)
            try await kind.run(on: loop) {
                let events = try await watched.wait(for: .writable)
                #expect(events == .writable)
                await watched.close()
            }
            #expect(isOpen(pair.first))
        }
    }

    /// Promise of the article "Errors".
    @Test(arguments: Kind.allCases) func aCallFromAnyTaskIsCancelled(_ kind: Kind) async throws {
        try await withOuterTask { loop in
            let (client, server) = try await UVConnection.pair(on: loop)
            let errors = Counter()
            for isReader in [false, true] {
                let task = Task(executorPreference: loop) {
                    try await kind.run(on: loop) {
                        let inner = Task.immediate {
                            do {
                                if isReader {
                                    _ = try await client.read()
                                } else {
                                    try await loop.sleep(for: .seconds(1000))
                                }
                            } catch {
                                errors.add((error as? UVError)?.code == .cancelled ? 1 : 1000)
                            }
                        }
                        await Task.yield()
                        inner.cancel()
                        await inner.value
                    }
                }
                try await task.value
            }
            #expect(errors.value == 2)
            await client.close()
            await server.close()
        }
    }

    /// Promise of the article "Threads and executors".
    @Test func anActorUsesItsStateInTheClosuresOfTheLibrary() async throws {
        try await withOuterTask { loop in
            try await loop.withTCPListener(on: .loopback(port: 0)) { connections in
                let address = connections.localAddress
                let server = loop.task {
                    try await connections.serve { connection in
                        while let buffer = try await connection.read() { try await connection.write(buffer) }
                    }
                }
                let actor = Elsewhere()
                #expect(try await actor.talk(to: address, on: loop) == 5)
                #expect(await actor.count == 3)
                server.cancel()
                try await server.value
            }
        }
    }

    /// A call from outside costs at most two wake-ups of the loop.
    ///
    /// Promise of the article "Threads and executors".
    @Test func aCallFromOutsideWakesTheLoopAtMostTwice() async throws {
        try await withOuterTask { loop in
            let (client, server) = try await UVConnection.pair(on: loop)
            let callCount = 500
            let begin = loop.statistics.wakeUpCount
            let outside = Task.detached {
                for _ in 0..<callCount { try await client.write("x") }
            }
            try await outside.value
            let wakeUps = loop.statistics.wakeUpCount - begin
            // One write for each call, and one for the end of the task, which this task awaits on the loop.
            #expect(wakeUps <= callCount + 10)
            #expect(wakeUps > 0)
            await client.close()
            await server.close()
        }
    }

    /// Promise of the article "Threads and executors".
    @Test func aTaskThatBeginsInACallbackStaysCorrect() async throws {
        try await onOwnThread { try runTasksThatBeginInACallback() }
    }

    private func runTasksThatBeginInACallback() throws {
        let loop = try UVLoop()
        let (near, far) = try UVTCPStream.pair(on: loop)
        let connection = try UVConnection(near)
        let peer = try UVConnection(far)
        let rounds = Counter()
        try UVTimer(on: loop).start(after: .milliseconds(1)) { timer in
            timer.close()
            Task.immediate {
                for _ in 0..<200 {
                    try await connection.write("ping")
                    _ = try await connection.read()
                    rounds.add()
                }
                await connection.close()
            }
            Task.immediate {
                while let buffer = try await peer.read() { try await peer.write(buffer) }
                await peer.close()
            }
        }
        let deadline = try UVTimer(on: loop)
        try deadline.start(after: .seconds(30)) { _ in loop.stop() }
        try loop.runTask {
            while !connection.isClosing || !peer.isClosing { try await loop.sleep(for: .milliseconds(1)) }
        }
        #expect(rounds.value == 200)
        deadline.close()
        try loop.close()
    }

    /// Promise of the article "Threads and executors".
    @Test func aCallOnAClosedLoopIsRefused() async throws {
        let loop = try UVLoop()
        let pair = try UVTCPStream.pair(on: loop)
        let connection = try UVConnection(pair.0)
        try loop.close()
        await #expect(throws: UVError(.cancelled, operation: "uv_read_start")) { _ = try await connection.read() }
        await #expect(throws: UVError(.cancelled, operation: "uv_write")) { try await connection.write("x") }
        await #expect(throws: UVError(.cancelled, operation: "sleep")) { try await loop.sleep(for: .zero) }
        await #expect(throws: UVError(.cancelled, operation: "uv_random")) { try await loop.random(byteCount: 1) }
        await #expect(throws: UVError(.cancelled, operation: "UVLoop.task")) { try await loop.task {}.value }
        #expect(try await loop.withTimeout(.seconds(1)) { 5 } == 5)
        await connection.close()
        #expect(loop.refusedTaskCount == 0)
    }

    /// Promise of the article "Threads and executors".
    @Test func callsFromOutsideDuringTheCloseEndAndLoseNoTask() async throws {
        for _ in 0..<30 { try await onOwnThread { try closeDuringCalls() } }
    }

    private func closeDuringCalls() throws {
        let loop = try UVLoop()
        let ended = Counter()
        let begun = Counter()
        for _ in 0..<8 {
            Task.detached {
                begun.add()
                while true {
                    do { try await loop.sleep(for: .zero) } catch {
                        ended.add()
                        return
                    }
                }
            }
        }
        while begun.value < 8 { try loop.run(.noWait) }
        for _ in 0..<50 { try loop.run(.noWait) }
        try loop.close()
        #expect(loop.refusedTaskCount == 0)
        while ended.value < 8 { _ = try? loop.run(.noWait) }
    }

    /// Promises of the articles "Getting started" and "Threads and executors".
    @Test func aTaskOfTheLoopRunsOnIt() async throws {
        try await withOuterTask { loop in
            let onAnotherThread = try await Task.detached {
                try await loop.task { loop.isOnThread }.value
            }.value
            #expect(onAnotherThread)
            let task = loop.task(priority: .high) { try await loop.sleep(for: .seconds(1000)) }
            task.cancel()
            let result = await task.result
            #expect(throws: UVError(.cancelled, operation: "sleep")) { try result.get() }
        }
    }

    @Test func aTimeoutReturnsANoncopyableValue() async throws {
        try await withOuterTask { loop in
            let (client, server) = try await UVConnection.pair(on: loop)
            try await client.write("text")
            let buffer = try await loop.withTimeout(.seconds(5)) { try await server.read() }
            #expect(buffer?.count == 4)
            if let more = try? await loop.withTimeout(.milliseconds(1), { try await server.read() }) {
                Issue.record("read \(more.count) bytes")
            }
            await client.close()
            await server.close()
        }
    }

    /// Promise of the article "Threads and executors".
    @Test func onlyTheLoopsOwnThreadReachesTheStream() async {
        await #expect(processExitsWith: .failure) {
            let loop = try UVLoop()
            let connection = try UVConnection(UVTCPStream.pair(on: loop).0)
            _ = connection.stream
        }
    }
}
