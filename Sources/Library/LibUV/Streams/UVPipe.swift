internal import CLibUV

/// A stream over a Unix domain socket or a pipe (`uv_pipe_t`).
///
/// Connect one with `connect`, make one with `pair` or from a descriptor, or accept one from a `UVPipeListener`.
public final class UVPipe: UVStream {
    /// Whether handles can be sent and received over the pipe.
    public let passesHandles: Bool
    private var hasConnected = false

    /// Makes a pipe that is not connected (`uv_pipe_init`).
    ///
    /// - Parameter passesHandles: whether handles can be sent and received together with bytes. If so, the peer can
    ///   open descriptors in this process. Descriptors that the program does not accept stay open until the pipe is
    ///   closed. Pass `true` only for a trusted peer.
    /// - Throws: `cancelled` if the loop is closing or closed.
    public convenience init(
        on loop: UVLoop, passesHandles: Bool = false, file: StaticString = #fileID, line: UInt = #line
    ) throws(UVError) {
        try self.init(on: loop, passesHandles: passesHandles, location: UVSourceLocation(file: file, line: line))
    }

    /// Makes a pipe that takes ownership of a connected socket or an end of a pipe (`uv_pipe_open`).
    ///
    /// The stream makes the descriptor non-blocking, even for other processes that share it, and closes the descriptor
    /// when the stream closes. It never closes the descriptors 0, 1 and 2.
    ///
    /// - Parameters:
    ///   - descriptor: the descriptor.
    ///   - passesHandles: whether handles can be sent and received together with bytes; see `init(on:passesHandles:)`.
    /// - Throws: the same errors as `UVTCPStream.init(on:adopting:)`. If the call throws, the caller still owns the
    ///   descriptor.
    public convenience init(
        on loop: UVLoop, adopting descriptor: Int32, passesHandles: Bool = false, file: StaticString = #fileID,
        line: UInt = #line
    ) throws(UVError) {
        try self.init(on: loop, passesHandles: passesHandles, location: UVSourceLocation(file: file, line: line))
        try adoptOrClose(descriptor)
    }

    init(on loop: UVLoop, passesHandles: Bool, location: UVSourceLocation) throws(UVError) {
        let raw = try unsafe makeHandle(
            uv_pipe_t.self, on: loop, "uv_pipe_init", roomBefore: UVStream.roomBefore
        ) { unsafe uv_pipe_init($0, $1, passesHandles ? 1 : 0) }
        self.passesHandles = passesHandles
        unsafe super.init(initialised: raw, location: location)
    }

    var pipe: UnsafeMutablePointer<uv_pipe_t> { unsafe cast(to: uv_pipe_t.self) }

    /// Connects to a listener (`uv_pipe_connect2`, `uv_pipe_connect`).
    ///
    /// If connecting fails, the pipe stays open but cannot be used. Close it. If the kernel cannot watch one more
    /// descriptor, the pipe closes itself, and `completion` receives `outOfMemory` or `noSpace` (`epoll_ctl`).
    ///
    /// - Parameters:
    ///   - name: the name to which the listener is bound.
    ///   - completion: called once, in a later iteration. It receives success, or an error: `noSuchFile`;
    ///     `connectionRefused`; `wouldBlock` if the listener's backlog is full; `cancelled` if the pipe was closed
    ///     first.
    /// - Throws: errors that are known immediately: `nameTooLong`; `invalidArgument` if the name is empty or contains a
    ///   zero byte; `alreadyInProgress` for a second call; `alreadyConnected`. If the call throws, `completion` is not
    ///   called.
    public func connect(
        to name: UVPipeName, completion: @escaping (Result<Void, UVError>) -> Void
    ) throws(UVError) {
        try checkOpen("uv_pipe_connect")
        try name.check("uv_pipe_connect")
        var failure: UVError?
        let report = { (result: Result<Void, UVError>) -> Void in
            completion(result.mapError { (failure ?? $0).with(detail: "\(name)") })
        }
        if hasConnected { throw UVError(.alreadyInProgress, operation: "uv_pipe_connect") }
        if hasDescriptor { throw UVError(.alreadyConnected, operation: "uv_pipe_connect") }
        let status = unsafe ask(name, report) { request, bytes, count in
            unsafe cuv_pipe_connect2(request, pipe, bytes, count, UVPipe.onConnect)
        }
        if status == UV_ENOSYS.rawValue {
            try name.isAbstract ? connectToAbstract(name, report) : connectToPath(name, report)
        } else {
            if status < 0 { throw UVError(code: status, operation: "uv_pipe_connect", detail: "\(name)") }
        }
        hasConnected = true
        // If connecting has failed already, libuv does not watch the descriptor.
        if unsafe pipe.pointee.delayed_error == 0 { failure = closeIfUnwatched() }
    }

    func adopt(descriptor: Int32) throws(UVError) {
        try UVDescriptorKind.checkStream(descriptor, "uv_pipe_open")
        try unsafe check(uv_pipe_open(pipe, descriptor), "uv_pipe_open")
    }

    /// The name of this side of the connection (`uv_pipe_getsockname`).
    ///
    /// An accepted stream has the name of the listener. A client has no name.
    ///
    /// - Throws: `badDescriptor` if the pipe has no descriptor yet; another error if the descriptor is not a socket.
    public var localName: UVPipeName {
        get throws(UVError) {
            try unsafe readName("uv_pipe_getsockname") { unsafe uv_pipe_getsockname(pipe, $0, $1) }
        }
    }

    /// The name of the peer (`uv_pipe_getpeername`).
    ///
    /// For a client, this is the name of the listener. For an accepted stream, the peer has no name.
    ///
    /// - Throws: `notConnected` if the socket is not connected; otherwise the same errors as `localName`.
    public var remoteName: UVPipeName {
        get throws(UVError) {
            try unsafe readName("uv_pipe_getpeername") { unsafe uv_pipe_getpeername(pipe, $0, $1) }
        }
    }
}

// MARK: - Connecting

extension UVPipe {
    private static let onConnect: uv_connect_cb = { raw, status in
        guard let raw = unsafe raw else { return }
        unsafe StreamRequest<uv_connect_t>.complete(raw.pointee.data, status, "uv_pipe_connect")
    }

    /// Makes a connect request, and passes it to libuv with `call`.
    ///
    /// libuv calls back in a later iteration.
    private func ask(
        _ name: UVPipeName, _ completion: @escaping (Result<Void, UVError>) -> Void,
        _ call: (UnsafeMutablePointer<uv_connect_t>, UnsafePointer<CChar>, Int) -> Int32
    ) -> Int32 {
        let request = unsafe StreamRequest<uv_connect_t>(completion: completion)
        let status = unsafe name.withBytes { unsafe call(request.memory, $0, $1) }
        if status >= 0 { unsafe request.memory.pointee.data = request.retained() }
        return status
    }

    private func connectToPath(_ name: UVPipeName, _ completion: @escaping (Result<Void, UVError>) -> Void) {
        _ = unsafe ask(name, completion) { request, path, _ in
            unsafe uv_pipe_connect(request, pipe, path, UVPipe.onConnect)
            return 0
        }
    }

    /// Connects a socket to an abstract name, and adopts it.
    private func connectToAbstract(
        _ name: UVPipeName, _ completion: @escaping (Result<Void, UVError>) -> Void
    ) throws(UVError) {
        let descriptor: Int32
        do { descriptor = try LocalSocket.connected(to: name) } catch { return fail(with: error, completion) }
        try SystemDescriptor.closeOnFailure(descriptor, adopt)
        // The socket is already connected, but `completion` must be called in a later iteration and before the
        // completions of all writes, as when libuv connects. Therefore this function makes an empty write, whose
        // completion is called at exactly that time, and ignores the result of the write.
        try write(makeBuffer(capacity: 0)) { _ in
            completion(self.isClosing ? .failure(UVError(.cancelled, operation: "uv_pipe_connect")) : .success(()))
        }
    }

    /// Reports in a later iteration that connecting has failed.
    private func fail(with error: UVError, _ completion: @escaping (Result<Void, UVError>) -> Void) {
        // Connecting to a directory always fails, and libuv reports that failure in a later iteration. At that time,
        // this function reports `error` instead.
        connectToPath(.path("/")) { result in
            guard case .failure(let failure) = result, failure.code == .cancelled else {
                return completion(.failure(UVError(error.code, operation: "uv_pipe_connect")))
            }
            completion(result)
        }
    }
}
