internal import CLibUV

extension UVLoop {
    /// Runs `body` on a thread of libuv's pool, and passes its result to `completion` on the loop (`uv_queue_work`).
    ///
    /// The whole process shares the pool, which has four threads. The environment variable `UV_THREADPOOL_SIZE` sets
    /// another number; libuv reads the variable when the pool is first used. All loops use the pool for work, for name
    /// resolution and for random bytes, so work that blocks for a long time delays all other requests.
    ///
    /// - Parameters:
    ///   - body: the work. It does not run on the loop's thread, so it must not use objects of the loop.
    ///   - completion: called once on the loop's thread, with the value that `body` returns or the error that it
    ///     throws, or with a `UVError` whose code is `cancelled` if the work was cancelled before a thread began it.
    /// - Returns: the request, which the program can cancel.
    /// - Throws: `cancelled` if the loop is closing or closed. If the call throws, `completion` is not called.
    @discardableResult
    public func work<Outcome>(
        _ body: sending @escaping () throws -> sending Outcome,
        completion: @escaping (Result<Outcome, any Error>) -> Void
    ) throws(UVError) -> UVRequest {
        let item = WorkItem(body)
        return try submit(item) { status in completion(item.takeResult(status)) }
    }

    /// Passes work to the pool.
    ///
    /// `completion` is called once on the loop's thread, with libuv's status.
    func submit<Outcome>(
        _ item: WorkItem<Outcome>, completion: @escaping (Int32) -> Void
    ) throws(UVError) -> UVRequest {
        try unsafe UVRequest.submit(uv_work_t.self, on: self, "uv_queue_work", work: item.perform) { loop, raw in
            unsafe uv_queue_work(loop, raw, Trampolines.onWork, Trampolines.onWorkDone)
        } completion: { _, status in
            completion(status)
        }
    }
}
