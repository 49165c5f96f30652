public import CLibUV

// @unchecked Sendable: `remote` is protected by its mutex. Everything else is used only on the loop's thread, which
// debug builds check, and is freed with the last reference to the loop.
/// An event loop, which waits for I/O, timers and signals, and calls closures (`uv_loop_t`).
///
/// **Threads.** A loop belongs to the thread that made it, until another thread calls `run` or `close`. Use its handles
/// only on the loop's thread. Debug builds trap if they are used on another thread. `execute`, `task`, `stop` and all
/// `async` functions may be called from any thread, and buffers may be used on any thread. Other members of the loop,
/// for example `now` and `walk`, may be used only on its thread. On another thread, they end the process with a
/// message, even in release builds.
///
/// **Lifetime.** Close a loop with `close()`, or use `UVLoop.with`, which closes it. Handles keep their loop alive, and
/// an open handle keeps itself alive. Therefore releasing references never causes a dangling pointer, but it can cause
/// a leak.
@safe
public final class UVLoop: @unchecked Sendable {
    @usableFromInline let cell: UnsafeMutablePointer<cuv_loop>
    @usableFromInline let pool: UnsafeMutablePointer<BufferPool>
    let state: UnsafeMutablePointer<LoopState>
    let wakeUp: UnsafeMutablePointer<uv_async_t>
    let remote: Locked<RemoteState>
    let parkingExecutor: ParkingExecutor
    @usableFromInline let parking: Parking

    /// Makes a loop that belongs to the calling thread (`uv_loop_init`).
    ///
    /// If one of the standard descriptors 0, 1 and 2 is closed, this initialiser opens the null device in its place.
    /// Otherwise libuv would abort the process when one of its own descriptors got such a number.
    ///
    /// - Throws: `UVError` with `notSupported` if libuv is older at run time than at compile time; otherwise the error
    ///   of `uv_loop_init`, for example if no descriptor is free for the loop's epoll instance.
    public init(configuration: Configuration = Configuration()) throws(UVError) {
        try UVVersion.check()
        try StandardDescriptors.open()
        try FirstLoop.checkDescriptors()
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
        FirstLoop.didInitialise()
        unsafe uv_unref(cuv_handle_of_async(wakeUp))
        unsafe cuv_jobs_initialize(cell)
    }

    deinit {
        // No handle object refers to this loop any more, so only the loop's own handles remain.
        if unsafe !state.pointee.isClosed { closeUnused() }
        unsafe cell.pointee.read_buffer.base.deallocate()
        // If the loop was never closed and a buffer still exists, the buffer refers to the pool. In that case, do not
        // free the pool.
        if unsafe pool.pointee.abandon() {
            unsafe pool.deinitialize(count: 1)
            unsafe pool.deallocate()
        }
        unsafe state.pointee.mainQueue?.deallocate()
        unsafe state.deinitialize(count: 1)
        unsafe cell.deallocate()
        unsafe state.deallocate()
        unsafe wakeUp.deallocate()
    }

    /// The libuv structure.
    var raw: UnsafeMutablePointer<uv_loop_t> {
        // The uv_loop_t is the first field of a cuv_loop, so the cast is valid.
        unsafe UnsafeMutableRawPointer(cell).assumingMemoryBound(to: uv_loop_t.self)
    }

    /// Calls `body` with a new loop, and closes the loop when `body` returns or throws.
    ///
    /// - Returns: the value that `body` returns.
    /// - Throws: the error that `body` throws, or the error if the loop cannot be made or closed.
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

    /// Traps in debug builds if the calling thread is not the loop's.
    @inlinable
    @inline(__always)
    func assertOnThread() {
        assert(unsafe cuv_is_on_thread(cell) != 0, "a loop is used off its thread; see UVLoop.execute")
    }

    /// Ends the process with a message if the calling thread is not the loop's, even in release builds.
    func checkThread(_ member: StaticString) {
        // Unlike `precondition`, this prints its message even in release builds.
        guard isOnThread else {
            fatalError("UVLoop.\(member) was used on a thread other than the loop's; see UVLoop.execute")
        }
    }
}

extension UVLoop {
    /// Whether the loop belongs to the calling thread.
    public var isOnThread: Bool { unsafe cuv_is_on_thread(cell) != 0 }

    /// Whether handles or requests are active or closing, so that `run` would not return (`uv_loop_alive`).
    public var isAlive: Bool {
        checkThread("isAlive")
        return unsafe !state.pointee.isClosed && uv_loop_alive(raw) != 0
    }

    /// The loop's time, which is the time at the beginning of the current iteration, in whole milliseconds (`uv_now`).
    ///
    /// It is an instant of the loop's clock. `UVClock.now` is the current time.
    public var now: UVClock.Instant {
        checkThread("now")
        return unsafe UVClock.Instant(offset: .milliseconds(uv_now(raw)))
    }

    /// Updates the loop's time to the current time (`uv_update_time`).
    ///
    /// A timer counts from the loop's time. Therefore call this function if you start a timer after a long computation.
    public func updateTime() {
        checkThread("updateTime")
        unsafe uv_update_time(raw)
    }

    /// The longest time for which the next iteration will wait for I/O, or `nil` if that wait has no timeout
    /// (`uv_backend_timeout`).
    public var waitingTime: Duration? {
        checkThread("waitingTime")
        let timeout = unsafe uv_backend_timeout(raw)
        return timeout < 0 ? nil : .milliseconds(timeout)
    }

    /// The descriptor of the loop's poller, for example an epoll instance (`uv_backend_fd`).
    ///
    /// A program can use it to embed the loop in another loop.
    public var backendDescriptor: Int32 {
        checkThread("backendDescriptor")
        return unsafe uv_backend_fd(raw)
    }

    /// Returns a buffer with room for at least `capacity` bytes, from the loop's pool.
    ///
    /// In steady state, the pool allocates no memory. Callable from any thread. On a thread to which the loop does not
    /// belong, the call takes a lock and allocates the buffer, which joins the pool when it is released.
    @inlinable
    @inline(__always)
    public func makeBuffer(capacity: Int) -> UVBuffer {
        guard unsafe cuv_is_on_thread(cell) != 0 else { return makeBufferElsewhere(capacity: capacity) }
        return unsafe UVBuffer(block: pool.pointee.take(capacity: capacity, pool: pool))
    }

    /// Blocks a signal while the loop waits for I/O (`uv_loop_configure` with `UV_LOOP_BLOCK_SIGNAL`).
    ///
    /// - Throws: `invalidArgument` for signals other than SIGPROF; `cancelled` if the loop is closing or closed.
    public func blockSignal(_ signal: Int32) throws(UVError) {
        checkThread("blockSignal")
        try checkOpen("uv_loop_configure")
        try unsafe check(cuv_loop_block_signal(raw, signal), "uv_loop_configure")
    }

    /// Starts to measure how long the loop waits for I/O (`uv_loop_configure` with `UV_METRICS_IDLE_TIME`).
    ///
    /// - Throws: `cancelled` if the loop is closing or closed.
    public func measureIdleTime() throws(UVError) {
        checkThread("measureIdleTime")
        try checkOpen("uv_loop_configure")
        try unsafe check(cuv_loop_measure_idle_time(raw), "uv_loop_configure")
    }

    /// The total time that the loop has waited for I/O since `measureIdleTime` (`uv_metrics_idle_time`).
    ///
    /// Callable from any thread. The time is zero if the loop is closing or closed.
    public var idleTime: Duration {
        // Lock the mutex, because `close` also locks it before it frees the memory in which libuv stores the idle time.
        remote.withLock { remote in
            remote.isClosed ? .zero : unsafe .nanoseconds(Int64(clamping: uv_metrics_idle_time(raw)))
        }
    }

    /// Calls `body` with each handle of the program that has not closed yet (`uv_walk`).
    ///
    /// Handles that are closing are included, and the internal handles of the loop are excluded.
    public func walk(_ body: (UVHandle) -> Void) {
        checkThread("walk")
        guard unsafe !state.pointee.isClosed else { return }
        var handles: [UVHandle] = []
        unsafe withUnsafeMutablePointer(to: &handles) { handles in
            let visit: uv_walk_cb = { raw, argument in
                guard let raw = unsafe raw, let handle = unsafe Trampolines.object(of: raw) else { return }
                // The argument points to the array, which exists until the walk has ended.
                unsafe argument?.assumingMemoryBound(to: [UVHandle].self).pointee.append(handle)
            }
            unsafe uv_walk(raw, visit, UnsafeMutableRawPointer(handles))
        }
        // The closure is called after the walk, because it may make and close handles.
        for handle in handles { body(handle) }
    }
}
