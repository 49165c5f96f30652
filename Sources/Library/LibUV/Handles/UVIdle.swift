internal import CLibUV

/// A closure that is called in each round, and keeps the loop from waiting (`uv_idle_t`).
///
/// While one is active the loop never sleeps, and takes a whole processor.
public final class UVIdle: UVHandle {
    private var handler: ((UVIdle) -> Void)?

    /// Makes a watcher that is not called (`uv_idle_init`).
    ///
    /// - Throws: `cancelled` on a loop that is closing or closed.
    public init(on loop: UVLoop, file: StaticString = #fileID, line: UInt = #line) throws(UVError) {
        let raw = try unsafe makeHandle(uv_idle_t.self, on: loop, "uv_idle_init") { unsafe uv_idle_init($0, $1) }
        unsafe super.init(initialised: raw, place: UVSourcePlace(file: file, line: line))
    }

    /// Calls `handler` in each round from here on; on one that is started already, replaces its closure (`uv_idle_start`).
    ///
    /// - Throws: `invalidArgument` on a watcher that is closing.
    public func start(_ handler: @escaping (UVIdle) -> Void) throws(UVError) {
        try call("uv_idle_start") { unsafe uv_idle_start(cast(to: uv_idle_t.self), Trampolines.onIdle) }
        self.handler = handler
    }

    /// Calls no more, in this round neither (`uv_idle_stop`).
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
