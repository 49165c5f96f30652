public import CLibUV

// @unchecked Sendable: `remote` is guarded by its mutex; all else is used on the loop's thread, which debug
// builds check, and freed when nothing refers to the loop any more.
/// An event loop (`uv_loop_t`): it waits for I/O, timers and signals, and calls closures.
///
/// **Threads.** A loop belongs to one thread: the one that made it, until `run` is called on another one. All
/// that is bound to a loop (handles, buffers) may be used on that thread only; debug builds trap on a call from
/// elsewhere. Two things may be done from any thread: `execute`, and `stop`.
///
/// **Lifetime.** Close a loop with `close()`, or let `UVLoop.with` do it. Handles keep their loop alive, and an
/// open handle keeps itself alive: dropping references never leaves anything dangling, at worst a leak.
@safe
public final class UVLoop: @unchecked Sendable {
    @usableFromInline let cell: UnsafeMutablePointer<cuv_loop>
    @usableFromInline let pool: UnsafeMutablePointer<BufferPool>
    let state: UnsafeMutablePointer<LoopState>
    let wakeUp: UnsafeMutablePointer<uv_async_t>
    let remote: Locked<RemoteState>
    let parkingExecutor: ParkingExecutor
    let parking: Parking

    /// Makes a loop that belongs to the calling thread (`uv_loop_init`).
    ///
    /// - Throws: `UVError`, with `notSupported` where the libuv at run time is older than the one built with,
    ///   or the code of `uv_loop_init`, as when no descriptor is left for its epoll instance.
    public init(configuration: Configuration = Configuration()) throws(UVError) {
        try UVVersion.check()
        remote = try Locked(RemoteState())
        parkingExecutor = ParkingExecutor()
        parking = Parking(parkingExecutor)
        if configuration.ignoresSIGPIPE { BrokenPipeSignal.ignore() }
        let readBufferSize = max(1, min(configuration.readBufferSize, 1 << 30))
        unsafe cell = .allocate(capacity: 1)
        unsafe pool = .allocate(capacity: 1)
        unsafe state = .allocate(capacity: 1)
        unsafe wakeUp = .allocate(capacity: 1)
        unsafe state.initialize(to: LoopState())
        unsafe wakeUp.initialize(to: uv_async_t())
        let readBuffer = UnsafeMutablePointer<CChar>.allocate(capacity: readBufferSize)
        unsafe cuv_loop_initialize(
            cell, pool, uv_buf_init(readBuffer, UInt32(readBufferSize)), Trampolines.onLendOwn)
        unsafe pool.initialize(to: BufferPool(owner: Unmanaged.passUnretained(self), configuration: configuration))
        try start()
    }

    private func start() throws(UVError) {
        unsafe assert(
            MemoryLayout<uv_loop_t>.size == uv_loop_size() && MemoryLayout<uv_tcp_t>.size == uv_handle_size(UV_TCP),
            "the structures of libuv at run time have other sizes than in the header")
        let status = unsafe uv_loop_init(raw)
        guard status >= 0 else {
            unsafe state.pointee.isClosed = true
            throw UVError(code: status, operation: "uv_loop_init")
        }
        unsafe raw.pointee.data = unsafe Unmanaged.passUnretained(self).toOpaque()
        let asyncStatus = unsafe uv_async_init(raw, wakeUp, Trampolines.onWakeUp)
        guard asyncStatus >= 0 else {
            unsafe uv_loop_close(raw)
            unsafe state.pointee.isClosed = true
            throw UVError(code: asyncStatus, operation: "uv_async_init")
        }
        unsafe uv_unref(cuv_handle_of_async(wakeUp))
        unsafe cuv_jobs_initialize(cell)
    }

    deinit {
        // No handle object refers to this loop any more: what is left is the loop's own.
        if unsafe !state.pointee.isClosed { closeUnused() }
        unsafe cell.pointee.read_buffer.base.deallocate()
        // A buffer that outlives a loop that was never closed still refers to the pool: then its cell stays.
        if unsafe pool.pointee.abandon() {
            unsafe pool.deinitialize(count: 1)
            unsafe pool.deallocate()
        }
        unsafe state.deinitialize(count: 1)
        unsafe cell.deallocate()
        unsafe state.deallocate()
        unsafe wakeUp.deallocate()
    }

    /// The libuv structure.
    var raw: UnsafeMutablePointer<uv_loop_t> {
        // The uv_loop_t is the first field of a cuv_loop.
        unsafe UnsafeMutableRawPointer(cell).assumingMemoryBound(to: uv_loop_t.self)
    }

    /// Runs `body` with a new loop, and closes the loop on every way out.
    ///
    /// - Returns: what `body` returned.
    /// - Throws: what `body` threw, or why the loop cannot be made or closed.
    public static func with<Outcome>(
        configuration: Configuration = Configuration(), _ body: (UVLoop) throws(UVError) -> Outcome
    ) throws(UVError) -> Outcome {
        let loop = try UVLoop(configuration: configuration)
        let outcome: Outcome
        do { outcome = try body(loop) } catch {
            _ = try? loop.close()
            throw error
        }
        try loop.close()
        return outcome
    }

    /// Traps in debug builds where the calling thread is not the loop's.
    @inlinable
    @inline(__always)
    func assertOnThread() {
        assert(unsafe cuv_is_on_thread(cell) != 0, "a loop is used off its thread; see UVLoop.execute")
    }
}

extension UVLoop {
    /// Whether the calling thread is the one that the loop belongs to.
    public var isOnThread: Bool { unsafe cuv_is_on_thread(cell) != 0 }

    /// Whether anything is active or closing, so that `run` has something to wait for (`uv_loop_alive`).
    public var isAlive: Bool {
        assertOnThread()
        return unsafe !state.pointee.isClosed && uv_loop_alive(raw) != 0
    }

    /// The loop's time: a monotonic instant, cached at the beginning of each round (`uv_now`).
    public var now: Duration {
        assertOnThread()
        return unsafe .milliseconds(uv_now(raw))
    }

    /// Refreshes the loop's time (`uv_update_time`).
    ///
    /// A timer counts from the cached time: call this before starting one after a long computation.
    public func updateTime() {
        assertOnThread()
        unsafe uv_update_time(raw)
    }

    /// How long the next round of I/O may wait; `nil` means until something happens (`uv_backend_timeout`).
    public var waitingTime: Duration? {
        assertOnThread()
        let timeout = unsafe uv_backend_timeout(raw)
        return timeout < 0 ? nil : .milliseconds(timeout)
    }

    /// The descriptor of the loop's epoll instance or the like, for embedding in another loop (`uv_backend_fd`).
    public var backendDescriptor: Int32 {
        assertOnThread()
        return unsafe uv_backend_fd(raw)
    }

    /// Where the loop's write buffers are.
    public var ledger: UVBufferLedger {
        assertOnThread()
        return unsafe pool.pointee.ledger
    }

    /// The bytes that all streams of this loop have read and written so far.
    public var byteCounts: (read: UInt64, written: UInt64) {
        assertOnThread()
        return unsafe (cell.pointee.bytes_read, cell.pointee.bytes_written)
    }

    /// A buffer with room for at least `capacity` bytes, from the loop's pool; nothing is allocated in steady state.
    @inlinable
    @inline(__always)
    public func makeBuffer(capacity: Int) -> UVWriteBuffer {
        assertOnThread()
        return unsafe UVWriteBuffer(block: pool.pointee.take(capacity: capacity, pool: pool))
    }

    /// Blocks a signal while the loop waits for I/O (`uv_loop_configure`, `UV_LOOP_BLOCK_SIGNAL`).
    ///
    /// - Throws: `invalidArgument` for any signal but SIGPROF, `cancelled` on a loop that is closing or closed.
    public func blockSignal(_ signal: Int32) throws(UVError) {
        assertOnThread()
        try checkOpen("uv_loop_configure")
        try unsafe check(cuv_loop_block_signal(raw, signal), "uv_loop_configure")
    }

    /// Begins to measure the time that the loop waits (`uv_loop_configure`, `UV_METRICS_IDLE_TIME`).
    ///
    /// - Throws: `cancelled` on a loop that is closing or closed.
    public func measureIdleTime() throws(UVError) {
        assertOnThread()
        try checkOpen("uv_loop_configure")
        try unsafe check(cuv_loop_measure_idle_time(raw), "uv_loop_configure")
    }

    /// How long the loop has waited since `measureIdleTime`, callable from any thread (`uv_metrics_idle_time`).
    ///
    /// Zero on a loop that is closing or closed.
    public var idleTime: Duration {
        // Under the mutex, which `close` takes before it frees what libuv counts in.
        remote.withLock { remote in
            remote.isClosed ? .zero : unsafe .nanoseconds(Int64(clamping: uv_metrics_idle_time(raw)))
        }
    }

    /// Calls `body` with each open handle of the program's own (`uv_walk`); handles that are closing are among them.
    public func walk(_ body: (UVHandle) -> Void) {
        assertOnThread()
        guard unsafe !state.pointee.isClosed else { return }
        var handles: [UVHandle] = []
        unsafe withUnsafeMutablePointer(to: &handles) { handles in
            let visit: uv_walk_cb = { raw, argument in
                guard let raw = unsafe raw, let handle = unsafe Trampolines.object(of: raw) else { return }
                // The argument is the pointer to the array, which outlives the walk.
                unsafe argument?.assumingMemoryBound(to: [UVHandle].self).pointee.append(handle)
            }
            unsafe uv_walk(raw, visit, UnsafeMutableRawPointer(handles))
        }
        // The closure is called after the walk, and may make and close handles.
        for handle in handles { body(handle) }
    }
}
