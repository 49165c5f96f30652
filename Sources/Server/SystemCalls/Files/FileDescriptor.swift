internal import Glibc

/// A descriptor with one owner, closed with its owner (`close`).
public struct FileDescriptor: ~Copyable, Sendable {
    /// The number, which only this value closes.
    @usableFromInline let number: Int32

    /// Takes ownership of a descriptor.
    init(owning number: Int32) { self.number = number }

    deinit { _ = close(number) }

    /// The number, for tables and logs.
    @inlinable public var rawValue: Int32 { number }

    /// Transfers ownership of the descriptor to the caller, who closes it.
    public consuming func release() -> Int32 {
        let number = self.number
        discard self
        return number
    }
}
