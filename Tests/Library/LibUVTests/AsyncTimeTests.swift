import LibUV
import Testing

/// Tests of sleeping, the clock and timeouts.
@Suite(.timeLimit(.minutes(1))) struct AsyncTimeTests {
    @Test func sleepIsNeverShorterThanAsked() throws {
        try withTask { loop in
            for milliseconds in [0, 1, 3, 10] {
                let begin = loop.clock.now
                try await loop.sleep(for: .milliseconds(milliseconds))
                #expect(begin.duration(to: loop.clock.now) >= .milliseconds(milliseconds))
            }
        }
    }

    /// Promise of the article "Threads and executors".
    @Test func theClockSleepsOnTheLoopAndOffIt() throws {
        try withTask { loop in
            let begin = loop.clock.now
            try await loop.clock.sleep(for: .milliseconds(2))
            try await onAnotherLoop(than: loop) { _ in
                try await loop.clock.sleep(until: begin.advanced(by: .milliseconds(5)))
            }
            #expect(begin.duration(to: loop.clock.now) >= .milliseconds(5))
            #expect(loop.clock.minimumResolution == .milliseconds(1))
            #expect(begin < loop.clock.now)
        }
    }

    @Test func sleepersWakeInTheOrderOfTheirDeadlines() throws {
        try withTask { loop in
            let order = try await withThrowingTaskGroup(of: Int.self) { group in
                for milliseconds in [30, 10, 20, 0] {
                    group.addTask {
                        try await loop.sleep(for: .milliseconds(milliseconds))
                        return milliseconds
                    }
                }
                return try await group.reduce(into: [Int]()) { $0.append($1) }
            }
            #expect(order == [0, 10, 20, 30])
        }
    }

    @Test func aCancelledSleeperWakesAtOnce() throws {
        try withTask { loop in
            let sleeper = Task(executorPreference: loop) { try await loop.sleep(for: .seconds(1000)) }
            await Task.yield()
            sleeper.cancel()
            let outcome = await sleeper.result
            #expect(throws: UVError(.cancelled, operation: "sleep")) { try outcome.get() }
            let early = Task(executorPreference: loop) { try await loop.sleep(for: .seconds(1000)) }
            early.cancel()
            let earlyOutcome = await early.result
            #expect(throws: UVError(.cancelled, operation: "sleep")) { try earlyOutcome.get() }
        }
    }

    /// Promise of the article "Errors".
    @Test func aCancelledSleeperOfTheClockGetsTheStandardError() throws {
        try withTask { loop in
            try await onAnotherLoop(than: loop) { other in
                let sleeper = Task(executorPreference: other) { try await loop.clock.sleep(for: .seconds(1000)) }
                try await other.sleep(for: .milliseconds(1))
                sleeper.cancel()
                let outcome = await sleeper.result
                #expect(throws: CancellationError.self) { try outcome.get() }
            }
        }
    }

    /// Promise of the article "Threads and executors".
    @Test func aTimeoutCancelsItsBodyAndSaysSo() throws {
        try withTask { loop in
            await #expect(throws: UVError(.timedOut, operation: "withTimeout")) {
                try await loop.withTimeout(.milliseconds(2)) { try await loop.sleep(for: .seconds(1000)) }
            }
            let inTime = try await loop.withTimeout(.seconds(1000)) { 7 }
            #expect(inTime == 7)
        }
    }

    @Test func aTimeoutPassesOnWhatItsBodyThrows() throws {
        struct Failure: Error {}
        try withTask { loop in
            await #expect(throws: Failure.self) { try await loop.withTimeout(.seconds(1000)) { throw Failure() } }
            let outer = Task(executorPreference: loop) {
                try await loop.withTimeout(.seconds(1000)) { try await loop.sleep(for: .seconds(1000)) }
            }
            await Task.yield()
            outer.cancel()
            let outcome = await outer.result
            #expect(throws: UVError(.cancelled, operation: "sleep")) { try outcome.get() }
        }
    }

    @Test func aThousandSleepersLeaveNothingBehind() throws {
        try withTask { loop in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<1000 { group.addTask { try await loop.sleep(for: .milliseconds(index % 5)) } }
                try await group.waitForAll()
            }
            for _ in 0..<3 { await Task.yield() }
            try await loop.sleep(for: .milliseconds(1))
            var open = 0
            loop.walk { if !$0.isClosing { open += 1 } }
            // The only open handle is the timer that enforces the test's time limit.
            #expect(open == 1)
        }
    }
}
