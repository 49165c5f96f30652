internal import CLibUV

/// A watcher of a descriptor that is not libuv's (`uv_poll_t`): a socket of another library, a pipe, a device.
///
/// **The descriptor stays the caller's**, who must keep it open while it is watched: close it after `stop` or `close`
/// has been called, which take effect at once. It is made non-blocking, and stays so. A loop watches a descriptor once.
public final class UVPoll: UVHandle {
    /// What may happen on a descriptor (`uv_poll_event`).
    public struct Events: OptionSet, Hashable, Sendable {
        /// The events as bits of libuv's.
        public let rawValue: Int32

        /// Makes events from libuv's bits; unknown ones are ignored by `start`.
        public init(rawValue: Int32) { self.rawValue = rawValue }

        private init(_ event: uv_poll_event) { rawValue = Int32(bitPattern: event.rawValue) }

        /// There is something to read, or the end (`UV_READABLE`).
        public static var readable: Events { Events(UV_READABLE) }
        /// There is room to write (`UV_WRITABLE`).
        public static var writable: Events { Events(UV_WRITABLE) }
        /// The peer has ended its side (`UV_DISCONNECT`); not every system tells.
        public static var disconnect: Events { Events(UV_DISCONNECT) }
        /// There is something urgent to read (`UV_PRIORITIZED`).
        public static var prioritized: Events { Events(UV_PRIORITIZED) }

        fileprivate static var all: Events { [.readable, .writable, .disconnect, .prioritized] }
    }

    private var handler: ((UVPoll, Result<Events, UVError>) -> Void)?

    /// Makes a watcher that watches nothing (`uv_poll_init`).
    ///
    /// - Throws: `alreadyExists` for a descriptor that the loop watches already, be it a stream's; `notPermitted` for
    ///   one that cannot be watched, as a regular file's; `badDescriptor`.
    public init(
        on loop: UVLoop, descriptor: Int32, file: StaticString = #fileID, line: UInt = #line
    ) throws(UVError) {
        let raw = try unsafe makeHandle(uv_poll_t.self, on: loop, "uv_poll_init") {
            unsafe uv_poll_init($0, $1, descriptor)
        }
        unsafe super.init(initialised: raw, place: UVSourcePlace(file: file, line: line))
    }

    /// Watches for events (`uv_poll_start`); on a watcher that is started already, replaces them and the closure.
    ///
    /// An event is reported in each round of the loop for as long as it lasts: read until there is nothing left, and
    /// watch for room to write only while there is something to write.
    ///
    /// - Parameters:
    ///   - events: what to watch for; with none, as `stop`.
    ///   - handler: called on the loop's thread with what has happened. On an error of the descriptor, such as a pipe
    ///     whose reader has gone, it is called with `badDescriptor`, and the watcher has stopped.
    /// - Throws: `alreadyExists` where another watcher of the descriptor is started; `invalidArgument` on a watcher
    ///   that is closing.
    public func start(
        _ events: Events, _ handler: @escaping (UVPoll, Result<Events, UVError>) -> Void
    ) throws(UVError) {
        try watch(events)
        self.handler = handler
    }

    /// Watches for other events from here on, with the closure that was given (`uv_poll_start`).
    ///
    /// - Throws: `invalidArgument` where `start` was never called or the watcher is closing; `alreadyExists` as `start`.
    public func change(to events: Events) throws(UVError) {
        if handler == nil { throw UVError(.invalidArgument, operation: "uv_poll_start") }
        try watch(events)
    }

    private func watch(_ events: Events) throws(UVError) {
        try checkOpen("uv_poll_start")
        let known = events.intersection(.all).rawValue
        try unsafe LibUV.check(uv_poll_start(cast(to: uv_poll_t.self), known, Trampolines.onPoll), "uv_poll_start")
    }

    /// Watches no more (`uv_poll_stop`); the descriptor may be closed once this has returned.
    ///
    /// Idempotent.
    public func stop() {
        assertOnThread()
        if !isClosing { unsafe uv_poll_stop(cast(to: uv_poll_t.self)) }
    }

    func happened(_ status: Int32, _ events: Int32) {
        let handler = self.handler
        handler?(
            self,
            status < 0 ? .failure(UVError(code: status, operation: "uv_poll")) : .success(Events(rawValue: events)))
    }

    override func didClose() { handler = nil }
}

extension Trampolines {
    static let onPoll: uv_poll_cb = { poll, status, events in
        unsafe object(of: poll?.pointee.data, as: UVPoll.self)?.happened(status, events)
    }
}
