public import SocketAddresses

/// A listening socket that several owners use; it is closed when its last reference is released.
public final class SharedListener: Sendable {
    /// The socket.
    public let socket: ListeningSocket

    /// Takes ownership of an inherited socket, or binds a new socket to an address.
    ///
    /// - Parameters:
    ///   - inherited: the descriptor of the inherited socket, or `nil` to bind a new socket.
    ///   - address: the address of a new socket.
    ///   - backlog: the length of the kernel's queue of pending connections.
    ///   - isNonBlocking: whether a new socket is non-blocking.
    /// - Throws: the error of the system call that failed.
    public init(
        inheriting inherited: Int32?, orAt address: SocketAddress, backlog: Int, isNonBlocking: Bool
    ) throws(SystemCallError) {
        socket =
            if let inherited { try ListeningSocket(inheriting: inherited, backlog: backlog) } else {
                try ListeningSocket(address: address, backlog: backlog, isNonBlocking: isNonBlocking)
            }
    }
}
