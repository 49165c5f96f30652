internal import Glibc

/// A descriptor kept in reserve, to reject a pending connection when the process has no other descriptor.
///
/// LibUV has a reserve of its own, since the LibUV product links libuv and no other target but SocketAddresses.
public struct ReserveDescriptor: ~Copyable {
    private var descriptor: FileDescriptor?

    /// Opens the reserve, if a descriptor is free.
    public init() { descriptor = ReserveDescriptor.open() }

    /// Rejects a pending connection: closes the reserve, accepts the connection and closes it.
    ///
    /// If another thread has used the free descriptor first, the connection stays pending and a poller would report it
    /// again immediately. This call then sleeps for a millisecond.
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
