internal import CLibUV

/// The threads of libuv's pool, which the first request of the process starts.
///
/// libuv aborts the process if it cannot start one of these threads.
enum ThreadPool {
    private static let isStarted = Result { () throws(UVError) in try Locked(false) }

    /// Throws an error if the process cannot start as many threads as the pool has.
    ///
    /// Once a call has succeeded, later calls check nothing.
    ///
    /// - Throws: the error if a thread cannot be started, for example `wouldBlock`.
    static func check(_ operation: @autoclosure () -> String) throws(UVError) {
        let isStarted = try isStarted.get()
        if isStarted.withLock({ $0 }) { return }
        let status = start(threadCount)
        if status < 0 { throw UVError(code: status, operation: operation(), detail: "libuv's pool needs threads") }
        isStarted.withLock { $0 = true }
    }

    /// The number of threads in the pool, determined in the same way as in libuv.
    private static var threadCount: Int {
        guard let text = unsafe getenv("UV_THREADPOOL_SIZE") else { return 4 }
        return unsafe min(max(1, Int(atoi(text))), 1024)
    }

    /// Starts `count` threads, keeps all of them running until the last one has started, and then ends them.
    private static func start(_ count: Int) -> Int32 {
        let mayEnd = UnsafeMutablePointer<uv_sem_t>.allocate(capacity: 1)
        defer { unsafe mayEnd.deallocate() }
        unsafe mayEnd.initialize(to: uv_sem_t())
        var status = unsafe uv_sem_init(mayEnd, 0)
        if status < 0 { return status }
        // Newer versions of libuv request this stack size for the threads of the pool.
        var options = uv_thread_options_t()
        options.flags = UInt32(UV_THREAD_HAS_STACK_SIZE.rawValue)
        options.stack_size = 8 << 20
        var threads: [uv_thread_t] = []
        while threads.count < count, status == 0 {
            var thread = uv_thread_t()
            status = unsafe uv_thread_create_ex(
                &thread, &options,
                { argument in
                    guard let argument = unsafe argument else { return }
                    unsafe uv_sem_wait(argument.assumingMemoryBound(to: uv_sem_t.self))
                }, mayEnd)
            if status == 0 { threads.append(thread) }
        }
        for _ in threads { unsafe uv_sem_post(mayEnd) }
        for thread in threads {
            var thread = thread
            unsafe uv_thread_join(&thread)
        }
        unsafe uv_sem_destroy(mayEnd)
        return status
    }
}
