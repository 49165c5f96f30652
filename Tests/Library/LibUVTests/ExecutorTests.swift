import LibUV
import Testing

/// An actor whose executor is a loop.
private actor LoopCounter: UVActor {
    nonisolated let loop: UVLoop
    private(set) var count = 0
    private(set) var wasOnLoop = true

    init(on loop: UVLoop) { self.loop = loop }

    func add(_ amount: Int = 1) {
        count += amount
        wasOnLoop = wasOnLoop && loop.isOnThread
    }

    func add(to other: LoopCounter, times: Int) async {
        for _ in 0..<times { await other.add() }
    }
}

/// Tests of the loop as an executor of actors and tasks.
@Suite(.timeLimit(.minutes(1))) struct ExecutorTests {
    /// Promises of the articles "Coming from SwiftNIO" and "Threads and executors".
    @Test func aTaskThatPrefersTheLoopRunsOnItsThread() throws {
        let wasOnLoop = try UVLoop.run { loop in
            let before = loop.isOnThread
            await Task.yield()
            try await loop.sleep(for: .milliseconds(1))
            return before && loop.isOnThread
        }
        #expect(wasOnLoop)
    }

    /// Promise of the article "Threads and executors".
    @Test func aTaskGroupRunsOnTheLoop() throws {
        let onLoop = try UVLoop.run { loop in
            await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<100 {
                    group.addTask {
                        await Task.yield()
                        return loop.isOnThread && loop.isIsolatingCurrentContext() == true
                    }
                }
                return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
        }
        #expect(onLoop == 100)
    }

    /// Promise of the article "Threads and executors".
    @Test func anActorOnTheLoopRunsOnItsThreadWhoeverCalls() throws {
        let loop = try UVLoop()
        let counter = LoopCounter(on: loop)
        let done = Counter()
        let threads = LibUVTests.ThreadGroup()
        for _ in 0..<8 {
            // Each caller is a task on its own loop and its own thread.
            try threads.start {
                try? UVLoop.run { _ in for _ in 0..<500 { await counter.add() } }
                done.add()
            }
        }
        let counts = try loop.runTask {
            while done.value < 8 { try await loop.sleep(for: .milliseconds(1)) }
            return await (counter.count, counter.wasOnLoop)
        }
        threads.join()
        #expect(counts == (4000, true))
        try loop.close()
    }

    /// Promises of the articles "LibUV" and "Threads and executors".
    @Test func isolationIsToldTruly() throws {
        let loop = try UVLoop()
        let other = try UVLoop()
        let counter = LoopCounter(on: loop)
        #expect(loop.isIsolatingCurrentContext() == false)
        let timer = try UVTimer(on: loop)
        var calls = 0
        try timer.start(after: .zero) { timer in
            calls += 1
            #expect(loop.isIsolatingCurrentContext() == true)
            #expect(other.isIsolatingCurrentContext() == false)
            loop.checkIsolated()
            counter.assumeIsolated { counter in counter.add() }
            timer.close()
        }
        try loop.run()
        #expect(calls == 1)
        #expect(loop.isIsolatingCurrentContext() == false)
        try loop.close()
        try other.close()
    }

    @Test func jobsBeforeRunWaitForIt() throws {
        let loop = try UVLoop()
        let counter = LoopCounter(on: loop)
        let task = Task(executorPreference: loop) { await counter.add() }
        _ = task
        try loop.run()
        let timer = try UVTimer(on: loop)
        var count = 0
        try timer.start(after: .zero) { timer in
            count = counter.assumeIsolated { $0.count }
            timer.close()
        }
        try loop.run()
        #expect(count == 1)
        try loop.close()
    }

    /// Promise of the article "Threads and executors".
    @Test func jobsAfterStopWaitForTheNextRun() throws {
        let loop = try UVLoop()
        let ran = Counter()
        let idle = try UVIdle(on: loop)
        try idle.start { idle in
            loop.stop()
            Task(executorPreference: loop) {
                ran.add()
                loop.stop()
                await Task.yield()
                ran.add()
            }
            idle.close()
        }
        while ran.value == 0 { try loop.run() }
        while ran.value == 1 { try loop.run() }
        #expect(ran.value == 2)
        try loop.close()
    }

    /// Promise of the article "Threads and executors".
    @Test func closeRunsWhatItsCallbacksResume() throws {
        let loop = try UVLoop()
        let outcome = Counter()
        Task(executorPreference: loop) {
            do { try await loop.sleep(for: .seconds(1000)) } catch {
                // The task continues after the cancellation and enqueues further jobs.
                for _ in 0..<1000 { await Task.yield() }
                outcome.add((error as? UVError)?.code == .cancelled ? 1 : 2)
            }
        }
        try loop.run(.noWait)
        try loop.run(.noWait)
        #expect(try loop.close().count == 1)
        #expect(outcome.value == 1)
        #expect(loop.refusedTaskCount == 0)
    }

    @Test func whatComesFromOtherThreadsDuringCloseIsRunOrRefusedAndNeverLost() throws {
        for _ in 0..<20 {
            let loop = try UVLoop()
            let ran = Counter()
            let began = Counter()
            let threads = LibUVTests.ThreadGroup()
            for _ in 0..<4 {
                try threads.start {
                    began.add()
                    for _ in 0..<500 { Task(executorPreference: loop) { ran.add() } }
                }
            }
            while began.value < 4 { _ = try loop.run(.noWait) }
            try loop.close()
            let ranBeforeEnd = ran.value
            threads.join()
            // No job runs after the close.
            #expect(ran.value == ranBeforeEnd)
            #expect(ran.value + loop.refusedTaskCount == 2000)
        }
    }

    /// Promises of the articles "Metrics of a loop" and "Threads and executors".
    @Test func aTaskThatComesAfterCloseIsCountedAndNotRun() throws {
        let loop = try UVLoop()
        try loop.close()
        let ran = Counter()
        Task(executorPreference: loop) { ran.add() }
        #expect(loop.refusedTaskCount == 1)
        #expect(ran.value == 0)
        #expect(throws: UVError(.cancelled, operation: "UVLoop.execute")) { try loop.execute {} }
    }

    /// Promise of the article "Threads and executors".
    @Test func thousandsFromOtherThreadsAreEachRunOnce() throws {
        let loop = try UVLoop()
        let ran = Counter()
        let threads = LibUVTests.ThreadGroup()
        for _ in 0..<8 {
            try threads.start { for _ in 0..<1000 { Task(executorPreference: loop) { ran.add() } } }
        }
        try loop.runTask { while ran.value < 8000 { try await loop.sleep(for: .milliseconds(1)) } }
        threads.join()
        #expect(ran.value == 8000)
        try loop.close()
        #expect(loop.refusedTaskCount == 0)
    }

    /// Promise of the article "What is not guaranteed".
    @Test func jobsDoNotStarveIO() throws {
        let loop = try UVLoop()
        let done = Counter()
        let yields = try loop.runTask {
            // The timer starts here so that it cannot fire before the first job.
            let timer = try UVTimer(on: loop)
            try timer.start(after: .milliseconds(1)) { timer in
                done.add()
                timer.close()
            }
            var yields = 0
            while done.value == 0 {
                await Task.yield()
                yields += 1
            }
            return yields
        }
        #expect(yields > 0)
        try loop.close()
    }

    /// Promises of the articles "Threads and executors" and "What is not guaranteed".
    @Test func ioDoesNotStarveJobs() throws {
        let loop = try UVLoop()
        let idle = try UVIdle(on: loop)
        var rounds = 0
        try idle.start { _ in rounds += 1 }
        let wake = try UVAsync(on: loop) { $0.send() }
        wake.send()
        try loop.runTask { for _ in 0..<10 { await Task.yield() } }
        #expect(rounds >= 1)
        idle.close()
        wake.close()
        try loop.close()
    }

    /// Promise of the article "Threads and executors".
    @Test func stopCancelsTheTaskThatRunWaitsFor() throws {
        let loop = try UVLoop()
        let timer = try UVTimer(on: loop)
        try timer.start(after: .zero) { timer in
            loop.stop()
            timer.close()
        }
        let ended = Counter()
        try loop.runTask {
            defer { ended.add() }
            try await loop.sleep(for: .seconds(1000))
        }
        #expect(ended.value == 1)
        try loop.close()
    }

    @Test func aRunInARunIsRefused() throws {
        let loop = try UVLoop()
        try loop.runTask {
            #expect(throws: UVError(.busy, operation: "uv_run")) { try loop.run() }
            #expect(throws: UVError(.busy, operation: "uv_loop_close")) { try loop.close() }
        }
        try loop.close()
    }

    /// Promise of the article "What is not guaranteed".
    @Test func jobsKeepTheOrderOfTheirComing() throws {
        let loop = try UVLoop()
        let next = Counter()
        let inOrder = Counter()
        let timer = try UVTimer(on: loop)
        try timer.start(after: .zero) { timer in
            for index in 0..<1000 {
                if index % 2 == 0 {
                    try? loop.execute { note(index) }
                } else {
                    Task(executorPreference: loop) { note(index) }
                }
            }
            timer.close()
        }
        @Sendable func note(_ index: Int) {
            if index == next.value { inOrder.add() }
            next.add()
        }
        try loop.run()
        #expect(inOrder.value == 1000)
        try loop.close()
    }
}
