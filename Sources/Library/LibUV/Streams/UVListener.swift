internal import CLibUV

/// A listening socket (`uv_stream_t`): what a `UVTCPListener` and a `UVPipeListener` have in common.
///
/// Each connection is reported by a call of the closure of `listen`, which takes it with `accept`. A connection
/// that is not taken stays with the listener, which reports no other until it is: that is how a server that is
/// busy makes its clients wait in the backlog.
///
/// **No descriptor left**: libuv and this class each keep one in reserve. A client that comes when there is no
/// other is accepted with it and closed at once, so that neither the client hangs nor the loop spins; the closure
/// is told `processFileLimit` at most once a second, and `shedConnections` counts.
public class UVListener: UVHandle {
    private final var onConnection: ((UVListener, UVError?) -> Void)?
    private final let reserve = ReserveDescriptor()
    private final var lastReport: Duration?

    /// Clients that were accepted and closed at once by this class, for want of descriptors.
    ///
    /// Those that libuv closed with its own reserve are not among them: it tells nobody.
    public private(set) final var shedConnections = 0

    /// The handle as a stream.
    final var stream: UnsafeMutablePointer<uv_stream_t> { unsafe cast(to: uv_stream_t.self) }

    /// Listens (`uv_listen`); on a listener that listens already, sets the backlog and the closure anew.
    final func startListening(
        backlog: Int, _ onConnection: @escaping (UVListener, UVError?) -> Void
    ) throws(UVError) {
        try call("uv_listen") { unsafe uv_listen(stream, Int32(clamping: max(0, backlog)), Trampolines.onConnection) }
        self.onConnection = onConnection
        reserve.take()
    }

    /// Moves the connection that was reported into a new stream (`uv_accept`), which is closed where there is none.
    final func take(into connection: UVStream) throws(UVError) {
        let status = unsafe uv_accept(stream, connection.stream)
        guard status >= 0 else {
            connection.close()
            throw UVError(code: status, operation: "uv_accept")
        }
    }

    /// A connection, or the failure of one.
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
