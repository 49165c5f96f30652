internal import CLibUV

/// A watcher of a signal (`uv_signal_t`); several loops may watch the same one.
public final class UVSignal: UVHandle {
    private var handler: ((UVSignal, Int32) -> Void)?

    /// Makes a watcher that watches nothing (`uv_signal_init`).
    ///
    /// - Throws: `cancelled` on a loop that is closing or closed.
    public init(on loop: UVLoop, file: StaticString = #fileID, line: UInt = #line) throws(UVError) {
        let raw = try unsafe makeHandle(uv_signal_t.self, on: loop, "uv_signal_init") {
            unsafe uv_signal_init($0, $1)
        }
        unsafe super.init(initialised: raw, place: UVSourcePlace(file: file, line: line))
    }

    /// Watches a signal (`uv_signal_start`).
    ///
    /// - Parameters:
    ///   - number: the signal, as in `SIGTERM`.
    ///   - handler: what to call with the signal's number, on the loop's thread.
    /// - Throws: `invalidArgument` for a signal that cannot be caught, or on a watcher that is closing.
    public func start(_ number: Int32, _ handler: @escaping (UVSignal, Int32) -> Void) throws(UVError) {
        try call("uv_signal_start") {
            unsafe uv_signal_start(cast(to: uv_signal_t.self), Trampolines.onSignal, number)
        }
        self.handler = handler
    }

    /// Watches for the next signal only (`uv_signal_start_oneshot`); otherwise as `start`.
    ///
    /// - Throws: as `start`.
    public func startOnce(_ number: Int32, _ handler: @escaping (UVSignal, Int32) -> Void) throws(UVError) {
        try checkOpen("uv_signal_start_oneshot")
        try unsafe check(
            uv_signal_start_oneshot(cast(to: uv_signal_t.self), Trampolines.onSignal, number),
            "uv_signal_start_oneshot")
        self.handler = handler
    }

    /// Watches no more (`uv_signal_stop`).
    public func stop() {
        assertOnThread()
        if !isClosing { unsafe uv_signal_stop(cast(to: uv_signal_t.self)) }
    }

    func received(_ number: Int32) {
        let handler = self.handler
        handler?(self, number)
    }

    override func didClose() { handler = nil }
}
