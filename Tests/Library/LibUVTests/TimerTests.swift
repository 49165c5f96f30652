import LibUV
import Testing

/// Tests of timers.
@Suite(.timeLimit(.minutes(1))) struct TimerTests {
    /// Tests behaviours 13 and 14 of docs/behaviours.md.
    @Test func timersFireOnceInOrderOfTimeAndThenOfStart() throws {
        try withLoop { loop in
            let record = Record()
            for (name, delay) in [("c", 8), ("a", 1), ("b1", 4), ("b2", 4), ("b3", 4)] {
                try UVTimer(on: loop).start(after: .milliseconds(delay)) { timer in
                    record.note(name)
                    timer.close()
                }
            }
            try loop.run()
            #expect(record.events == ["a", "b1", "b2", "b3", "c"])
        }
    }

    /// Tests behaviour 15 and pitfall 35 of docs/behaviours.md.
    @Test func againUsesTheIntervalAndNeedsAStart() throws {
        try withLoop { loop in
            let timer = try UVTimer(on: loop)
            #expect(throws: UVError(.invalidArgument, operation: "uv_timer_again")) { try timer.again() }
            var calls = 0
            try timer.start(after: .seconds(1000), repeating: .milliseconds(1)) { timer in
                calls += 1
                if calls == 1 { timer.repeatInterval = .milliseconds(2) }
                if calls == 3 { timer.stop() }
            }
            try timer.again()
            try loop.run()
            #expect(calls == 3)
            #expect(timer.repeatInterval == .milliseconds(2))
        }
    }

    @Test func againWithoutAnIntervalStops() throws {
        try withLoop { loop in
            let timer = try UVTimer(on: loop)
            try timer.start(after: .seconds(1000)) { _ in }
            try timer.again()
            #expect(try !loop.run(.noWait) || !timer.isActive || timer.repeatInterval == .zero)
            timer.stop()
        }
    }

    /// Tests behaviour 16 of docs/behaviours.md.
    @Test func startingAgainReplaces() throws {
        try withLoop { loop in
            let timer = try UVTimer(on: loop)
            let record = Record()
            try timer.start(after: .milliseconds(1)) { _ in record.note("first") }
            try timer.start(after: .milliseconds(1)) { _ in record.note("second") }
            try loop.run()
            #expect(record.events == ["second"])
        }
    }

    /// Tests behaviour 17 and pitfall 35 of docs/behaviours.md.
    @Test func hugeTimesDoNotOverflow() throws {
        try withLoop { loop in
            let (tiny, huge) = (try UVTimer(on: loop), try UVTimer(on: loop))
            try huge.start(after: .seconds(Int64.max), repeating: .seconds(Int64.max)) { _ in Issue.record("never") }
            #expect(huge.dueIn > .seconds(1_000_000_000))
            var calls = 0
            try tiny.start(after: .milliseconds(1)) { _ in
                calls += 1
                huge.close()
            }
            try loop.run()
            #expect(calls == 1)
        }
    }

    /// Tests behaviour 18 and pitfall 34 of docs/behaviours.md.
    @Test func noTimerFiresEarlyByTheLoopsClock() throws {
        try withLoop { loop in
            loop.updateTime()
            let begin = loop.now
            let timer = try UVTimer(on: loop)
            try timer.start(after: .microseconds(9_100)) { timer in
                // The duration is rounded up to ten milliseconds.
                #expect(loop.now - begin >= .milliseconds(10))
                timer.close()
            }
            try loop.run()
        }
    }

    /// Tests behaviour 19 of docs/behaviours.md.
    @Test func aTimerStartedInACheckFiresInALaterRound() throws {
        try withLoop { loop in
            let (check, timer) = (try UVCheck(on: loop), try UVTimer(on: loop))
            let record = Record()
            try check.start { check in
                check.close()
                record.note("check")
                try? timer.start(after: .zero) { timer in
                    record.note("timer")
                    timer.close()
                }
                record.note("started")
            }
            let idle = try UVIdle(on: loop)
            try idle.start { idle in idle.close() }
            try loop.run()
            #expect(record.events == ["check", "started", "timer"])
        }
    }

    /// Tests behaviour 20 of docs/behaviours.md.
    @Test func aClosingTimerCannotBeStarted() throws {
        try withLoop { loop in
            let timer = try UVTimer(on: loop)
            timer.close()
            #expect(throws: UVError(.invalidArgument, operation: "uv_timer_start")) {
                try timer.start(after: .zero) { _ in }
            }
            #expect(throws: UVError(.invalidArgument, operation: "uv_timer_again")) { try timer.again() }
            timer.stop()
        }
    }

    /// Tests pitfall 12 of docs/behaviours.md.
    ///
    /// Promise of the article "Ownership and lifetime".
    @Test func aTimerMayCloseItselfAndACycleOfClosuresIsBroken() throws {
        weak var leaked: UVTimer?
        try withLoop { loop in
            let timer = try UVTimer(on: loop)
            leaked = timer
            // This creates a reference cycle, because the closure captures the timer and the timer holds the closure.
            try timer.start(after: .zero) { _ in
                timer.close()
                timer.close()
            }
            try loop.run()
        }
        #expect(leaked == nil)
    }
}
