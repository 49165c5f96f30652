internal import Glibc

/// A descriptor kept in reserve for rejecting a pending connection when the process has no free descriptor.
///
/// The target LibUV has a similar type, because SocketAddresses is the only target of this package on which LibUV may
/// depend.
public struct ReserveDescriptor: ~Copyable, Sendable {
    private var descriptor: FileDescriptor?

    /// Opens the reserve if a descriptor is free.
    public init() { descriptor = ReserveDescriptor.open() }

    /// Rejects a pending connection: closes the reserve, accepts the connection and closes it.
    ///
    /// Another thread may use the freed descriptor first. In that case, the connection stays pending.
    ///
    /// - Returns: whether a connection was rejected.
    public mutating func rejectConnection(from listener: borrowing ListeningSocket) -> Bool {
        descriptor = nil
        defer { descriptor = ReserveDescriptor.open() }
        guard case .connection? = try? listener.accept(isNonBlocking: true) else { return false }
        return true
    }

    /// Opens the reserve again if it could not be opened before and a descriptor is free now.
    mutating func refill() { if descriptor == nil { descriptor = ReserveDescriptor.open() } }

    private static func open() -> FileDescriptor? {
        let number = unsafe Glibc.open("/dev/null", O_RDONLY | O_CLOEXEC)
        return number < 0 ? nil : FileDescriptor(owning: number)
    }
}
