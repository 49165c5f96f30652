internal import CLibUV

/// A handle that watches for a signal (`uv_signal_t`).
///
/// Several loops can watch for the same signal.
public final class UVSignal: UVHandle {
    private var handler: ((UVSignal, Int32) -> Void)?

    /// Makes a handle, but does not start it (`uv_signal_init`).
    ///
    /// - Throws: `cancelled` if the loop is closing or closed.
    public init(on loop: UVLoop, file: StaticString = #fileID, line: UInt = #line) throws(UVError) {
        let raw = try unsafe makeHandle(uv_signal_t.self, on: loop, "uv_signal_init") {
            unsafe uv_signal_init($0, $1)
        }
        unsafe super.init(initialised: raw, place: UVSourcePlace(file: file, line: line))
    }

    /// Watches for a signal (`uv_signal_start`).
    ///
    /// - Parameters:
    ///   - number: the signal, for example `SIGTERM`.
    ///   - handler: called with the number of the signal, on the loop's thread.
    /// - Throws: `invalidArgument` if the signal cannot be caught or the handle is closing.
    public func start(_ number: Int32, _ handler: @escaping (UVSignal, Int32) -> Void) throws(UVError) {
        try call("uv_signal_start") {
            unsafe uv_signal_start(cast(to: uv_signal_t.self), Trampolines.onSignal, number)
        }
        self.handler = handler
    }

    /// Watches like `start`, but stops after the next signal (`uv_signal_start_oneshot`).
    ///
    /// - Throws: the same errors as `start`.
    public func startOnce(_ number: Int32, _ handler: @escaping (UVSignal, Int32) -> Void) throws(UVError) {
        try checkOpen("uv_signal_start_oneshot")
        try unsafe check(
            uv_signal_start_oneshot(cast(to: uv_signal_t.self), Trampolines.onSignal, number),
            "uv_signal_start_oneshot")
        self.handler = handler
    }

    /// Stops watching (`uv_signal_stop`).
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
