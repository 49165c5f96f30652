internal import Glibc

/// A descriptor with one owner, closed when the owner goes (`close`).
public struct FileDescriptor: ~Copyable, Sendable {
    /// The number, which stays this value's: whoever gets it must not close it.
    @usableFromInline let number: Int32

    /// Takes over a descriptor.
    init(owning number: Int32) { self.number = number }

    deinit { _ = close(number) }

    /// The number as a token, for tables and logs.
    @inlinable public var rawValue: Int32 { number }

    /// Gives the descriptor up to the caller, who closes it.
    public consuming func release() -> Int32 {
        let number = self.number
        discard self
        return number
    }
}
