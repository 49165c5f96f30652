internal import Glibc

/// A descriptor that a server keeps for the moment when there is no other.
public struct ReserveDescriptor: ~Copyable {
    private var descriptor: FileDescriptor?

    /// Takes a descriptor into reserve, where one can be had.
    public init() { descriptor = ReserveDescriptor.open() }

    /// Accepts the client that waits, with the descriptor in reserve, and closes it at once.
    ///
    /// Where the reserve is gone, another thread has taken its place: then this waits for a millisecond, since the
    /// client still waits, and whoever asks for it would be answered at once, again and again.
    ///
    /// - Returns: whether a client was turned away.
    public mutating func turnAway(from listener: borrowing ListeningSocket) -> Bool {
        descriptor = nil
        defer { descriptor = ReserveDescriptor.open() }
        guard let accepted = try? listener.accept(isNonBlocking: true) else { return false }
        switch consume accepted {
        case .connection: return true
        case .wouldBlock: return false
        case .noDescriptor:
            PosixThread.nap(.milliseconds(1))
            return false
        }
    }

    private static func open() -> FileDescriptor? {
        let number = unsafe Glibc.open("/dev/null", O_RDONLY | O_CLOEXEC)
        return number < 0 ? nil : FileDescriptor(owning: number)
    }
}
