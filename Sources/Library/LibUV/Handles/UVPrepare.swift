internal import CLibUV

/// A closure that is called right before the loop waits for I/O (`uv_prepare_t`).
public final class UVPrepare: UVHandle {
    private var handler: ((UVPrepare) -> Void)?

    /// Makes a watcher that is not called (`uv_prepare_init`).
    ///
    /// - Throws: `cancelled` on a loop that is closing or closed.
    public init(on loop: UVLoop, file: StaticString = #fileID, line: UInt = #line) throws(UVError) {
        let raw = try unsafe makeHandle(uv_prepare_t.self, on: loop, "uv_prepare_init") {
            unsafe uv_prepare_init($0, $1)
        }
        unsafe super.init(initialised: raw, place: UVSourcePlace(file: file, line: line))
    }

    /// Calls `handler` in each round from here on; on one that is started already, replaces its closure (`uv_prepare_start`).
    ///
    /// - Throws: `invalidArgument` on a watcher that is closing.
    public func start(_ handler: @escaping (UVPrepare) -> Void) throws(UVError) {
        try call("uv_prepare_start") { unsafe uv_prepare_start(cast(to: uv_prepare_t.self), Trampolines.onPrepare) }
        self.handler = handler
    }

    /// Calls no more, in this round neither (`uv_prepare_stop`).
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
