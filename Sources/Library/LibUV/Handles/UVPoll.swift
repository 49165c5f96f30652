internal import CLibUV

/// A handle that watches a descriptor not owned by libuv (`uv_poll_t`).
///
/// The descriptor can be, for example, a pipe, a device, or a socket of another library.
///
/// **The program keeps ownership of the descriptor**, and must keep it open while it is watched. It may close the
/// descriptor directly after calling `stop` or `close`. The handle makes the descriptor non-blocking permanently. Only
/// one handle of a loop can watch a descriptor.
public final class UVPoll: UVHandle {
    /// A set of events on a descriptor (`uv_poll_event`).
    public struct Events: OptionSet, Hashable, Sendable {
        /// The events as libuv's bits.
        public let rawValue: Int32

        /// Makes a set of events from libuv's bits.
        ///
        /// `start` ignores unknown bits.
        public init(rawValue: Int32) { self.rawValue = rawValue }

        private init(_ event: uv_poll_event) { rawValue = Int32(bitPattern: event.rawValue) }

        /// Bytes or the end of the stream can be read (`UV_READABLE`).
        public static var readable: Events { Events(UV_READABLE) }
        /// Bytes can be written (`UV_WRITABLE`).
        public static var writable: Events { Events(UV_WRITABLE) }
        /// The peer has shut down its write side (`UV_DISCONNECT`).
        ///
        /// Not all systems report this event.
        public static var disconnect: Events { Events(UV_DISCONNECT) }
        /// Urgent data can be read (`UV_PRIORITIZED`).
        public static var prioritized: Events { Events(UV_PRIORITIZED) }

        fileprivate static var all: Events { [.readable, .writable, .disconnect, .prioritized] }
    }

    private var handler: ((UVPoll, Result<Events, UVError>) -> Void)?

    /// Makes a handle for a descriptor, but does not start it (`uv_poll_init`).
    ///
    /// - Throws: `alreadyExists` if the loop already watches the descriptor, for example for a stream; `notPermitted`
    ///   if the descriptor cannot be watched, for example because it is a regular file; `badDescriptor`.
    public init(
        on loop: UVLoop, descriptor: Int32, file: StaticString = #fileID, line: UInt = #line
    ) throws(UVError) {
        let raw = try unsafe makeHandle(uv_poll_t.self, on: loop, "uv_poll_init") {
            unsafe uv_poll_init($0, $1, descriptor)
        }
        unsafe super.init(initialised: raw, location: UVSourceLocation(file: file, line: line))
    }

    /// Watches for events, in place of earlier events and an earlier closure (`uv_poll_start`).
    ///
    /// The handle reports an event in each iteration for as long as the descriptor is ready for it. Therefore read all
    /// available bytes, and watch for `writable` only while there are bytes to write.
    ///
    /// - Parameters:
    ///   - events: the events to watch for. An empty set has the same effect as `stop`.
    ///   - handler: called on the loop's thread with the events that have occurred. If the descriptor has an error, for
    ///     example because the read end of a pipe has been closed, the handle stops, and `handler` receives
    ///     `badDescriptor`.
    /// - Throws: `alreadyExists` if another started handle watches the descriptor; `invalidArgument` if the handle is
    ///   closing.
    public func start(
        _ events: Events, _ handler: @escaping (UVPoll, Result<Events, UVError>) -> Void
    ) throws(UVError) {
        try watch(events)
        self.handler = handler
    }

    /// Replaces the events to watch for, and keeps the closure (`uv_poll_start`).
    ///
    /// - Throws: `invalidArgument` if `start` was never called or the handle is closing; `alreadyExists` if another
    ///   started handle watches the descriptor.
    public func change(to events: Events) throws(UVError) {
        if handler == nil { throw UVError(.invalidArgument, operation: "uv_poll_start") }
        try watch(events)
    }

    private func watch(_ events: Events) throws(UVError) {
        try checkOpen("uv_poll_start")
        let known = events.intersection(.all).rawValue
        try unsafe LibUV.check(uv_poll_start(cast(to: uv_poll_t.self), known, Trampolines.onPoll), "uv_poll_start")
    }

    /// Stops watching (`uv_poll_stop`).
    ///
    /// The descriptor may be closed as soon as this call has returned.
    ///
    /// Calling it again has no effect.
    public func stop() {
        assertOnThread()
        if !isClosing { unsafe uv_poll_stop(cast(to: uv_poll_t.self)) }
    }

    func happened(_ status: Int32, _ events: Int32) {
        let handler = self.handler
        if status < 0 {
            handler?(self, .failure(UVError(code: status, operation: "uv_poll_start")))
        } else {
            handler?(self, .success(Events(rawValue: events)))
        }
    }

    override func didClose() { handler = nil }
}

extension Trampolines {
    static let onPoll: uv_poll_cb = { poll, status, events in
        unsafe object(of: poll?.pointee.data, as: UVPoll.self)?.happened(status, events)
    }
}
