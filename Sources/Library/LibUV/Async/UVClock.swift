internal import CLibUV

/// A monotonic clock that sleeps with the timers of a loop.
public struct UVClock: Clock, Sendable {
    /// A moment of the clock, relative to an arbitrary origin in the past (`uv_hrtime`).
    public struct Instant: InstantProtocol, Sendable {
        /// The time since the clock's origin.
        public let offset: Swift.Duration

        /// Makes an instant from the time since the clock's origin.
        public init(offset: Swift.Duration) { self.offset = offset }

        /// Returns the instant that is later by a duration, clamped to the range of instants.
        public func advanced(by duration: Swift.Duration) -> Instant {
            Instant(offset: offset.clampedSum(duration))
        }

        /// Returns the duration from this instant to another one, clamped to the range of durations.
        public func duration(to other: Instant) -> Swift.Duration { other.offset.clampedDifference(offset) }

        /// Returns the instant that is later by a duration, clamped to the range of instants.
        public static func + (instant: Instant, duration: Swift.Duration) -> Instant {
            instant.advanced(by: duration)
        }

        /// Returns the instant that is earlier by a duration, clamped to the range of instants.
        public static func - (instant: Instant, duration: Swift.Duration) -> Instant {
            instant.advanced(by: Swift.Duration.zero.clampedDifference(duration))
        }

        /// Returns the duration between two instants, clamped to the range of durations.
        public static func - (left: Instant, right: Instant) -> Swift.Duration { right.duration(to: left) }

        /// Returns whether an instant is before another one.
        public static func < (left: Instant, right: Instant) -> Bool { left.offset < right.offset }
    }

    /// The loop whose timers wake sleeping tasks.
    public let loop: UVLoop

    /// The current time (`uv_hrtime`), not the loop's cached time.
    ///
    /// Callable from any thread.
    public var now: Instant { UVClock.now }

    /// The resolution of libuv's timers, which is a millisecond.
    public var minimumResolution: Swift.Duration { .milliseconds(1) }

    static var now: Instant { Instant(offset: .nanoseconds(Int64(clamping: uv_hrtime()))) }

    /// Suspends the task until the deadline (`uv_timer_start`).
    ///
    /// Callable on any executor.
    ///
    /// - Parameters:
    ///   - deadline: the instant at which to wake the task. The task is never woken earlier. It is woken less than a
    ///     millisecond after the deadline, or later if the loop is busy.
    ///   - tolerance: not used.
    /// - Throws: `CancellationError` if the task is cancelled; `UVError` with `cancelled` if the loop closes.
    public func sleep(until deadline: Instant, tolerance: Swift.Duration? = nil) async throws {
        do throws(UVError) {
            try await loop.sleep(until: deadline)
        } catch {
            try Task.checkCancellation()
            throw error
        }
    }
}

extension UVLoop {
    /// Returns a timer delay, relative to the loop's cached time, that does not end before the deadline.
    func delay(until deadline: UVClock.Instant) -> Duration {
        // Rounding up would turn a deadline that has passed into a wait of up to a millisecond.
        if deadline <= UVClock.now { return .zero }
        // Both times have the same origin, because the loop's time is uv_hrtime in whole milliseconds.
        return .milliseconds(deadline.offset.wholeMilliseconds) - now.offset
    }

    /// The clock of the loop, for functions that take a clock.
    ///
    /// Callable from any thread.
    public var clock: UVClock { UVClock(loop: self) }

    /// Suspends the task for a duration (`uv_timer_start`).
    ///
    /// Callable on any executor. The call costs least on the loop.
    ///
    /// - Parameter duration: any duration. A negative duration counts as zero, which suspends the task for one
    ///   iteration of the loop. With an extremely long duration, for example `.seconds(Int64.max)`, the task sleeps
    ///   until it is cancelled.
    /// - Throws: `cancelled` if the task is cancelled or the loop closes.
    public nonisolated(nonsending) func sleep(for duration: Duration) async throws(UVError) {
        try await sleep(until: UVClock.now.advanced(by: duration))
    }

    /// Suspends the task until an instant of the loop's clock.
    ///
    /// In all other respects, the function is like `sleep(for:)`.
    ///
    /// - Throws: the same errors as `sleep(for:)`.
    public nonisolated(nonsending) func sleep(until deadline: UVClock.Instant) async throws(UVError) {
        guard isRunningHere else {
            return try await visit("sleep") { () async throws(UVError) in try await self.sleep(until: deadline) }
        }
        try await waitFor("sleep") { (operation: PendingOperation<Void>) throws(UVError) in
            let timer = try UVTimer(on: self)
            timer.whenClosed { operation.cancel() }
            try timer.start(after: delay(until: deadline)) { timer in
                timer.close()
                operation.complete(.success(()))
            }
            return {
                timer.close()
                operation.cancel()
            }
        }
    }
}
