import SystemCalls
import Testing

/// Tests of the conversion of durations to system types.
@Suite(.timeLimit(.minutes(1))) struct DurationTests {
    @Test(
        arguments: [
            (.zero, 0), (.nanoseconds(1), 1), (.seconds(2), 2_000_000_000), (.seconds(-1), 0),
            (.nanoseconds(-1), 0), (.seconds(Int64.max), .max),
            (.init(secondsComponent: 0, attosecondsComponent: 999_999_999), 0),
        ] as [(Duration, UInt64)])
    func isCountedInNanoseconds(_ duration: Duration, _ nanoseconds: UInt64) {
        #expect(duration.nanoseconds == nanoseconds)
    }

    @Test func aWaitEndsAfterItsTimeout() throws {
        let wakeUp = try WakeUp()
        let begin = ContinuousClock.now
        let isWokenEarly = wakeUp.wait(timeout: .microseconds(1500))
        // The wait rounds its timeout up to milliseconds.
        #expect(begin.duration(to: .now) >= .microseconds(1500))
        let isWokenWithoutWaiting = wakeUp.wait(timeout: .seconds(-1))
        wakeUp.signal()
        let isWoken = wakeUp.wait(timeout: .seconds(Int64.max))
        #expect(!isWokenEarly && !isWokenWithoutWaiting && isWoken)
    }

    @Test func aMonitorWaitsNoLongerThanItsTimeout() {
        let monitor = Monitor(0)
        let begin = ContinuousClock.now
        #expect(monitor.wait(timeout: .milliseconds(20)) { $0 == 1 ? true : nil } == nil)
        #expect(begin.duration(to: .now) >= .milliseconds(19))
        monitor.withLock { $0 = 1 }
        #expect(monitor.wait(timeout: .seconds(Int64.max)) { $0 == 1 ? true : nil } == true)
    }

    @Test func aSleepLastsAtLeastItsDuration() {
        let begin = ContinuousClock.now
        PosixThread.sleep(.milliseconds(2))
        #expect(begin.duration(to: .now) >= .milliseconds(2))
    }
}
