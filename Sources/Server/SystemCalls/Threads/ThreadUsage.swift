internal import Glibc

/// The calling thread's use of processors.
public struct ThreadUsage: Hashable, Sendable {
    /// The time that it has run, in nanoseconds.
    public var processorTime: UInt64
    /// The time that it has waited for a processor, in nanoseconds.
    public var runDelay: UInt64

    /// Reads the scheduler's counts (`/proc/thread-self/schedstat`), or `nil` if the kernel has none.
    ///
    /// The call does not allocate memory.
    public static func current() -> ThreadUsage? {
        let number = unsafe open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC)
        guard number >= 0 else { return nil }
        let file = FileDescriptor(owning: number)
        // `strtoull` stops at the first zero or other character that is not a digit.
        var text = InlineArray<64, CChar>(repeating: 0)
        var span = text.mutableSpan
        return unsafe span.withUnsafeMutableBufferPointer { text in
            guard let start = text.baseAddress, unsafe read(file.rawValue, start, 63) > 0 else { return nil }
            var end: UnsafeMutablePointer<CChar>?
            let processorTime = unsafe strtoull(start, &end, 10)
            let runDelay = unsafe end.map { unsafe strtoull($0, nil, 10) } ?? 0
            return ThreadUsage(processorTime: UInt64(processorTime), runDelay: UInt64(runDelay))
        }
    }
}
