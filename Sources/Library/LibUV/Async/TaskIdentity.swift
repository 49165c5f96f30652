internal import CLibUV

/// Distinguishes the running task from other tasks that exist at the same time.
enum TaskIdentity {
    /// The identity of the calling task, or 0 if there is none.
    ///
    /// The value is only compared. `withUnsafeCurrentTask` is not used, because it would retain and release the task,
    /// which costs a hundred instructions for each read.
    static var current: UInt { cuv_current_task() }

    /// Returns whether the calling task, which has this identity, is cancelled.
    static func isCancelled(_ current: UInt) -> Bool { cuv_is_cancelled(current) != 0 }
}
