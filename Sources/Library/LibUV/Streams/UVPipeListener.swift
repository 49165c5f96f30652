internal import CLibUV

/// A listening Unix domain socket (`uv_pipe_t`).
///
/// A path that it was bound to is removed by its close, just before the socket is closed.
public final class UVPipeListener: UVListener {
    /// Makes a listener that is not bound (`uv_pipe_init`).
    ///
    /// - Throws: `cancelled` on a loop that is closing or closed.
    public init(on loop: UVLoop, file: StaticString = #fileID, line: UInt = #line) throws(UVError) {
        // A pipe that handles are passed over cannot listen; those that it accepts decide for themselves.
        let raw = try unsafe makeHandle(uv_pipe_t.self, on: loop, "uv_pipe_init") { unsafe uv_pipe_init($0, $1, 0) }
        unsafe super.init(initialised: raw, place: UVSourcePlace(file: file, line: line))
    }

    var pipe: UnsafeMutablePointer<uv_pipe_t> { unsafe cast(to: uv_pipe_t.self) }

    /// Binds to a name (`uv_pipe_bind2`, `uv_pipe_bind`).
    ///
    /// - Throws: `addressInUse` where the path exists, be it of a process that is gone, or where an abstract name
    ///   is taken; `permissionDenied`, also where the directory is missing; `nameTooLong`; `invalidArgument` for an
    ///   empty name, one with a zero in it, and on a listener that is bound; `notSupported` for an abstract name
    ///   elsewhere than on Linux.
    public func bind(to name: UVPipeName) throws(UVError) {
        try checkOpen("uv_pipe_bind")
        try name.check("uv_pipe_bind")
        if hasDescriptor { throw UVError(.invalidArgument, operation: "uv_pipe_bind") }
        var status = unsafe name.withBytes { bytes, count in unsafe cuv_pipe_bind2(pipe, bytes, count) }
        if status == UV_ENOSYS.rawValue {
            if name.isAbstract { return try bindToAbstract(name) }
            status = unsafe name.withBytes { path, _ in unsafe uv_pipe_bind(pipe, path) }
        }
        try check(status, "uv_pipe_bind")
    }

    private func bindToAbstract(_ name: UVPipeName) throws(UVError) {
        let descriptor: Int32
        do { descriptor = try LocalSocket.bound(to: name) } catch {
            throw UVError(code: error.code, operation: "uv_pipe_bind")
        }
        try SystemDescriptor.closeOnFailure(descriptor, adopt)
    }

    /// Takes over a bound socket (`uv_pipe_open`), which the listener closes in the end; a path stays.
    ///
    /// - Throws: `busy` where the listener has a socket already; otherwise as `UVPipe.adopt`. The descriptor is
    ///   then still the caller's.
    public func adopt(descriptor: Int32) throws(UVError) {
        try checkOpen("uv_pipe_open")
        if hasDescriptor { throw UVError(.busy, operation: "uv_pipe_open") }
        try UVDescriptorKind.checkStream(descriptor, "uv_pipe_open")
        try unsafe check(uv_pipe_open(pipe, descriptor), "uv_pipe_open")
    }

    /// Listens (`uv_listen`); on a listener that listens already, sets the backlog and the closure anew.
    ///
    /// - Parameters:
    ///   - backlog: how many connections the kernel keeps waiting; a client that comes when they are that many is
    ///     told `wouldBlock`.
    ///   - onConnection: called for each connection, with `nil` where `accept` will take it, or with an error.
    /// - Throws: `invalidArgument` on a listener that is not bound or is closing.
    public func listen(
        backlog: Int = 511, _ onConnection: @escaping (UVPipeListener, UVError?) -> Void
    ) throws(UVError) {
        try startListening(backlog: backlog) { listener, error in
            // It is this listener that calls the closure.
            onConnection(unsafe unsafeDowncast(listener, to: UVPipeListener.self), error)
        }
    }

    /// Takes the connection that was reported (`uv_accept`).
    ///
    /// - Parameter passesHandles: whether handles are to be passed over the connection; see `UVPipe.init`.
    /// - Returns: the connected stream, on the listener's loop.
    /// - Throws: `wouldBlock` where none is waiting; the connection is then still the listener's.
    public func accept(
        passesHandles: Bool = false, file: StaticString = #fileID, line: UInt = #line
    ) throws(UVError) -> UVPipe {
        try checkOpen("uv_accept")
        let stream = try UVPipe(
            on: loop, passesHandles: passesHandles, place: UVSourcePlace(file: file, line: line))
        try take(into: stream)
        return stream
    }

    /// The name that clients connect to (`uv_pipe_getsockname`).
    ///
    /// - Throws: `badDescriptor` on a listener that is not bound, `invalidArgument` on one that is closing.
    public var localName: UVPipeName {
        get throws(UVError) {
            try unsafe readName("uv_pipe_getsockname") { unsafe uv_pipe_getsockname(pipe, $0, $1) }
        }
    }

    /// What other users may do with a listener's path.
    public struct Access: OptionSet, Sendable {
        /// The bits, as libuv has them.
        public let rawValue: Int32

        /// Makes a set of its bits.
        public init(rawValue: Int32) { self.rawValue = rawValue }

        /// Read from its connections (`UV_READABLE`).
        public static var readable: Access { Access(rawValue: Int32(UV_READABLE.rawValue)) }
        /// Connect, and write (`UV_WRITABLE`).
        public static var writable: Access { Access(rawValue: Int32(UV_WRITABLE.rawValue)) }
    }

    /// Gives all users a permission on the listener's path, beside those that there are (`uv_pipe_chmod`).
    ///
    /// - Throws: `badDescriptor` on a listener that is not bound; `invalidArgument` for no access at all;
    ///   `noSuchFile` for an abstract name.
    public func allowAllUsers(_ access: Access) throws(UVError) {
        try call("uv_pipe_chmod") { unsafe uv_pipe_chmod(pipe, access.rawValue) }
    }

    /// How many instances wait for clients, on Windows, where a pipe is made of instances (`uv_pipe_pending_instances`).
    ///
    /// Elsewhere it does nothing.
    public func setPendingInstances(_ count: Int) {
        assertOnThread()
        unsafe uv_pipe_pending_instances(pipe, Int32(clamping: max(1, count)))
    }
}
