/// Distinguishes the running task from other tasks that exist at the same time.
enum TaskIdentity {
    /// The identity of the calling task, or 0 if there is none.
    static var current: UInt {
        unsafe withUnsafeCurrentTask { task in
            // The value is only compared. It only has to be different for each task.
            unsafe withUnsafeBytes(of: task) { bytes in
                bytes.count >= MemoryLayout<UInt>.size ? unsafe bytes.loadUnaligned(as: UInt.self) : 0
            }
        }
    }
}
