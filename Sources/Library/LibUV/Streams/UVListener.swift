internal import CLibUV

/// A listening socket (`uv_stream_t`), the base class of `UVTCPListener` and `UVPipeListener`.
///
/// The listener calls the closure of `listen` for each connection, and the closure accepts the connection with
/// `accept`. Until it does, the listener reports no further connection. A busy server can use this to make its clients
/// wait in the backlog.
///
/// **No free descriptor**: libuv and this class each keep one descriptor in reserve. If the process has no free
/// descriptor, they use it to accept pending connections and close them immediately. Therefore clients do not hang, and
/// the loop does not spin. The closure receives the error `processFileLimit` at most once per second, and
/// `shedConnections` counts the closed connections.
public class UVListener: UVHandle {
    private final var onConnection: ((UVListener, UVError?) -> Void)?
    private final let reserve = ReserveDescriptor()
    private final var lastReport: Duration?

    /// The number of connections that this class has accepted and closed immediately, because the process had no free
    /// descriptor.
    ///
    /// It does not include connections that libuv has closed with its own reserve, because libuv does not report them.
    public private(set) final var shedConnections = 0

    /// The handle as a `uv_stream_t`.
    final var stream: UnsafeMutablePointer<uv_stream_t> { unsafe cast(to: uv_stream_t.self) }

    /// Starts to listen, or replaces the backlog and the closure if the listener is already listening (`uv_listen`).
    final func startListening(
        backlog: Int, _ onConnection: @escaping (UVListener, UVError?) -> Void
    ) throws(UVError) {
        try call("uv_listen") { unsafe uv_listen(stream, Int32(clamping: max(0, backlog)), Trampolines.onConnection) }
        self.onConnection = onConnection
        reserve.take()
    }

    /// Accepts the reported connection into a new stream (`uv_accept`), or closes the stream if accepting fails.
    final func take(into connection: UVStream) throws(UVError) {
        let status = unsafe uv_accept(stream, connection.stream)
        guard status >= 0 else {
            connection.close()
            throw UVError(code: status, operation: "uv_accept")
        }
    }

    /// Handles a new connection, or the failure to accept one.
    final func received(_ status: Int32) {
        let handler = onConnection
        guard status < 0 else { return handler?(self, nil) ?? () }
        let error = UVError(code: status, operation: "accept")
        guard error.is(.processFileLimit) || error.is(.systemFileLimit) else { return handler?(self, error) ?? () }
        if let descriptor = unsafe try? fileDescriptor(of: raw) { shedConnections += reserve.shed(from: descriptor) }
        let now = loop.now
        if let lastReport, now - lastReport < .seconds(1) { return }
        lastReport = now
        handler?(self, error)
    }

    override func didClose() {
        onConnection = nil
        reserve.release()
    }
}

extension Trampolines {
    static let onConnection: uv_connection_cb = { stream, status in
        unsafe object(of: stream?.pointee.data, as: UVListener.self)?.received(status)
    }
}
