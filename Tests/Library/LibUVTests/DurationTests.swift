import LibUV
import Testing

/// Tests of every function that takes a duration, with the most extreme durations.
///
/// A computation that overflows would trap.
@Suite(.timeLimit(.minutes(1))) struct DurationTests {
    private static let longest = Duration(attoseconds: .max)
    private static let shortest = Duration(attoseconds: .min)
    private static let long: [Duration] = [.seconds(Int64.max), .seconds(Int64.max) * 10, longest]
    private static let short: [Duration] = [.zero, .seconds(-1), .seconds(Int64.min), shortest]

    /// Promise of `UVLoop.sleep(for:)`: with an extremely long duration, the task sleeps until it is cancelled.
    ///
    /// Promise of the article "Errors".
    @Test func anExtremelyLongSleepEndsWhenItIsCancelled() throws {
        try withTask { loop in
            for duration in DurationTests.long {
                let sleepers = [
                    Task(executorPreference: loop) { try await loop.sleep(for: duration) },
                    Task(executorPreference: loop) { try await loop.sleep(until: .init(offset: duration)) },
                    Task(executorPreference: loop) { try await loop.clock.sleep(for: duration) },
                ]
                try await loop.sleep(for: .milliseconds(2))
                for sleeper in sleepers {
                    sleeper.cancel()
                    let result = await sleeper.result
                    #expect(throws: (any Error).self) { try result.get() }
                }
            }
        }
    }

    /// Promise of the article "Errors".
    @Test func aNegativeSleepReturnsAtOnce() throws {
        try withTask { loop in
            for duration in DurationTests.short {
                try await loop.sleep(for: duration)
                try await loop.sleep(until: .init(offset: duration))
                try await loop.clock.sleep(for: duration)
            }
        }
    }

    @Test func aTimeoutMayHaveAnyDuration() throws {
        try withTask { loop in
            for duration in DurationTests.long {
                let inTime = try await loop.withTimeout(duration) { 7 }
                #expect(inTime == 7)
            }
            for duration in DurationTests.short {
                await #expect(throws: UVError(.timedOut, operation: "withTimeout")) {
                    try await loop.withTimeout(duration) { try await loop.sleep(for: DurationTests.longest) }
                }
            }
        }
    }

    /// Promise of the article "Errors".
    @Test func aTimerMayHaveAnyDelayAndInterval() throws {
        try withLoop { loop in
            for delay in DurationTests.long {
                let timer = try UVTimer(on: loop)
                try timer.start(after: delay, repeating: delay) { _ in Issue.record("never") }
                timer.repeatInterval = delay
                #expect(timer.repeatInterval > .seconds(1_000_000_000))
                #expect(timer.dueIn > .seconds(1_000_000_000))
                try timer.again()
                timer.unref()
            }
            var calls = 0
            for delay in DurationTests.short {
                let timer = try UVTimer(on: loop)
                try timer.start(after: delay, repeating: delay) { timer in
                    calls += 1
                    timer.close()
                }
                #expect(timer.repeatInterval == .milliseconds(1))
                timer.repeatInterval = delay
                #expect(timer.repeatInterval == .zero)
            }
            try loop.run()
            #expect(calls == DurationTests.short.count)
        }
    }

    @Test func instantsAreClamped() {
        let (first, last) = (
            UVClock.Instant(offset: DurationTests.shortest), UVClock.Instant(offset: DurationTests.longest)
        )
        #expect(last.advanced(by: .seconds(1)) == last)
        #expect(first.advanced(by: .seconds(-1)) == first)
        #expect(first.duration(to: last) == DurationTests.longest)
        #expect(last.duration(to: first) == DurationTests.shortest)
        let instant = UVClock.Instant(offset: .seconds(5))
        #expect(instant.advanced(by: .seconds(-2)).duration(to: instant) == .seconds(2))
        #expect(instant + .seconds(2) - .seconds(2) == instant && (instant + .seconds(2)) - instant == .seconds(2))
        #expect(last + .seconds(1) == last && first - .seconds(1) == first)
        #expect(last - first == DurationTests.longest && first - last == DurationTests.shortest)
    }

    @Test func keepAliveMayHaveAnyDelay() throws {
        try withLoop { loop in
            let connection = try Connection.make(on: loop)
            for delay in DurationTests.long { try connection.client.setKeepAlive(after: delay) }
            for delay in DurationTests.short {
                #expect(throws: UVError(.invalidArgument, operation: "uv_tcp_keepalive")) {
                    try connection.client.setKeepAlive(after: delay)
                }
            }
            connection.close()
            try loop.run()
        }
    }
}
