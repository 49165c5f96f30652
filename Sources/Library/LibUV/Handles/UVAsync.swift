internal import CLibUV
internal import Synchronization

/// A wake-up for a loop from other threads (`uv_async_t`).
///
/// libuv joins sends: after one or more of them the closure is called at least once, and no count can be taken
/// from its calls. Use `UVLoop.execute` to run a closure for each call.
public final class UVAsync: UVHandle {
    private var handler: ((UVAsync) -> Void)?
    private let gate: Gate

    // @unchecked Sendable: `state` counts who is sending, and the handle is not closed before they are done.
    /// The half of a wake-up that any thread may hold and use.
    @safe
    public final class Gate: @unchecked Sendable {
        private let handle: UnsafeMutablePointer<uv_async_t>
        /// Twice the number of senders under way, plus one once the handle is closing.
        private let state = Atomic<Int>(0)

        fileprivate init(_ handle: UnsafeMutablePointer<uv_async_t>) { unsafe self.handle = unsafe handle }

        /// Wakes the loop, which calls the closure; callable from any thread (`uv_async_send`).
        ///
        /// Takes no lock and allocates nothing: it may be called in a signal handler.
        ///
        /// - Returns: whether the handle was open; once it is closing, nothing is sent.
        @discardableResult
        public func send() -> Bool {
            let before = state.add(2, ordering: .acquiringAndReleasing).oldValue
            let isOpen = before & 1 == 0
            if isOpen { unsafe uv_async_send(handle) }
            state.subtract(2, ordering: .acquiringAndReleasing)
            return isOpen
        }

        /// Refuses further senders, and waits for those that are under way: a few instructions each.
        fileprivate func close() {
            state.bitwiseOr(1, ordering: .acquiringAndReleasing)
            while state.load(ordering: .acquiring) != 1 {}
        }
    }

    /// Makes a wake-up (`uv_async_init`).
    ///
    /// It is active at once, and keeps the loop running until it is closed or `unref`.
    ///
    /// - Throws: `cancelled` on a loop that is closing or closed.
    public init(
        on loop: UVLoop, file: StaticString = #fileID, line: UInt = #line, _ handler: @escaping (UVAsync) -> Void
    ) throws(UVError) {
        let raw = try unsafe makeHandle(uv_async_t.self, on: loop, "uv_async_init") {
            unsafe uv_async_init($0, $1, Trampolines.onAsync)
        }
        self.handler = handler
        gate = unsafe Gate(UnsafeMutableRawPointer(raw).assumingMemoryBound(to: uv_async_t.self))
        unsafe super.init(initialised: raw, place: UVSourcePlace(file: file, line: line))
    }

    /// What other threads send through.
    public var sender: Gate { gate }

    /// Wakes the loop from its own thread (`uv_async_send`).
    public func send() { gate.send() }

    func woken() {
        let handler = self.handler
        handler?(self)
    }

    override func willClose() { gate.close() }

    override func didClose() { handler = nil }
}
