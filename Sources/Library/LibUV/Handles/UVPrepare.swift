internal import CLibUV

/// A handle that calls a closure directly before the loop waits for I/O (`uv_prepare_t`).
public final class UVPrepare: UVHandle {
    private var handler: ((UVPrepare) -> Void)?

    /// Makes a handle, but does not start it (`uv_prepare_init`).
    ///
    /// - Throws: `cancelled` if the loop is closing or closed.
    public init(on loop: UVLoop, file: StaticString = #fileID, line: UInt = #line) throws(UVError) {
        let raw = try unsafe makeHandle(uv_prepare_t.self, on: loop, "uv_prepare_init") {
            unsafe uv_prepare_init($0, $1)
        }
        unsafe super.init(initialised: raw, location: UVSourceLocation(file: file, line: line))
    }

    /// Calls `handler` in each iteration from now on, in place of an earlier closure (`uv_prepare_start`).
    ///
    /// - Throws: `invalidArgument` if the handle is closing.
    public func start(_ handler: @escaping (UVPrepare) -> Void) throws(UVError) {
        try call("uv_prepare_start") { unsafe uv_prepare_start(cast(to: uv_prepare_t.self), Trampolines.onPrepare) }
        self.handler = handler
    }

    /// Stops calling the closure, immediately (`uv_prepare_stop`).
    public func stop() {
        assertOnThread()
        if !isClosing { unsafe uv_prepare_stop(cast(to: uv_prepare_t.self)) }
    }

    func called() {
        let handler = self.handler
        handler?(self)
    }

    override func didClose() { handler = nil }
}
