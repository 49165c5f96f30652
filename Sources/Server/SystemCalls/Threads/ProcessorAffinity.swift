internal import CLinux

/// The processors that a thread may run on.
public enum ProcessorAffinity {
    /// The largest number of processors that the functions of this type support.
    private static let limit = 1024

    /// The processors that the calling thread may run on, in ascending order (`sched_getaffinity`).
    public static func current() throws(SystemCallError) -> [Int] {
        var words = InlineArray<16, UInt>(repeating: 0)
        var span = words.mutableSpan
        let result = unsafe span.withUnsafeMutableBufferPointer { unsafe clinux_get_affinity(0, $0.baseAddress, 16) }
        if result < 0 { throw SystemCallError(code: Int32(clamping: -result), call: "sched_getaffinity") }
        return (0..<limit).filter { words[$0 / UInt.bitWidth] >> UInt($0 % UInt.bitWidth) & 1 == 1 }
    }

    /// Restricts a thread to one processor (`sched_setaffinity`).
    ///
    /// Threads that the restricted thread starts later inherit the restriction.
    ///
    /// - Parameters:
    ///   - processor: the processor's number.
    ///   - thread: the thread's identifier, or 0 for the calling thread. The first thread of a process has the
    ///     process's identifier.
    /// - Throws: `EINVAL` if the processor does not exist or is not allowed.
    public static func pin(to processor: Int, thread: Int32 = 0) throws(SystemCallError) {
        try allow([processor], thread: thread)
    }

    /// Restricts a thread to a set of processors.
    ///
    /// The parameter `thread` and the errors are the same as those of `pin`.
    public static func allow(_ processors: [Int], thread: Int32 = 0) throws(SystemCallError) {
        var words = InlineArray<16, UInt>(repeating: 0)
        for processor in processors {
            guard (0..<limit).contains(processor) else { throw SystemCallError(code: 22, call: "sched_setaffinity") }
            words[processor / UInt.bitWidth] |= 1 << UInt(processor % UInt.bitWidth)
        }
        let result = unsafe words.span.withUnsafeBufferPointer {
            unsafe clinux_set_affinity(thread, $0.baseAddress, 16)
        }
        if result < 0 { throw SystemCallError(code: Int32(clamping: -result), call: "sched_setaffinity") }
    }
}
