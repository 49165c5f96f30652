internal import CLibUV

/// A handle that calls a closure in each iteration and prevents the loop from waiting (`uv_idle_t`).
///
/// While such a handle is active, the loop never waits and uses a whole processor.
public final class UVIdle: UVHandle {
    private var handler: ((UVIdle) -> Void)?

    /// Makes a handle, but does not start it (`uv_idle_init`).
    ///
    /// - Throws: `cancelled` if the loop is closing or closed.
    public init(on loop: UVLoop, file: StaticString = #fileID, line: UInt = #line) throws(UVError) {
        let raw = try unsafe makeHandle(uv_idle_t.self, on: loop, "uv_idle_init") { unsafe uv_idle_init($0, $1) }
        unsafe super.init(initialised: raw, location: UVSourceLocation(file: file, line: line))
    }

    /// Calls `handler` in each iteration from now on, in place of an earlier closure (`uv_idle_start`).
    ///
    /// - Throws: `invalidArgument` if the handle is closing.
    public func start(_ handler: @escaping (UVIdle) -> Void) throws(UVError) {
        try call("uv_idle_start") { unsafe uv_idle_start(cast(to: uv_idle_t.self), Trampolines.onIdle) }
        self.handler = handler
    }

    /// Stops calling the closure, immediately (`uv_idle_stop`).
    public func stop() {
        assertOnThread()
        if !isClosing { unsafe uv_idle_stop(cast(to: uv_idle_t.self)) }
    }

    func called() {
        let handler = self.handler
        handler?(self)
    }

    override func didClose() { handler = nil }
}
