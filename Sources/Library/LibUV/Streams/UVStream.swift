public import CLibUV

// The cell of a stream: the program's context, the closure that takes the stream's events, and behind them libuv's
// handle. Both places are zero until they are set. They are emptied in the close callback only: never during a call of
// the closure.

/// The closure that takes a stream's events.
///
/// Calling it as a field of a borrowed structure costs no retain.
@usableFromInline
struct StreamCallbacks: ~Copyable {
    @usableFromInline let onEvent: (UVStream, borrowing UVStreamEvent) -> Void

    init(_ onEvent: @escaping (UVStream, borrowing UVStreamEvent) -> Void) { self.onEvent = onEvent }

    @inlinable
    @inline(__always)
    borrowing func call(_ stream: UVStream, _ event: borrowing UVStreamEvent) { onEvent(stream, event) }
}

/// A duplex stream of bytes (`uv_stream_t`).
///
/// **Reading**: `startReading` takes one closure for all that happens on the stream. **Writing**: fill a buffer of
/// the loop's pool (`UVLoop.makeBuffer`) and move it into `write`. **Order**: writes complete in the order of
/// their calls, each exactly once, and before the stream has closed.
///
/// Nothing is allocated for a message, and no lock is taken.
public class UVStream: UVHandle {
    /// The handle as a stream.
    @inlinable
    @inline(__always)
    final var stream: UnsafeMutablePointer<uv_stream_t> {
        // Every stream's structure begins with the fields of a uv_stream_t.
        unsafe UnsafeMutableRawPointer(raw).assumingMemoryBound(to: uv_stream_t.self)
    }

    /// How many bytes the context and the closure take, before the handle.
    static var roomBefore: Int { unsafe MemoryLayout<UnsafeRawPointer?>.stride + MemoryLayout<StreamCallbacks>.stride }

    /// Where the reference to the context is.
    private final var contextPlace: UnsafeMutablePointer<UnsafeMutableRawPointer?> {
        unsafe (UnsafeMutableRawPointer(raw) - UVStream.roomBefore).assumingMemoryBound(
            to: UnsafeMutableRawPointer?.self)
    }

    /// An object of the program's that belongs to the stream, for example what it knows of the connection; `nil` at
    /// first (libuv's `data`).
    ///
    /// A program that has only the stream, from `UVLoop.walk` or in a callback, finds its object here without a
    /// dictionary. The stream retains the object until it has closed: the object is still there at the event `closed`,
    /// and is released after it. Setting the context of a stream that has closed has no effect. Use on the loop's thread.
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

    /// Where the closure's place is.
    final var callbacks: UnsafeMutablePointer<StreamCallbacks> { unsafe Trampolines.callbacks(of: stream) }

    /// Whether a closure has been given.
    final var hasCallbacks: Bool { unsafe Trampolines.hasCallbacks(stream) }

    /// Whether the stream can be read: it is connected, and the peer has not ended (`uv_is_readable`).
    public final var isReadable: Bool {
        assertOnThread()
        return unsafe uv_is_readable(stream) != 0
    }

    /// Whether the stream can be written: it is connected, and not shut down (`uv_is_writable`).
    public final var isWritable: Bool {
        assertOnThread()
        return unsafe uv_is_writable(stream) != 0
    }

    /// How many bytes have come that are not read yet (`FIONREAD`); 0 where that cannot be told.
    public final var unreadByteCount: Int {
        assertOnThread()
        guard let descriptor = unsafe try? fileDescriptor(of: raw) else { return 0 }
        return max(0, Int(cuv_unread_byte_count(descriptor)))
    }

    /// Whether the event `written` is reported; off at first, since it costs a call for each write.
    ///
    /// Setting it before `startReading`, or on a stream that is closing, has no effect.
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

    /// Sets a bit beside the reference in the handle's `data`.
    final func setFlag(_ flag: UInt, _ isSet: Bool) {
        guard hasCallbacks, !isClosing else { return }
        let data = unsafe UInt(bitPattern: raw.pointee.data)
        unsafe raw.pointee.data = UnsafeMutableRawPointer(bitPattern: isSet ? data | flag : data & ~flag)
    }

    /// Takes the closure for all that happens on the stream, without reading yet (see `resumeReading`).
    final func attach(_ onEvent: @escaping (UVStream, borrowing UVStreamEvent) -> Void) throws(UVError) {
        try checkOpen("uv_read_start")
        if hasCallbacks { throw UVError(.alreadyInProgress, operation: "uv_read_start") }
        unsafe callbacks.initialize(to: StreamCallbacks(onEvent))
    }

    override func willClose() {
        // Writes that wait behind another one become libuv's, which completes them all in order.
        unsafe GatheredWrites.flush(stream, of: loop)
    }

    override func didClose() {
        if unsafe !loop.state.pointee.lent.isEmpty { unsafe loop.state.pointee.lent[stream] = nil }
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
    /// Begins to read; from now on the closure receives every event of the stream (`uv_read_start`).
    ///
    /// - Parameter onEvent: called on the loop's thread; kept until the stream has closed.
    /// - Throws: `alreadyInProgress` if the stream already has a closure (see `resumeReading`); `notConnected` if the
    ///   stream is not connected; `invalidArgument` if it is closing.
    public final func startReading(
        _ onEvent: @escaping (UVStream, borrowing UVStreamEvent) -> Void
    ) throws(UVError) {
        try checkOpen("uv_read_start")
        if hasCallbacks { throw UVError(.alreadyInProgress, operation: "uv_read_start") }
        try unsafe check(cuv_read_start(stream, Trampolines.onRead), "uv_read_start")
        unsafe callbacks.initialize(to: StreamCallbacks(onEvent))
    }

    /// Stops reading (`uv_read_stop`): no bytes and no end are reported until `resumeReading`.
    ///
    /// Idempotent.
    ///
    /// What the peer sends stays in the kernel, and in the end the peer has to wait.
    public final func stopReading() {
        assertOnThread()
        if !isClosing { unsafe uv_read_stop(stream) }
    }

    /// Reads on after `stopReading` (`uv_read_start`).
    ///
    /// - Throws: `alreadyInProgress` where the stream is reading; `invalidArgument` where `startReading` was
    ///   never called or the stream is closing.
    public final func resumeReading() throws(UVError) {
        try checkOpen("uv_read_start")
        guard hasCallbacks else { throw UVError(.invalidArgument, operation: "uv_read_start") }
        try unsafe check(cuv_read_start(stream, Trampolines.onRead), "uv_read_start")
    }

    /// Ends this side of the stream, once all that was written has been sent (`uv_shutdown`).
    ///
    /// The peer reads all of it and then the end. What the peer still sends can be read.
    ///
    /// - Parameter completion: called once: with success when the end has been sent, with `cancelled` where the
    ///   stream was closed before.
    /// - Throws: `notConnected` on a stream that is not connected, has been shut down before, or is closing.
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
