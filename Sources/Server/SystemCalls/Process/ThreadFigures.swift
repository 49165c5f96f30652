internal import Glibc

/// What the scheduler knows of the calling thread.
public struct ThreadFigures: Hashable, Sendable {
    /// How long it has run, in nanoseconds.
    public var processorTime: UInt64
    /// How long it was ready to run and waited for a processor, in nanoseconds.
    public var runDelay: UInt64

    /// Makes figures.
    public init(processorTime: UInt64, runDelay: UInt64) {
        self.processorTime = processorTime
        self.runDelay = runDelay
    }

    /// The figures as they are now (`/proc/thread-self/schedstat`); `nil` where the system tells none.
    ///
    /// Nothing is allocated.
    public static func current() -> ThreadFigures? {
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
        return field >= 2 ? ThreadFigures(processorTime: numbers.0, runDelay: numbers.1) : nil
    }
}
