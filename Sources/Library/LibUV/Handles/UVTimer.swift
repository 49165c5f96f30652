internal import CLibUV

/// A timer (`uv_timer_t`): calls a closure once, or again and again.
///
/// Timers count in milliseconds from the loop's cached time; see `UVLoop.updateTime`.
public final class UVTimer: UVHandle {
    private var handler: ((UVTimer) -> Void)?

    /// Makes a timer that does not run (`uv_timer_init`).
    ///
    /// - Throws: `cancelled` on a loop that is closing or closed.
    public init(on loop: UVLoop, file: StaticString = #fileID, line: UInt = #line) throws(UVError) {
        let raw = try unsafe makeHandle(uv_timer_t.self, on: loop, "uv_timer_init") { unsafe uv_timer_init($0, $1) }
        unsafe super.init(initialised: raw, place: UVSourcePlace(file: file, line: line))
    }

    /// Starts the timer, or starts it anew (`uv_timer_start`).
    ///
    /// - Parameters:
    ///   - delay: until the first call, rounded up to milliseconds; a huge one never comes.
    ///   - interval: from call to call after the first; `nil` calls once.
    ///   - handler: what to call, on the loop's thread.
    /// - Throws: `invalidArgument` on a timer that is closing.
    public func start(
        after delay: Duration, repeating interval: Duration? = nil, _ handler: @escaping (UVTimer) -> Void
    ) throws(UVError) {
        try checkOpen("uv_timer_start")
        try unsafe check(
            uv_timer_start(
                cast(to: uv_timer_t.self), Trampolines.onTimer, delay.wholeMilliseconds,
                interval?.repeatMilliseconds ?? 0),
            "uv_timer_start")
        self.handler = handler
    }

    /// Stops the timer; its closure is not called any more (`uv_timer_stop`).
    public func stop() {
        assertOnThread()
        if !isClosing { unsafe uv_timer_stop(cast(to: uv_timer_t.self)) }
    }

    /// Starts a repeating timer anew with its interval; stops one whose interval is zero (`uv_timer_again`).
    ///
    /// - Throws: `invalidArgument` on a timer that was never started, or is closing.
    public func again() throws(UVError) {
        try call("uv_timer_again") { unsafe uv_timer_again(cast(to: uv_timer_t.self)) }
    }

    /// The interval, in whole milliseconds (`uv_timer_get_repeat`, `uv_timer_set_repeat`).
    ///
    /// A change counts from the next call on.
    public var repeatInterval: Duration {
        get {
            assertOnThread()
            return unsafe .milliseconds(uv_timer_get_repeat(cast(to: uv_timer_t.self)))
        }
        set {
            assertOnThread()
            unsafe uv_timer_set_repeat(cast(to: uv_timer_t.self), newValue.wholeMilliseconds)
        }
    }

    /// How long until the next call; zero where it is due or the timer does not run (`uv_timer_get_due_in`).
    public var dueIn: Duration {
        assertOnThread()
        return unsafe .milliseconds(uv_timer_get_due_in(cast(to: uv_timer_t.self)))
    }

    func fired() {
        let handler = self.handler
        handler?(self)
    }

    override func didClose() { handler = nil }
}

extension Duration {
    /// The duration in milliseconds, rounded up, zero where it is negative, and cut where it is too long to count.
    var wholeMilliseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        let (millis, overflows) = UInt64(seconds).multipliedReportingOverflow(by: 1000)
        if overflows { return .max }
        let part = UInt64(attoseconds)
        let rounded = part / 1_000_000_000_000_000 + (part % 1_000_000_000_000_000 == 0 ? 0 : 1)
        let (sum, sumOverflows) = millis.addingReportingOverflow(rounded)
        return sumOverflows ? .max : sum
    }

    /// The same for an interval, of which zero would mean "once": at least one.
    var repeatMilliseconds: UInt64 { Swift.max(1, wholeMilliseconds) }
}
