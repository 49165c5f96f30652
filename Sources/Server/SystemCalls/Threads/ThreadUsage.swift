internal import Glibc

/// How long the calling thread has run, and how long it has waited for a processor.
public struct ThreadUsage: Hashable, Sendable {
    /// The time that the thread has run, in nanoseconds.
    public var processorTime: UInt64
    /// The time that the thread has waited for a processor, in nanoseconds.
    public var runDelay: UInt64

    /// Reads the scheduler's statistics for the calling thread, or returns `nil` if the kernel provides none.
    ///
    /// The function reads `/proc/thread-self/schedstat`. It does not allocate memory.
    public static func current() -> ThreadUsage? {
        let number = unsafe open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC)
        guard number >= 0 else { return nil }
        let file = FileDescriptor(owning: number)
        // `strtoull` stops at the first character that is not a digit, for example the zero byte at the end.
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
