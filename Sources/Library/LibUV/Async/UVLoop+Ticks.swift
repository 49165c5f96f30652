extension UVLoop {
    /// Returns the ticks of a timer as a sequence (`uv_timer_start`).
    ///
    /// ```swift
    /// for try await _ in loop.ticks(every: .seconds(10)) { report() }
    /// ```
    ///
    /// The first tick comes one interval after `makeAsyncIterator` is called. A `for` loop makes this call when the
    /// loop begins. Later ticks follow at multiples of the interval, so their times do not drift. The sequence ends
    /// when the task is cancelled or the loop closes. Callable from any thread, and usable on any executor.
    ///
    /// - Parameter interval: the interval, rounded up to whole milliseconds. It is at least one millisecond.
    public func ticks(every interval: Duration) -> UVTicks { UVTicks(loop: self, interval: interval) }
}

/// The ticks of a timer.
///
/// Each element is the number of ticks since the previous element. It is 1 unless the program was busy for longer than
/// an interval. No tick is lost silently, and ticks do not accumulate in memory.
public struct UVTicks: AsyncSequence, Sendable {
    /// The type of the elements, which are numbers of ticks.
    public typealias Element = Int

    /// The type of the errors.
    public typealias Failure = UVError

    /// The loop whose timers make the ticks.
    public let loop: UVLoop
    private let milliseconds: UInt64

    init(loop: UVLoop, interval: Duration) {
        self.loop = loop
        // Longer intervals are shortened to about 285,000 years, which no program outlives.
        milliseconds = Swift.min(interval.repeatMilliseconds, 1 << 53)
    }

    /// Iterates over the ticks.
    public struct AsyncIterator: AsyncIteratorProtocol {
        let loop: UVLoop
        let interval: Duration
        var due: UVClock.Instant

        /// Returns the number of ticks since the last call, and suspends until there is a tick.
        ///
        /// - Returns: the number, or `nil` if the task is cancelled or the loop closes.
        /// - Throws: the error of `uv_timer_start`.
        public mutating func next(isolation actor: isolated (any Actor)?) async throws(UVError) -> Int? {
            do throws(UVError) {
                if UVClock.now < due { try await loop.sleep(until: due) }
            } catch {
                if error.code == .cancelled { return nil }
                throw error
            }
            // If the tick was already due, `sleep` was not called, so check here whether the task is cancelled or the
            // loop has closed.
            if Task.isCancelled || loop.remote.withLock({ $0.isClosed }) { return nil }
            let late = due.duration(to: UVClock.now)
            let count = late > .zero ? 1 + Int(clamping: late.wholeNanoseconds / interval.wholeNanoseconds) : 1
            due = due.advanced(by: interval * count)
            return count
        }
    }

    /// Returns an iterator, whose first interval begins now.
    public func makeAsyncIterator() -> AsyncIterator {
        let interval = Duration.milliseconds(milliseconds)
        return AsyncIterator(loop: loop, interval: interval, due: UVClock.now.advanced(by: interval))
    }
}

extension Duration {
    /// The duration in nanoseconds, rounded down.
    fileprivate var wholeNanoseconds: Int128 {
        Int128(components.seconds) * 1_000_000_000 + Int128(components.attoseconds / 1_000_000_000)
    }
}
