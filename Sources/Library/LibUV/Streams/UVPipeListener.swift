internal import CLibUV

/// A listening Unix domain socket (`uv_pipe_t`).
///
/// If the listener is bound to a path, closing the listener removes the file at that path, directly before the socket
/// is closed. The file is removed even if the working directory has changed since `bind`. It is not removed if another
/// file has replaced it, for example the socket of a restarted server.
public final class UVPipeListener: UVListener {
    /// The file to remove when the listener closes.
    private var file: SocketFile?

    /// Makes a listener that is not bound yet (`uv_pipe_init`).
    ///
    /// - Throws: `cancelled` if the loop is closing or closed.
    public init(on loop: UVLoop, file: StaticString = #fileID, line: UInt = #line) throws(UVError) {
        // A pipe that passes handles cannot listen. `accept` decides whether accepted pipes pass handles.
        let raw = try unsafe makeHandle(uv_pipe_t.self, on: loop, "uv_pipe_init") { unsafe uv_pipe_init($0, $1, 0) }
        unsafe super.init(initialised: raw, location: UVSourceLocation(file: file, line: line))
    }

    /// Makes a listener that takes ownership of a bound socket (`uv_pipe_open`).
    ///
    /// Closing the listener closes the socket, but does not remove its path.
    ///
    /// - Throws: the same errors as `UVTCPStream.init(on:adopting:)`. If the call throws, the caller still owns the
    ///   descriptor.
    public convenience init(
        on loop: UVLoop, adopting descriptor: Int32, file: StaticString = #fileID, line: UInt = #line
    ) throws(UVError) {
        try self.init(on: loop, file: file, line: line)
        try adoptOrClose(descriptor)
    }

    var pipe: UnsafeMutablePointer<uv_pipe_t> { unsafe cast(to: uv_pipe_t.self) }

    /// Binds to a name (`uv_pipe_bind2`, `uv_pipe_bind`).
    ///
    /// When libuv closes a listener that it has bound, it removes the file at the listener's path, even if another file
    /// has replaced the listener's own. Therefore this function binds a socket itself and passes it to libuv. If a
    /// process crashes, the path of its listener remains. Before this call, remove such a path if no other server uses
    /// it, for example if connecting to it is refused.
    ///
    /// - Throws: `addressInUse` if the path exists, even if the process that made it has ended, or if the abstract name
    ///   is in use; `permissionDenied` if a permission is missing or the directory does not exist; `nameTooLong`;
    ///   `invalidArgument` if the name is empty or contains a zero byte, or if the listener is already bound;
    ///   `notSupported` for an abstract name on systems other than Linux.
    public func bind(to name: UVPipeName) throws(UVError) {
        try checkOpen("uv_pipe_bind")
        try name.check("uv_pipe_bind")
        if hasDescriptor { throw UVError(.invalidArgument, operation: "uv_pipe_bind") }
        let descriptor: Int32
        do { descriptor = try LocalSocket.bound(to: name) } catch {
            // Like libuv, report a missing directory as `permissionDenied`.
            let code: UVError.Code = error.code == .noSuchFile ? .permissionDenied : error.code
            throw UVError(code, operation: "uv_pipe_bind", detail: "\(name)")
        }
        let file = SocketFile(name)
        do { try adopt(descriptor: descriptor) } catch {
            file?.remove()
            SystemDescriptor.close(descriptor)
            throw error
        }
        self.file = file
    }

    override func willClose() {
        file?.remove()
        super.willClose()
    }

    func adopt(descriptor: Int32) throws(UVError) {
        try UVDescriptorKind.checkStream(descriptor, "uv_pipe_open")
        try unsafe check(uv_pipe_open(pipe, descriptor), "uv_pipe_open")
    }

    /// Starts to listen, or replaces the backlog and the closure if the listener is already listening (`uv_listen`).
    ///
    /// - Parameters:
    ///   - backlog: the length of the kernel's queue of pending connections. If the queue is full, connecting fails
    ///     with `wouldBlock`.
    ///   - onConnection: called without an error when a connection can be accepted with `accept`, and with an error
    ///     when accepting has failed. After an error, the listener tries again by itself; see `UVListener`.
    /// - Throws: `invalidArgument` if the listener is not bound or is closing.
    public func listen(
        backlog: Int = 511, _ onConnection: @escaping (UVPipeListener, UVError?) -> Void
    ) throws(UVError) {
        try startListening(backlog: backlog) { listener, error in
            // This listener passes itself to the closure, so the cast is valid.
            onConnection(unsafe unsafeDowncast(listener, to: UVPipeListener.self), error)
        }
    }

    override func prepareToListen() throws(UVError) {
        if !hasDescriptor { throw UVError(.invalidArgument, operation: "uv_listen") }
    }

    override func acceptStream() throws(UVError) -> UVStream { try accept() }

    /// Accepts the reported connection (`uv_accept`).
    ///
    /// - Parameter passesHandles: whether handles can be sent over the connection; see `UVPipe.init`.
    /// - Returns: the connected stream, on the listener's loop.
    /// - Throws: `wouldBlock` if no connection is pending; `cancelled` if the listener is closing.
    public func accept(
        passesHandles: Bool = false, file: StaticString = #fileID, line: UInt = #line
    ) throws(UVError) -> UVPipe {
        if isClosing { throw UVError(.cancelled, operation: "uv_accept") }
        let stream = try UVPipe(
            on: loop, passesHandles: passesHandles, location: UVSourceLocation(file: file, line: line))
        try take(into: stream) { unsafe uv_pipe_open(stream.pipe, $0) }
        return stream
    }

    /// The name that clients connect to (`uv_pipe_getsockname`).
    ///
    /// - Throws: `badDescriptor` if the listener is not bound; `invalidArgument` if it is closing.
    public var localName: UVPipeName {
        get throws(UVError) {
            try unsafe readName("uv_pipe_getsockname") { unsafe uv_pipe_getsockname(pipe, $0, $1) }
        }
    }

    /// The permissions of other users for a listener's path.
    public struct Access: OptionSet, Sendable {
        /// The bits of the set, which are those of libuv.
        public let rawValue: Int32

        /// Makes a set from bits.
        public init(rawValue: Int32) { self.rawValue = rawValue }

        /// Permission to read from connections (`UV_READABLE`).
        public static var readable: Access { Access(rawValue: Int32(UV_READABLE.rawValue)) }
        /// Permission to connect and to write (`UV_WRITABLE`).
        public static var writable: Access { Access(rawValue: Int32(UV_WRITABLE.rawValue)) }
    }

    /// Gives all users additional permissions for the listener's path (`uv_pipe_chmod` of libuv 1.44).
    ///
    /// Existing permissions of the path remain. `uv_pipe_chmod` itself is not used, because it resolves the path again,
    /// and because later versions of it remove permissions.
    ///
    /// - Throws: `badDescriptor` if the listener is not bound; `invalidArgument` if `access` is empty; `noSuchFile` if
    ///   the name is abstract, or if the listener's file has been removed or replaced.
    public func allowAllUsers(_ access: Access) throws(UVError) {
        let operation = "uv_pipe_chmod"
        try checkOpen(operation)
        guard hasDescriptor else { throw UVError(.badDescriptor, operation: operation) }
        guard !access.isEmpty, access.isSubset(of: [.readable, .writable]) else {
            throw UVError(.invalidArgument, operation: operation)
        }
        // A listener that has adopted its socket has not bound the path, so the path is resolved only now.
        var file = self.file
        if file == nil { file = SocketFile(try localName) }
        guard let file else { throw UVError(.noSuchFile, operation: operation) }
        var permissions: mode_t = 0
        if access.contains(.readable) { permissions |= 0o444 }
        if access.contains(.writable) { permissions |= 0o222 }
        try file.add(permissions, operation)
    }

    /// Sets how many instances of a Windows pipe wait for clients (`uv_pipe_pending_instances`).
    ///
    /// On other systems, the call has no effect.
    public func setPendingInstances(_ count: Int) {
        assertOnThread()
        unsafe uv_pipe_pending_instances(pipe, Int32(clamping: max(1, count)))
    }
}
