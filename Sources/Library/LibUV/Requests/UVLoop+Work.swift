internal import CLibUV

extension UVLoop {
    /// Does work on a thread of libuv's pool, and completes with its result on the loop (`uv_queue_work`).
    ///
    /// The pool belongs to the whole process: four threads, or as many as the environment's `UV_THREADPOOL_SIZE`
    /// says when the pool is used first. All loops' work, name resolution and random bytes share it: work that
    /// waits for long makes the others wait.
    ///
    /// - Parameters:
    ///   - body: the work. It runs off the loop, and must not touch what is bound to the loop.
    ///   - completion: called once on the loop's thread: with what `body` returned or threw, or with `UVError`'s
    ///     `cancelled` where the work was cancelled before a thread began it.
    /// - Returns: the request, to cancel it.
    /// - Throws: `cancelled` on a loop that is closing or closed; `completion` is not called then.
    @discardableResult
    public func work<Outcome>(
        _ body: sending @escaping () throws -> sending Outcome,
        completion: @escaping (Result<Outcome, any Error>) -> Void
    ) throws(UVError) -> UVRequest {
        let item = WorkItem(body)
        return try submit(item) { status in completion(item.takeResult(status)) }
    }

    /// Gives work to the pool; `completion` is called once on the loop's thread, with libuv's status.
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
