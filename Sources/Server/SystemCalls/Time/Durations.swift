internal import Glibc

extension Duration {
    /// The duration in nanoseconds, rounded down and clamped to the range of `UInt64`.
    public var nanoseconds: UInt64 { UInt64(clamping: attoseconds / 1_000_000_000) }

    /// The duration as text for readers, for example `500 ms` or `2.5 s`.
    public var text: String {
        let milliseconds = Int(self / .milliseconds(1))
        if milliseconds < 1000 { return "\(milliseconds) ms" }
        if milliseconds % 1000 == 0 { return "\(milliseconds / 1000) s" }
        return "\(milliseconds / 1000).\(milliseconds % 1000 / 100) s"
    }

    /// The duration in milliseconds, rounded up, for the timeout of `poll`.
    @usableFromInline var pollMilliseconds: Int32 {
        Int32(clamping: nanoseconds / 1_000_000 + (nanoseconds % 1_000_000 > 0 ? 1 : 0))
    }
}

extension timespec {
    init(_ duration: Duration) {
        let nanoseconds = duration.nanoseconds
        self.init(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
    }
}

extension timeval {
    init(_ duration: Duration) {
        let microseconds = duration.nanoseconds / 1000
        self.init(tv_sec: Int(microseconds / 1_000_000), tv_usec: Int(microseconds % 1_000_000))
    }
}
