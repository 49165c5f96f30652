import Foundation
import LibUV
import Testing

/// Tests of signals and ticks as sequences.
@Suite(.timeLimit(.minutes(1))) struct LoopSequenceTests {
    // MARK: - Signals

    /// Each signal is an element, and a signal that arrives twice before it is asked for is one.
    ///
    /// Promise of the article "Threads and executors".
    @Test func signalsArriveInASequence() async {
        await #expect(processExitsWith: .success) {
            try withTask { loop in
                let signals = try loop.signals([SIGUSR1, SIGUSR2, SIGHUP])
                kill(getpid(), SIGUSR1)
                #expect(try await signals.next() == SIGUSR1)
                kill(getpid(), SIGUSR2)
                try await loop.sleep(for: .milliseconds(20))
                kill(getpid(), SIGUSR2)
                kill(getpid(), SIGHUP)
                try await loop.sleep(for: .milliseconds(20))
                #expect(try await signals.next() == SIGUSR2)
                #expect(try await signals.next() == SIGHUP)
                let waiting = Task(executorPreference: loop) {
                    var numbers: [Int32] = []
                    for try await number in signals { numbers.append(number) }
                    return numbers
                }
                for _ in 0..<5 { await Task.yield() }
                await #expect(throws: UVError(.busy, operation: "uv_signal_start")) { try await signals.next() }
                kill(getpid(), SIGUSR1)
                try await loop.sleep(for: .milliseconds(20))
                waiting.cancel()
                #expect(try await waiting.value == [SIGUSR1])
                // The sequence has ended.
                #expect(try await signals.next() == nil)
            }
        }
    }

    /// When the sequence is released, the watch ends, and the signal has its former disposition.
    ///
    /// Promise of the article "Stopping a server".
    @Test func aReleasedSequenceEndsItsWatch() async {
        await #expect(processExitsWith: .success) {
            signal(SIGHUP, SIG_IGN)
            try withTask { loop in
                do {
                    for try await number in try loop.signals([SIGHUP]).started() {
                        #expect(number == SIGHUP)
                        break
                    }
                }
                var isWatching = true
                while isWatching {
                    try await loop.sleep(for: .milliseconds(1))
                    isWatching = false
                    loop.walk { if $0.typeName == "signal" { isWatching = true } }
                }
                kill(getpid(), SIGHUP)
            }
        }
    }

    /// An invalid signal leaves nothing behind.
    ///
    /// Promise of the article "Errors".
    @Test func anInvalidSignalThrows() throws {
        try withTask { loop in
            #expect(throws: UVError(.invalidArgument, operation: "uv_signal_start")) {
                try loop.signals([SIGUSR2, SIGKILL])
            }
        }
    }

    /// A loop that closes ends the sequence, whose wait does not keep the loop running.
    ///
    /// Promise of the article "Threads and executors".
    @Test func aClosedLoopEndsTheSequence() throws {
        let loop = try UVLoop()
        let ended = Counter()
        Task(executorPreference: loop) {
            let signals = try loop.signals([SIGUSR2])
            if try await signals.next() == nil { ended.add() }
        }
        #expect(try !loop.run())
        #expect(ended.value == 0)
        try loop.close()
        #expect(ended.value == 1)
    }

    // MARK: - Ticks

    /// Ticks are never early, and the elements count all intervals that have passed.
    ///
    /// Promises of the articles "Threads and executors" and "What is not guaranteed".
    @Test func ticksAreCounted() throws {
        try withTask { loop in
            let clock = ContinuousClock()
            let start = clock.now
            var (count, elements) = (0, 0)
            for try await ticks in loop.ticks(every: .milliseconds(5)) {
                count += ticks
                elements += 1
                #expect(clock.now - start >= .milliseconds(5 * count))
                if elements == 3 {
                    // Blocks the loop for several intervals.
                    usleep(32_000)
                }
                if elements == 6 { break }
            }
            #expect(count >= 6 + 5)
        }
    }

    /// Promise of the article "Threads and executors".
    @Test(arguments: [true, false]) func cancellationEndsTheTicks(_ isOnLoop: Bool) async throws {
        try await withOuterTask { loop in
            let count = Counter()
            let body = { @Sendable () async throws -> Void in
                for try await _ in loop.ticks(every: .milliseconds(1)) { count.add() }
            }
            let ticking =
                isOnLoop
                ? Task(executorPreference: loop) { try await body() } : Task.detached { try await body() }
            while count.value < 3 { try await loop.sleep(for: .milliseconds(1)) }
            ticking.cancel()
            try await ticking.value
        }
    }

    /// Extreme intervals neither trap nor spin.
    ///
    /// Promise of the article "What is not guaranteed".
    @Test(arguments: [Duration.zero, .seconds(-1), .nanoseconds(1)]) func shortIntervalsAreAMillisecond(
        _ interval: Duration
    ) throws {
        try withTask { loop in
            let start = ContinuousClock().now
            var iterator = loop.ticks(every: interval).makeAsyncIterator()
            var count = 0
            while count < 5 { count += try await iterator.next(isolation: nil) ?? 0 }
            #expect(ContinuousClock().now - start >= .milliseconds(count))
        }
    }

    @Test func anEndlessIntervalCanBeCancelled() throws {
        try withTask { loop in
            let ticking = Task(executorPreference: loop) {
                for try await _ in loop.ticks(every: .seconds(Int64.max)) { Issue.record("a tick") }
            }
            for _ in 0..<5 { await Task.yield() }
            ticking.cancel()
            try await ticking.value
        }
    }
}

extension UVSignals {
    /// Sends the process a signal that the sequence watches.
    fileprivate func started() -> UVSignals {
        kill(getpid(), SIGHUP)
        return self
    }
}
