internal import CLibUV

/// A handle that watches for a signal (`uv_signal_t`).
///
/// Several loops can watch for the same signal. When the last watcher stops, the library restores the disposition that
/// the signal had before the first watcher started. For example, a signal that was ignored before is ignored again.
public final class UVSignal: UVHandle {
    private var handler: ((UVSignal, Int32) -> Void)?
    /// The signal that the handle watches, or 0.
    private var watchedNumber: Int32 = 0
    private var isOnce = false

    /// Makes a handle, but does not start it (`uv_signal_init`).
    ///
    /// - Throws: `cancelled` if the loop is closing or closed.
    public init(on loop: UVLoop, file: StaticString = #fileID, line: UInt = #line) throws(UVError) {
        let raw = try unsafe makeHandle(uv_signal_t.self, on: loop, "uv_signal_init") {
            unsafe uv_signal_init($0, $1)
        }
        unsafe super.init(initialised: raw, location: UVSourceLocation(file: file, line: line))
    }

    /// Watches for a signal (`uv_signal_start`).
    ///
    /// - Parameters:
    ///   - number: the signal, for example `SIGTERM`.
    ///   - handler: called with the number of the signal, on the loop's thread.
    /// - Throws: `invalidArgument` if the signal cannot be caught or the handle is closing.
    public func start(_ number: Int32, _ handler: @escaping (UVSignal, Int32) -> Void) throws(UVError) {
        try start(number, isOnce: false, "uv_signal_start", handler)
    }

    /// Watches like `start`, but stops after the next signal (`uv_signal_start_oneshot`).
    ///
    /// - Throws: the same errors as `start`.
    public func startOnce(_ number: Int32, _ handler: @escaping (UVSignal, Int32) -> Void) throws(UVError) {
        try start(number, isOnce: true, "uv_signal_start_oneshot", handler)
    }

    /// Starts to watch.
    ///
    /// `uv_signal_start_oneshot` is not used, because it would make the kernel set the default disposition when the
    /// signal arrives.
    private func start(
        _ number: Int32, isOnce: Bool, _ operation: String, _ handler: @escaping (UVSignal, Int32) -> Void
    ) throws(UVError) {
        try checkOpen(operation)
        let start = { [self] in unsafe uv_signal_start(cast(to: uv_signal_t.self), Trampolines.onSignal, number) }
        if watchedNumber == number, number != 0 {
            try check(start(), operation)
        } else {
            stop()
            try check(SignalDispositions.watch(number, start), operation)
        }
        watchedNumber = number
        self.isOnce = isOnce
        self.handler = handler
    }

    /// Stops watching (`uv_signal_stop`).
    public func stop() {
        assertOnThread()
        guard watchedNumber != 0 else { return }
        SignalDispositions.unwatch(watchedNumber) { unsafe uv_signal_stop(cast(to: uv_signal_t.self)) }
        watchedNumber = 0
    }

    func received(_ number: Int32) {
        let handler = self.handler
        if isOnce { stop() }
        handler?(self, number)
    }

    override func willClose() { stop() }

    override func didClose() { handler = nil }
}
