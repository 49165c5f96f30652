internal import CLibUV

/// A listening socket (`uv_stream_t`), the base class of `UVTCPListener` and `UVPipeListener`.
///
/// The listener calls the closure of `listen` for each connection, and the closure accepts the connection with
/// `accept`. Until the closure has accepted the connection, the listener reports no further connection. A busy server
/// can use this behaviour to make its clients wait in the backlog.
///
/// **No free descriptor**: the listener keeps one descriptor in reserve. If the process or the system has no free
/// descriptor, the listener uses the reserve to accept pending connections and close them immediately. Therefore
/// clients do not hang. The closure receives the error, for example `processFileLimit`, at most once per second, and
/// `droppedConnectionCount` counts the closed connections.
///
/// **Other errors**: if the kernel cannot accept a connection, for example for lack of memory, the listener pauses.
/// Pending connections then wait in the backlog. The closure receives the error once. The listener tries again after
/// 10 ms, then after twice that time, and so on up to 1 s. It also tries again as soon as a stream, a listener or a
/// datagram socket of the loop has closed. The loop does not spin, and its other handles work as usual.
@safe
public class UVListener: UVHandle {
    private final var onConnection: ((UVListener, UVError?) -> Void)?
    private final let reserve = ReserveDescriptor()
    private final var lastReport: (code: Int32, time: UVClock.Instant)?
    /// The handles that watch the socket, from the first call of `listen` until the listener closes.
    private final var acceptor: UnsafeMutablePointer<cuv_acceptor>?
    private final var listening: Int32 = -1
    /// The descriptor of the connection that the program has not accepted yet, or -1.
    private final var pending: Int32 = -1
    /// The current pause after an error, or `nil` if the last attempt has succeeded.
    private final var pause: Duration?
    private final var isPaused = false
    /// The maximum number of connections to accept in a row before the loop serves other handles.
    final var acceptLimit = 16
    /// The current number of connections to accept in a row, at most `acceptLimit`.
    ///
    /// It is 1 unless connections arrive in quick succession, because each additional attempt costs a system call.
    private final var burstLimit = 1
    private final var lastReadable = UVClock.Instant(offset: .zero)

    /// The number of connections that the listener has accepted and closed immediately because the process or the
    /// system had no free descriptor.
    public private(set) final var droppedConnectionCount = 0

    override init(initialised raw: UnsafeMutablePointer<uv_handle_t>, location: UVSourceLocation) {
        unsafe acceptor = nil
        unsafe super.init(initialised: raw, location: location)
    }

    /// The handle as a `uv_stream_t`.
    final var stream: UnsafeMutablePointer<uv_stream_t> { unsafe cast(to: uv_stream_t.self) }

    /// The current pause after errors, or `nil` if the last attempt has succeeded.
    package final var acceptPause: Duration? { pause }

    /// Binds a socket that is not bound, or throws the error that an earlier `bind` has deferred to `listen`.
    func prepareToListen() throws(UVError) {}

    /// Accepts the reported connection.
    func acceptStream() throws(UVError) -> UVStream { throw UVError(.wouldBlock, operation: "uv_accept") }

    /// Starts to listen, or replaces the backlog and the closure if the listener is already listening.
    final func startListening(
        backlog: Int, _ onConnection: @escaping (UVListener, UVError?) -> Void
    ) throws(UVError) {
        try checkOpen("uv_listen")
        try prepareToListen()
        let descriptor = try unsafe fileDescriptor(of: raw)
        try check(cuv_listen(descriptor, Int32(clamping: max(0, backlog))), "uv_listen")
        if unsafe acceptor == nil { try watch(descriptor) }
        self.onConnection = onConnection
        reserve.take()
    }

    /// Passes the descriptor of the reported connection to `open`, and closes the stream if `open` fails.
    final func take(into connection: UVStream, _ open: (Int32) -> Int32) throws(UVError) {
        guard pending >= 0 else {
            connection.close()
            throw UVError(.wouldBlock, operation: "uv_accept")
        }
        let descriptor = pending
        pending = -1
        let status = open(descriptor)
        // If libuv cannot start the poll handle, the listener tries again after a pause.
        if !isPaused { resume() }
        guard status >= 0 else {
            SystemDescriptor.close(descriptor)
            connection.close()
            throw UVError(code: status, operation: "uv_accept")
        }
    }

    override func willClose() {
        unsafe loop.state.pointee.pausedListeners.removeAll { $0 === self }
        if pending >= 0 { SystemDescriptor.close(pending) }
        pending = -1
        // The reserve may be a duplicate of the listening socket, and would keep that socket open.
        reserve.release()
        guard let acceptor = unsafe acceptor else { return }
        unsafe self.acceptor = nil
        unsafe cuv_acceptor_close(acceptor)
    }

    override func didClose() { onConnection = nil }

    override var isWatching: Bool {
        guard let acceptor = unsafe acceptor else { return false }
        return unsafe cuv_acceptor_is_active(acceptor) != 0
    }

    override func referenceChanged() {
        if let acceptor = unsafe acceptor { unsafe cuv_acceptor_set_reference(acceptor, uv_has_ref(raw)) }
    }
}

// MARK: - Accepting

// `uv_listen` is not used, because no version of libuv can handle a lasting error of `accept`. Versions up to 1.44 call
// back in an endless loop. Later versions ignore the error and poll again immediately. See decision 24.

extension UVListener {
    /// The first pause after an error.
    private static var shortestPause: Duration { .milliseconds(10) }

    /// The longest pause after an error.
    private static var longestPause: Duration { .seconds(1) }

    /// Starts to watch the socket.
    private final func watch(_ descriptor: Int32) throws(UVError) {
        var status: Int32 = 0
        let acceptor = unsafe cuv_acceptor_make(
            loop.raw, descriptor, Unmanaged.passUnretained(self).toOpaque(), &status)
        try check(status, "uv_listen")
        unsafe self.acceptor = acceptor
        listening = descriptor
        referenceChanged()
        resume()
    }

    /// Starts to watch the socket, unless it is already being watched.
    private final func resume() {
        guard let acceptor = unsafe acceptor, unsafe cuv_acceptor_is_watching(acceptor) == 0 else { return }
        let status = unsafe cuv_acceptor_watch(acceptor) { poll, status, _ in
            guard let poll = unsafe poll else { return }
            // The reference is valid, because the listener clears it before it closes.
            guard let listener = unsafe cuv_acceptor_of_poll(poll).pointee.listener else { return }
            unsafe Unmanaged<UVListener>.fromOpaque(listener).takeUnretainedValue().becameReadable(status)
        }
        if status < 0 { pauseAccepting() }
    }

    /// Accepts connections.
    private final func becameReadable(_ status: Int32) {
        if status < 0 { return acceptFailed(status) }
        // The program has not accepted the last connection yet. `take` will resume watching.
        if pending >= 0 { return stopWatching() }
        // The reserve may have been lost. Without a reserve, clients would have to wait for a long time. Therefore the
        // first descriptor that becomes free serves as the reserve.
        if pause != nil { reserve.take() }
        let now = loop.now
        burstLimit = now == lastReadable ? min(burstLimit * 2, acceptLimit) : 1
        lastReadable = now
        for _ in 0..<burstLimit {
            let accepted = cuv_accept(listening)
            if accepted == UV_EAGAIN.rawValue { return }
            // The client has reset the connection, so try the next one.
            if accepted == UV_ECONNABORTED.rawValue { continue }
            if accepted < 0 { return acceptFailed(accepted) }
            pause = nil
            pending = accepted
            report(nil)
            if isClosing || pending >= 0 || isPaused { return }
        }
    }

    /// Stops watching the socket, but keeps the loop running as if the socket were being watched.
    private final func stopWatching(for duration: Duration? = nil) {
        guard let acceptor = unsafe acceptor else { return }
        unsafe cuv_acceptor_stop(acceptor, duration?.wholeMilliseconds ?? .max / 2) { timer in
            guard let timer = unsafe timer else { return }
            guard let listener = unsafe cuv_acceptor_of_timer(timer).pointee.listener else { return }
            unsafe Unmanaged<UVListener>.fromOpaque(listener).takeUnretainedValue().endPause()
        }
    }

    /// Handles an error of `accept`.
    ///
    /// Tests also call this function.
    package final func acceptFailed(_ status: Int32) {
        let error = UVError(code: status, operation: "accept")
        let isRepeated = pause != nil
        let canShed = error.code == .processFileLimit || error.code == .systemFileLimit
        let shedCount = canShed ? reserve.shed(from: listening) : 0
        droppedConnectionCount += shedCount
        if shedCount == 0 { pauseAccepting() }
        let now = loop.now
        if let lastReport, lastReport.code == status, isRepeated || lastReport.time.duration(to: now) < .seconds(1) {
            return
        }
        lastReport = (status, now)
        report(error)
    }

    private final func report(_ error: UVError?) {
        let handler = onConnection
        handler?(self, error)
    }

    /// Pauses for twice the duration of the last pause.
    private final func pauseAccepting() {
        let duration = min((pause ?? UVListener.shortestPause / 2) * 2, UVListener.longestPause)
        pause = duration
        stopWatching(for: duration)
        if isPaused { return }
        isPaused = true
        unsafe loop.state.pointee.pausedListeners.append(self)
    }

    /// Tries again after a pause, or because a handle has closed and may have released a descriptor.
    final func endPause() {
        guard isPaused else { return }
        isPaused = false
        unsafe loop.state.pointee.pausedListeners.removeAll { $0 === self }
        resume()
    }
}

extension UVLoop {
    /// Lets paused listeners try again if the closed handle is of a kind that has a descriptor.
    func resumePausedListeners(after handle: UnsafeMutablePointer<uv_handle_t>) {
        switch unsafe uv_handle_get_type(handle) {
        case UV_TCP, UV_NAMED_PIPE, UV_UDP, UV_TTY: break
        default: return
        }
        for listener in unsafe state.pointee.pausedListeners { listener.endPause() }
    }
}
