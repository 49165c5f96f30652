internal import Glibc

/// A descriptor kept in reserve for rejecting a pending connection when the process has no free descriptor.
///
/// The target LibUV has its own reserve, because LibUV may depend on no target of this package except SocketAddresses.
public struct ReserveDescriptor: ~Copyable {
    private var descriptor: FileDescriptor?

    /// Opens the reserve if a descriptor is free.
    public init() { descriptor = ReserveDescriptor.open() }

    /// Rejects a pending connection: closes the reserve, accepts the connection and closes it.
    ///
    /// Another thread may use the freed descriptor first. The connection then stays pending, and this call sleeps for a
    /// millisecond, because a poller would report the connection again immediately.
    ///
    /// - Returns: whether a connection was rejected.
    public mutating func rejectConnection(from listener: borrowing ListeningSocket) -> Bool {
        descriptor = nil
        defer { descriptor = ReserveDescriptor.open() }
        guard let accepted = try? listener.accept(isNonBlocking: true) else { return false }
        switch consume accepted {
        case .connection: return true
        case .wouldBlock: return false
        case .noDescriptor:
            PosixThread.sleep(.milliseconds(1))
            return false
        }
    }

    private static func open() -> FileDescriptor? {
        let number = unsafe Glibc.open("/dev/null", O_RDONLY | O_CLOEXEC)
        return number < 0 ? nil : FileDescriptor(owning: number)
    }
}
