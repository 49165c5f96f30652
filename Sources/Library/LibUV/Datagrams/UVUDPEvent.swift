public import SocketAddresses

/// An event of a datagram socket.
///
/// Events are reported in the order in which they occur.
///
/// The event and the bytes that it lends are valid only until the closure returns, which the compiler checks.
public enum UVUDPEvent: ~Escapable {
    /// A datagram, which may be empty, has arrived.
    ///
    /// The bytes are in the loop's memory, and are valid until the closure returns. A truncated datagram was longer
    /// than the loop's read buffer, and its remaining bytes are lost.
    case datagram(Span<UInt8>, sender: SocketAddress, isTruncated: Bool)

    /// Receiving has failed, or a send without a completion has failed. The socket continues to receive.
    ///
    /// On a connected socket, `connectionRefused` means that no socket was bound to the peer's port when an earlier
    /// datagram arrived there.
    case failed(UVError)

    /// The socket has closed. This is the socket's last event.
    case closed
}
