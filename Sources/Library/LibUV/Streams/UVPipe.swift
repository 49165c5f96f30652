internal import CLibUV

/// A stream over a Unix domain socket or a pipe (`uv_pipe_t`): connected by `connect`, accepted by a
/// `UVPipeListener`, made by `pair`, or taken over from a descriptor.
public final class UVPipe: UVStream {
    /// Whether handles can be passed over the pipe, in both directions.
    public let passesHandles: Bool
    private var hasConnected = false

    /// Makes a pipe that is not connected (`uv_pipe_init`).
    ///
    /// - Parameter passesHandles: whether streams and listeners are to be sent over it beside the bytes. The peer
    ///   can then give this process descriptors, which are open until they are accepted or the pipe is closed:
    ///   for a peer that is trusted.
    /// - Throws: `cancelled` on a loop that is closing or closed.
    public convenience init(
        on loop: UVLoop, passesHandles: Bool = false, file: StaticString = #fileID, line: UInt = #line
    ) throws(UVError) {
        try self.init(on: loop, passesHandles: passesHandles, place: UVSourcePlace(file: file, line: line))
    }

    init(on loop: UVLoop, passesHandles: Bool, place: UVSourcePlace) throws(UVError) {
        let raw = try unsafe makeHandle(
            uv_pipe_t.self, on: loop, "uv_pipe_init", roomBefore: UVStream.roomBefore
        ) { unsafe uv_pipe_init($0, $1, passesHandles ? 1 : 0) }
        self.passesHandles = passesHandles
        unsafe super.init(initialised: raw, place: place)
    }

    var pipe: UnsafeMutablePointer<uv_pipe_t> { unsafe cast(to: uv_pipe_t.self) }

    /// Connects to a listener (`uv_pipe_connect2`, `uv_pipe_connect`).
    ///
    /// A failure to connect leaves the pipe open, and of no further use: close it.
    ///
    /// - Parameters:
    ///   - name: what the listener is bound to.
    ///   - completion: called once, in a later round: with success; with `noSuchFile`, `connectionRefused`, or
    ///     `wouldBlock` where the listener's backlog is full; or with `cancelled` where the pipe was closed before.
    /// - Throws: what is wrong at once: `nameTooLong`; `invalidArgument` for an empty name or one with a zero in
    ///   it; `alreadyInProgress` for a second connect; `alreadyConnected`. `completion` is not called then.
    public func connect(
        to name: UVPipeName, completion: @escaping (Result<Void, UVError>) -> Void
    ) throws(UVError) {
        try checkOpen("uv_pipe_connect")
        try name.check("uv_pipe_connect")
        if hasConnected { throw UVError(.alreadyInProgress, operation: "uv_pipe_connect") }
        if hasDescriptor { throw UVError(.alreadyConnected, operation: "uv_pipe_connect") }
        let status = unsafe ask(name, completion) { request, bytes, count in
            unsafe cuv_pipe_connect2(request, pipe, bytes, count, UVPipe.onConnect)
        }
        if status == UV_ENOSYS.rawValue {
            try name.isAbstract ? connectToAbstract(name, completion) : connectToPath(name, completion)
        } else {
            try check(status, "uv_pipe_connect")
        }
        hasConnected = true
    }

    /// Takes over a connected socket or an end of a pipe (`uv_pipe_open`), which the stream closes in the end.
    ///
    /// The descriptor is made not to block, for all who share it. Descriptors 0, 1 and 2 are never closed.
    ///
    /// - Throws: `busy` where the stream has a descriptor already; `invalidArgument` for a file or another kind that
    ///   is no stream; `alreadyExists` where another handle of the loop watches it. It is then still the caller's.
    public func adopt(descriptor: Int32) throws(UVError) {
        try checkOpen("uv_pipe_open")
        if hasDescriptor { throw UVError(.busy, operation: "uv_pipe_open") }
        try UVDescriptorKind.checkStream(descriptor, "uv_pipe_open")
        try unsafe check(uv_pipe_open(pipe, descriptor), "uv_pipe_open")
    }

    /// This side's name (`uv_pipe_getsockname`): the listener's on a stream that was accepted, none on a client.
    ///
    /// - Throws: `badDescriptor` on a pipe that has no descriptor yet; another code where it is no socket.
    public var localName: UVPipeName {
        get throws(UVError) {
            try unsafe readName("uv_pipe_getsockname") { unsafe uv_pipe_getsockname(pipe, $0, $1) }
        }
    }

    /// The peer's name (`uv_pipe_getpeername`): the listener's on a client, none on a stream that was accepted.
    ///
    /// - Throws: `notConnected` on a socket that is not connected; otherwise as `localName`.
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

    /// Makes a request to connect, and has `call` give it to libuv, which calls back in a later round.
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

    /// Connects a socket to an abstract name, and takes it over.
    private func connectToAbstract(
        _ name: UVPipeName, _ completion: @escaping (Result<Void, UVError>) -> Void
    ) throws(UVError) {
        let descriptor: Int32
        do { descriptor = try LocalSocket.connected(to: name) } catch { return fail(with: error, completion) }
        try SystemDescriptor.closeOnFailure(descriptor, adopt)
        // The connection stands. A write of nothing completes in a later round and ahead of all others, as the
        // connecting does where libuv does it; what becomes of the write is nothing to the connection.
        try write(makeBuffer(capacity: 0)) { _ in
            completion(self.isClosing ? .failure(UVError(.cancelled, operation: "uv_pipe_connect")) : .success(()))
        }
    }

    /// Completes a connect that has failed, in a later round.
    private func fail(with error: UVError, _ completion: @escaping (Result<Void, UVError>) -> Void) {
        // libuv is given a connect that must fail, since nobody listens at a directory; it calls back in its turn.
        connectToPath(.path("/")) { result in
            guard case .failure(let failure) = result, failure.is(.cancelled) else {
                return completion(.failure(UVError(code: error.code, operation: "uv_pipe_connect")))
            }
            completion(result)
        }
    }
}
