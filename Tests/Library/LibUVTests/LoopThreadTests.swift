import LibUV
import Testing

/// Tests of loops with their own threads.
@Suite(.timeLimit(.minutes(1))) struct LoopThreadTests {
    /// Promise of the article "Threads and executors".
    @Test func aThreadRunsTasksUntilItsShutdown() async throws {
        let begun = Counter()
        let thread = try UVLoopThread(name: "a name that is too long") { loop in
            if loop.isOnThread { begun.add() }
        }
        let isOnThread = try await thread.run { loop in
            try await loop.sleep(for: .milliseconds(1))
            return loop.isOnThread
        }
        #expect(isOnThread)
        #expect(begun.value == 1)
        let echo = try await thread.run { loop in
            let (client, server) = try await UVConnection.pair(on: loop)
            try await client.write("text")
            let count = try await server.read()?.count
            await client.close()
            await server.close()
            return count
        }
        #expect(echo == 4)
        let value = try await thread.loop.task { 5 }.value
        #expect(value == 5)
        #expect(try await thread.shutdown().isEmpty)
        #expect(try await thread.shutdown().isEmpty)
        await #expect(throws: UVError(.cancelled, operation: "UVLoopThread.run")) { try await thread.run { _ in } }
        #expect(thread.loop.refusedTaskCount == 0)
    }

    @Test func shutdownCancelsTheTasksAndWaitsForThem() async throws {
        struct Failure: Error {}
        let cancelled = Counter()
        let waiting = Counter()
        let thread = try UVLoopThread { loop in
            waiting.add()
            try? await loop.sleep(for: .seconds(1000))
            cancelled.add()
            throw Failure()
        }
        let callers = (0..<10).map { index in
            Task.detached {
                try await thread.run { loop in
                    waiting.add()
                    do {
                        if index % 2 == 0 {
                            try await loop.sleep(for: .seconds(1000))
                        } else {
                            try await Task.sleep(for: .seconds(1000))
                        }
                    } catch {
                        await Task.yield()
                        cancelled.add()
                        throw error
                    }
                }
            }
        }
        while waiting.value < 11 { await Task.yield() }
        await #expect(throws: Failure.self) { try await thread.shutdown() }
        #expect(cancelled.value == 11)
        for caller in callers {
            let result = await caller.result
            #expect(throws: (any Error).self) { try result.get() }
        }
        #expect(thread.loop.refusedTaskCount == 0)
    }

    @Test func shutdownReportsWhatIsOpenAndIsBounded() async throws {
        let thread = try UVLoopThread()
        try await thread.run { loop in _ = try UVTimer(on: loop) }
        let (begun, mayEnd) = (Counter(), Counter())
        let stubborn = Task.detached {
            try await thread.run { _ in
                begun.add()
                while mayEnd.value == 0 { await Task.yield() }
            }
        }
        while begun.value == 0 { await Task.yield() }
        await #expect(throws: UVError(.timedOut, operation: "UVLoopThread.shutdown")) {
            try await thread.shutdown(within: .milliseconds(20))
        }
        mayEnd.add()
        let open = try await thread.shutdown()
        #expect(open.map(\.type) == ["timer"])
        try await stubborn.value
    }

    @Test func stopEndsTheThread() async throws {
        let thread = try UVLoopThread()
        thread.loop.stop()
        #expect(try await thread.shutdown().isEmpty)
    }

    @Test func cancellingTheCallerCancelsTheTask() async throws {
        let thread = try UVLoopThread()
        let caller = Task.detached { try await thread.run { loop in try await loop.sleep(for: .seconds(1000)) } }
        caller.cancel()
        let result = await caller.result
        #expect(throws: UVError.self) { try result.get() }
        try await thread.shutdown()
    }

    /// Promise of the article "Threads and executors".
    @Test func aGroupHandsOutItsLoopsInTurn() async throws {
        let group = try UVLoopGroup(count: 3)
        #expect(group.threads.count == 3)
        let turns = (0..<6).map { _ in group.next() }
        for index in 0..<6 { #expect(turns[index] === group.threads[index % 3]) }
        let onThread = try await withThrowingTaskGroup(of: Bool.self) { tasks in
            for thread in turns { tasks.addTask { try await thread.run { $0.isOnThread } } }
            return try await tasks.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(onThread == 6)
        #expect(try await group.shutdown().isEmpty)
    }

    /// Promise of the article "Threads and executors".
    @Test func anAwaitedRunHasAThreadOfItsOwn() async throws {
        struct Failure: Error {}
        let value = try await UVLoop.run { loop in
            try await loop.sleep(for: .milliseconds(1))
            return loop.isOnThread ? 7 : 0
        }
        #expect(value == 7)
        await #expect(throws: Failure.self) { try await UVLoop.run { _ in throw Failure() } }
        let waiting = Task.detached {
            try await UVLoop.run { loop in
                try await loop.sleep(for: .seconds(1000))
                return 5
            }
        }
        waiting.cancel()
        let result = await waiting.result
        #expect(throws: UVError(.cancelled, operation: "sleep")) { try result.get() }
    }
}
