internal import CLibUV
internal import Synchronization

/// A handle with which other threads wake a loop (`uv_async_t`).
///
/// libuv may combine several sends into one call of the closure. It calls the closure at least once after the last
/// send. Use `UVLoop.execute` if a closure must run once for each call.
public final class UVAsync: UVHandle {
    private var handler: ((UVAsync) -> Void)?
    /// The object with which other threads wake the loop.
    public let sender: Sender

    // @unchecked Sendable: `state` counts the threads that are sending, and the handle is not closed until they have
    // finished.
    /// The part of a wake-up handle that any thread may store and use.
    @safe
    public final class Sender: @unchecked Sendable {
        private let handle: UnsafeMutablePointer<uv_async_t>
        /// Whether the handle is closing (bit 0), and the number of threads that are sending (the other bits).
        ///
        /// The handle is closed only when no thread is sending.
        private let state = Atomic<Int>(0)

        fileprivate init(_ handle: UnsafeMutablePointer<uv_async_t>) { unsafe self.handle = unsafe handle }

        /// Wakes the loop, which then calls the closure (`uv_async_send`).
        ///
        /// Callable from any thread and from a signal handler, because it takes no lock and allocates no memory.
        ///
        /// - Returns: whether the handle was open. If it is closing, the call has no effect.
        @discardableResult
        public func send() -> Bool {
            let before = state.add(2, ordering: .acquiringAndReleasing).oldValue
            let isOpen = before & 1 == 0
            if isOpen { unsafe uv_async_send(handle) }
            state.subtract(2, ordering: .acquiringAndReleasing)
            return isOpen
        }

        /// Rejects later sends, and waits for the threads that are sending.
        ///
        /// The wait takes a few instructions per thread.
        fileprivate func close() {
            state.bitwiseOr(1, ordering: .acquiringAndReleasing)
            while state.load(ordering: .acquiring) != 1 {}
        }
    }

    /// Makes a wake-up handle (`uv_async_init`).
    ///
    /// The handle is active immediately, and keeps the loop running until it is closed or `unref` is called.
    ///
    /// - Throws: `cancelled` if the loop is closing or closed.
    public init(
        on loop: UVLoop, file: StaticString = #fileID, line: UInt = #line, _ handler: @escaping (UVAsync) -> Void
    ) throws(UVError) {
        let raw = try unsafe makeHandle(uv_async_t.self, on: loop, "uv_async_init") {
            unsafe uv_async_init($0, $1, Trampolines.onAsync)
        }
        self.handler = handler
        sender = unsafe Sender(UnsafeMutableRawPointer(raw).assumingMemoryBound(to: uv_async_t.self))
        unsafe super.init(initialised: raw, location: UVSourceLocation(file: file, line: line))
    }

    /// Wakes the loop; call it on the loop's own thread (`uv_async_send`).
    public func send() { sender.send() }

    func woken() {
        let handler = self.handler
        handler?(self)
    }

    override func willClose() { sender.close() }

    override func didClose() { handler = nil }
}
