public import CLibUV

// A stream's memory contains the program's context, the closure for the stream's events, and libuv's handle, in this
// order. The context and the closure are zero until they are set. The closure is cleared only in the close callback,
// after its last call, and therefore never while it runs.

/// A duplex byte stream (`uv_stream_t`).
///
/// **Reading**: pass `startReading` a closure that receives all events of the stream. **Writing**: fill a buffer from
/// the loop's pool (`UVLoop.makeBuffer`), and move it into `write`. **Order**: writes complete in the order of the
/// calls. Each write completes exactly once, before the stream has closed.
///
/// Steady-state reads and writes neither allocate memory nor take a lock.
public class UVStream: UVHandle {
    /// The handle as a `uv_stream_t`.
    @inlinable
    @inline(__always)
    final var stream: UnsafeMutablePointer<uv_stream_t> {
        // The structure of every stream begins with the fields of a uv_stream_t.
        unsafe UnsafeMutableRawPointer(raw).assumingMemoryBound(to: uv_stream_t.self)
    }

    /// The number of bytes before the handle, which the context and the closure occupy.
    static var roomBefore: Int { unsafe MemoryLayout<UnsafeRawPointer?>.stride + MemoryLayout<StreamCallbacks>.stride }

    /// The memory for the reference to the context.
    private final var contextPlace: UnsafeMutablePointer<UnsafeMutableRawPointer?> {
        unsafe (UnsafeMutableRawPointer(raw) - UVStream.roomBefore).assumingMemoryBound(
            to: UnsafeMutableRawPointer?.self)
    }

    /// An object that the program associates with the stream, for example the state of the connection (libuv's `data`).
    ///
    /// The context is `nil` at first. A program that has only the stream, for example in a callback or from
    /// `UVLoop.walk`, finds its object here without a dictionary. The stream retains the object until the stream has
    /// closed, and releases it after the event `closed`. Setting the context of a closed stream has no effect. Use this
    /// property on the loop's thread.
    public final var context: AnyObject? {
        get {
            assertOnThread()
            return unsafe contextPlace.pointee.map { unsafe Unmanaged<AnyObject>.fromOpaque($0).takeUnretainedValue() }
        }
        set {
            assertOnThread()
            if isClosed { return }
            let old = unsafe contextPlace.pointee
            unsafe contextPlace.pointee = newValue.map { unsafe Unmanaged.passRetained($0).toOpaque() }
            if let old = unsafe old { unsafe Unmanaged<AnyObject>.fromOpaque(old).release() }
        }
    }

    /// The memory for the closure.
    final var callbacks: UnsafeMutablePointer<StreamCallbacks> { unsafe Trampolines.callbacks(of: stream) }

    /// Whether the stream has a closure.
    final var hasCallbacks: Bool { unsafe Trampolines.hasCallbacks(stream) }

    /// Whether the stream can be read (`uv_is_readable`).
    ///
    /// This is the case if it is connected and has not reached the end of the stream.
    public final var isReadable: Bool {
        assertOnThread()
        return unsafe uv_is_readable(stream) != 0
    }

    /// Whether the stream can be written (`uv_is_writable`).
    ///
    /// This is the case if it is connected and has not been shut down.
    public final var isWritable: Bool {
        assertOnThread()
        return unsafe uv_is_writable(stream) != 0
    }

    /// The number of received bytes that have not been read, or 0 if the system does not report it (`FIONREAD`).
    public final var unreadByteCount: Int {
        assertOnThread()
        guard let descriptor = unsafe try? fileDescriptor(of: raw) else { return 0 }
        return max(0, Int(cuv_unread_byte_count(descriptor)))
    }

    /// Whether the stream reports the event `written`.
    ///
    /// The default is `false`, because each event costs a call of the closure. Writes without a completion that the
    /// library has gathered behind a pending write share one event.
    ///
    /// Setting this property before `startReading` or `onEvent`, or while the stream is closing, has no effect.
    public final var reportsWrites: Bool {
        get {
            assertOnThread()
            return unsafe UInt(bitPattern: raw.pointee.data) & Trampolines.reportsWrites != 0
        }
        set {
            assertOnThread()
            setFlag(Trampolines.reportsWrites, newValue)
        }
    }

    /// Sets or clears a flag in the handle's `data`, which also contains the reference to this object.
    final func setFlag(_ flag: UInt, _ isSet: Bool) {
        guard hasCallbacks, !isClosing else { return }
        unsafe Trampolines.setFlag(flag, isSet, of: stream)
    }

    override func willClose() {
        // Pass gathered writes to libuv, which then completes all writes in order.
        unsafe GatheredWrites.flush(stream, of: loop)
    }

    override func didClose() {
        if unsafe !loop.state.pointee.lent.isEmpty { unsafe loop.state.pointee.lent[stream] = nil }
        if unsafe !loop.state.pointee.waterLevels.isEmpty { unsafe loop.state.pointee.waterLevels[stream] = nil }
        defer { context = nil }
        guard hasCallbacks else { return }
        unsafe callbacks.pointee.call(self, .closed)
        unsafe callbacks.deinitialize(count: 1)
        unsafe UnsafeMutableRawPointer(callbacks).storeBytes(of: 0, as: UInt.self)
    }

    override func freeCell(_ owner: Unmanaged<UVLoop>) {
        unsafe (UnsafeMutableRawPointer(raw) - UVStream.roomBefore).deallocate()
    }
}

extension UVStream {
    /// Starts to read, and passes all events of the stream to a closure (`uv_read_start`).
    ///
    /// To set the closure without reading, use `onEvent`.
    ///
    /// - Parameter onEvent: called on the loop's thread for each event. The stream retains it until the stream has
    ///   closed.
    /// - Throws: `alreadyInProgress` if the stream already has a closure (see `resumeReading`); `notConnected` if the
    ///   stream is not connected; `invalidArgument` if it is closing; `outOfMemory` or `noSpace` (`epoll_ctl`) if the
    ///   kernel cannot watch one more descriptor.
    public final func startReading(
        _ onEvent: @escaping (UVStream, borrowing UVStreamEvent) -> Void
    ) throws(UVError) {
        try checkOpen("uv_read_start")
        if hasCallbacks { throw UVError(.alreadyInProgress, operation: "uv_read_start") }
        try read()
        unsafe callbacks.initialize(to: StreamCallbacks(onEvent))
    }

    /// Passes all events of the stream to a closure, without starting to read.
    ///
    /// In this way, a program that only writes to the stream learns that a write without a completion has failed, that
    /// the queue has drained, and that the stream has closed. The stream need not be connected yet. To read later, call
    /// `resumeReading`. libuv has no corresponding function.
    ///
    /// libuv watches a stream for errors only while the stream reads or has queued bytes. An idle stream that does not
    /// read reports a reset by the peer only at the next write or read.
    ///
    /// ```swift
    /// try stream.onEvent { stream, event in
    ///     if case .failed = event { stream.close() }
    /// }
    /// ```
    ///
    /// - Parameter handler: called on the loop's thread for each event. The stream retains it until the stream has
    ///   closed.
    /// - Throws: `alreadyInProgress` if the stream already has a closure, from this function or from `startReading`;
    ///   `invalidArgument` if it is closing.
    public final func onEvent(_ handler: @escaping (UVStream, borrowing UVStreamEvent) -> Void) throws(UVError) {
        try checkOpen("uv_read_start")
        if hasCallbacks { throw UVError(.alreadyInProgress, operation: "uv_read_start") }
        unsafe callbacks.initialize(to: StreamCallbacks(handler))
    }

    /// Stops reading, so that no bytes and no end of the stream are reported until `resumeReading` (`uv_read_stop`).
    ///
    /// Stopping again has no effect.
    ///
    /// Bytes from the peer stay in the kernel. When the kernel's buffers are full, the peer has to wait.
    public final func stopReading() {
        assertOnThread()
        if !isClosing { unsafe uv_read_stop(stream) }
    }

    /// Resumes reading after `stopReading`, or starts it after `onEvent` (`uv_read_start`).
    ///
    /// - Throws: `alreadyInProgress` if the stream is reading; `notConnected` if it is not connected; `invalidArgument`
    ///   if it has no closure or is closing; `outOfMemory` or `noSpace` as in `startReading`.
    public final func resumeReading() throws(UVError) {
        try checkOpen("uv_read_start")
        guard hasCallbacks else { throw UVError(.invalidArgument, operation: "uv_read_start") }
        try read()
    }

    private final func read() throws(UVError) {
        try unsafe check(cuv_read_start(stream, Trampolines.onRead), "uv_read_start")
        do throws(UVError) { try unsafe check(cuv_watch(raw), "epoll_ctl") } catch {
            unsafe uv_read_stop(stream)
            throw error
        }
    }

    /// Checks that the kernel can watch the descriptor of a stream that has begun to connect, and closes the stream if
    /// not.
    ///
    /// libuv has no other way to stop connecting.
    ///
    /// - Returns: the error to report for the request instead of `cancelled`, or `nil` if the stream is being watched.
    final func closeIfUnwatched() -> UVError? {
        do throws(UVError) { try unsafe check(cuv_watch(raw), "epoll_ctl") } catch {
            close()
            return error
        }
        return nil
    }

    /// Shuts down the write side, after all written bytes have been sent (`uv_shutdown`).
    ///
    /// The peer reads all bytes and then the end of the stream. The stream can still read bytes from the peer.
    ///
    /// - Parameter completion: called once. It receives success when the write side has been shut down, or `cancelled`
    ///   if the stream was closed first.
    /// - Throws: `notConnected` if the stream is not connected, has already been shut down, or is closing.
    public final func shutdown(_ completion: @escaping (Result<Void, UVError>) -> Void = { _ in }) throws(UVError) {
        assertOnThread()
        if isClosing { throw UVError(.notConnected, operation: "uv_shutdown") }
        unsafe GatheredWrites.flush(stream, of: loop)
        let request = unsafe StreamRequest<uv_shutdown_t>(completion: completion)
        let status = unsafe uv_shutdown(request.memory, stream) { raw, status in
            guard let raw = unsafe raw else { return }
            unsafe StreamRequest<uv_shutdown_t>.complete(raw.pointee.data, status, "uv_shutdown")
        }
        try check(status, "uv_shutdown")
        unsafe request.memory.pointee.data = request.retained()
    }
}
