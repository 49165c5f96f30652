internal import CLibUV

/// Distinguishes the running task from other tasks that exist at the same time.
enum TaskIdentity {
    /// The identity of the calling task, or 0 if there is none.
    ///
    /// The value is only compared. `withUnsafeCurrentTask` would retain and release the task, which costs a hundred
    /// instructions for each read.
    static var current: UInt { cuv_current_task() }
}
