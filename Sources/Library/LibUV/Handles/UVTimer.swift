internal import CLibUV

/// A timer, which calls a closure once or repeatedly (`uv_timer_t`).
///
/// Timers have a resolution of a millisecond, and count from the loop's time; see `UVLoop.updateTime`.
public final class UVTimer: UVHandle {
    private var handler: ((UVTimer) -> Void)?

    /// Makes a timer, but does not start it (`uv_timer_init`).
    ///
    /// - Throws: `cancelled` if the loop is closing or closed.
    public init(on loop: UVLoop, file: StaticString = #fileID, line: UInt = #line) throws(UVError) {
        let raw = try unsafe makeHandle(uv_timer_t.self, on: loop, "uv_timer_init") { unsafe uv_timer_init($0, $1) }
        unsafe super.init(initialised: raw, location: UVSourceLocation(file: file, line: line))
    }

    /// Starts or restarts the timer (`uv_timer_start`).
    ///
    /// - Parameters:
    ///   - delay: the time until the first call, rounded up to milliseconds. A negative delay counts as zero. With an
    ///     extremely long delay, the call never happens.
    ///   - interval: the time between later calls, which is at least a millisecond. With `nil`, the closure is called
    ///     only once.
    ///   - handler: the closure to call, on the loop's thread.
    /// - Throws: `invalidArgument` if the timer is closing.
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

    /// Stops the timer, so that its closure is not called any more (`uv_timer_stop`).
    public func stop() {
        assertOnThread()
        if !isClosing { unsafe uv_timer_stop(cast(to: uv_timer_t.self)) }
    }

    /// Restarts a repeating timer with its interval, or stops a timer whose interval is zero (`uv_timer_again`).
    ///
    /// - Throws: `invalidArgument` if the timer was never started or is closing.
    public func again() throws(UVError) {
        try call("uv_timer_again") { unsafe uv_timer_again(cast(to: uv_timer_t.self)) }
    }

    /// The interval between calls in whole milliseconds (`uv_timer_get_repeat`, `uv_timer_set_repeat`).
    ///
    /// A new interval applies after the next call.
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

    /// The time until the next call (`uv_timer_get_due_in`).
    ///
    /// It is zero if the call is due or the timer is not running.
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
