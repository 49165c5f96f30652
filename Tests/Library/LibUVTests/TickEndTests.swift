import LibUV
import Testing

/// Tests of ticks whose loop closes.
@Suite(.timeLimit(.minutes(1))) struct TickEndTests {
    /// Promise of the article "Threads and executors".
    @Test func aLoopThatClosesEndsTheTicks() throws {
        let loop = try UVLoop()
        let ended = Counter()
        for interval in [Duration.milliseconds(1), .seconds(3600)] {
            Task(executorPreference: loop) {
                do {
                    for try await _ in loop.ticks(every: interval) {}
                    ended.add()
                } catch { Issue.record(error) }
            }
        }
        for _ in 0..<10 { try loop.run(.noWait) }
        #expect(ended.value == 0)
        try loop.close()
        #expect(ended.value == 2)
    }

    /// A task on another executor waits for a tick when the loop closes.
    @Test func aTaskElsewhereSeesTheEnd() async throws {
        let ticking = Counter()
        let loop = try UVLoop()
        let task = Task.detached {
            for try await _ in loop.ticks(every: .milliseconds(1)) { ticking.add() }
        }
        let threads = LibUVTests.ThreadGroup()
        try threads.start {
            do throws(UVError) {
                while ticking.value < 3 { try loop.run(.noWait) }
                try loop.close()
            } catch { Issue.record(error) }
        }
        try await task.value
        threads.join()
        #expect(ticking.value >= 3)
    }

    /// A tick that was due when the loop closed is not reported.
    @Test func aClosedLoopHasNoTicks() async throws {
        let loop = try UVLoop()
        var due = loop.ticks(every: .milliseconds(1)).makeAsyncIterator()
        var late = loop.ticks(every: .seconds(3600)).makeAsyncIterator()
        let end = ContinuousClock.now.advanced(by: .milliseconds(3))
        while ContinuousClock.now < end {}
        try loop.close()
        #expect(try await due.next(isolation: nil) == nil)
        #expect(try await late.next(isolation: nil) == nil)
    }
}
