/// Tells the running task from others that live at the same time.
enum TaskIdentity {
    /// The identity of the task that calls; 0 where there is none.
    static var current: UInt {
        unsafe withUnsafeCurrentTask { task in
            // The value is compared and never used: all that matters is that it differs from task to task.
            unsafe withUnsafeBytes(of: task) { bytes in
                bytes.count >= MemoryLayout<UInt>.size ? unsafe bytes.loadUnaligned(as: UInt.self) : 0
            }
        }
    }
}
