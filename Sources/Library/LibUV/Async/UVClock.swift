internal import CLibUV

/// The clock of a loop: monotonic, and asleep where the loop's timers are.
public struct UVClock: Clock, Sendable {
    /// A moment of the clock, counted from a moment in the past that means nothing (`uv_hrtime`).
    public struct Instant: InstantProtocol, Sendable {
        /// The time since the clock's origin.
        public let offset: Swift.Duration

        /// Makes an instant from the time since the clock's origin.
        public init(offset: Swift.Duration) { self.offset = offset }

        /// The instant that comes so much later.
        public func advanced(by duration: Swift.Duration) -> Instant { Instant(offset: offset + duration) }

        /// How much later another instant is.
        public func duration(to other: Instant) -> Swift.Duration { other.offset - offset }

        /// Whether an instant is before another.
        public static func < (left: Instant, right: Instant) -> Bool { left.offset < right.offset }
    }

    /// The loop whose timers wake sleepers.
    public let loop: UVLoop

    /// The time now, not the loop's cached one; on any thread (`uv_hrtime`).
    public var now: Instant { UVClock.now }

    /// A millisecond: what libuv's timers count in.
    public var minimumResolution: Swift.Duration { .milliseconds(1) }

    static var now: Instant { Instant(offset: .nanoseconds(Int64(clamping: uv_hrtime()))) }

    /// Suspends the task until the deadline; callable on any executor (`uv_timer_start`).
    ///
    /// - Parameters:
    ///   - deadline: never woken before it; later by less than a millisecond, and by what the loop is busy with.
    ///   - tolerance: not used.
    /// - Throws: `CancellationError` where the task is cancelled; `UVError` with `cancelled` where the loop closes.
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
    /// How long a timer has to run, counted from the loop's cached time, so as not to end before the deadline.
    func delay(until deadline: UVClock.Instant) -> Duration {
        // Both are counted by the same clock: the loop's time is uv_hrtime in whole milliseconds.
        .milliseconds(deadline.offset.wholeMilliseconds) - now
    }

    /// The loop's clock, for `sleep` and all that takes a clock; on any thread.
    public var clock: UVClock { UVClock(loop: self) }

    /// Suspends the task for a time; callable on any executor, cheapest on the loop (`uv_timer_start`).
    ///
    /// - Throws: `cancelled` where the task is cancelled or the loop closes.
    public nonisolated(nonsending) func sleep(for duration: Duration) async throws(UVError) {
        try await sleep(until: UVClock.now.advanced(by: duration))
    }

    /// Suspends the task until a moment of the loop's clock; otherwise as `sleep` for a time.
    ///
    /// - Throws: as `sleep` for a time.
    public nonisolated(nonsending) func sleep(until deadline: UVClock.Instant) async throws(UVError) {
        guard isRunningHere else { return try await SleepingTask(on: self, until: deadline).value() }
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
