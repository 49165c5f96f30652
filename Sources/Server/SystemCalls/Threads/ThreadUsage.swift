internal import Glibc

/// The calling thread's use of processors.
public struct ThreadUsage: Hashable, Sendable {
    /// The time that it has run, in nanoseconds.
    public var processorTime: UInt64
    /// The time that it has waited for a processor, in nanoseconds.
    public var runDelay: UInt64

    /// Makes a value from its parts.
    public init(processorTime: UInt64, runDelay: UInt64) {
        self.processorTime = processorTime
        self.runDelay = runDelay
    }

    /// Reads the scheduler's counts (`/proc/thread-self/schedstat`), or `nil` if the kernel has none.
    ///
    /// The call does not allocate memory.
    public static func current() -> ThreadUsage? {
        let number = unsafe open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC)
        guard number >= 0 else { return nil }
        let file = FileDescriptor(owning: number)
        var text = InlineArray<64, UInt8>(repeating: 0)
        var span = text.mutableSpan
        let count = unsafe span.withUnsafeMutableBufferPointer { unsafe read(file.rawValue, $0.baseAddress, $0.count) }
        var numbers: (UInt64, UInt64) = (0, 0)
        var field = 0
        for index in 0..<max(0, min(count, 64)) {
            let byte = text[index]
            guard (0x30...0x39).contains(byte) else {
                field += 1
                continue
            }
            if field == 0 { numbers.0 = numbers.0 &* 10 &+ UInt64(byte - 0x30) }
            if field == 1 { numbers.1 = numbers.1 &* 10 &+ UInt64(byte - 0x30) }
        }
        return field >= 2 ? ThreadUsage(processorTime: numbers.0, runDelay: numbers.1) : nil
    }
}
