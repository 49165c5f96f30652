internal import CLibUV

/// A handle that calls a closure directly after the loop has waited for I/O (`uv_check_t`).
public final class UVCheck: UVHandle {
    private var handler: ((UVCheck) -> Void)?

    /// Makes a handle, but does not start it (`uv_check_init`).
    ///
    /// - Throws: `cancelled` if the loop is closing or closed.
    public init(on loop: UVLoop, file: StaticString = #fileID, line: UInt = #line) throws(UVError) {
        let raw = try unsafe makeHandle(uv_check_t.self, on: loop, "uv_check_init") { unsafe uv_check_init($0, $1) }
        unsafe super.init(initialised: raw, location: UVSourceLocation(file: file, line: line))
    }

    /// Calls `handler` in each iteration from now on, in place of an earlier closure (`uv_check_start`).
    ///
    /// - Throws: `invalidArgument` if the handle is closing.
    public func start(_ handler: @escaping (UVCheck) -> Void) throws(UVError) {
        try call("uv_check_start") { unsafe uv_check_start(cast(to: uv_check_t.self), Trampolines.onCheck) }
        self.handler = handler
    }

    /// Stops calling the closure, immediately (`uv_check_stop`).
    public func stop() {
        assertOnThread()
        if !isClosing { unsafe uv_check_stop(cast(to: uv_check_t.self)) }
    }

    func called() {
        let handler = self.handler
        handler?(self)
    }

    override func didClose() { handler = nil }
}
