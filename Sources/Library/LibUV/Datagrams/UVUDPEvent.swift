public import SocketAddresses

/// What happens on a datagram socket, in the order in which it happens.
///
/// The event cannot outlive the call that it is given to, nor can the bytes that it lends.
public enum UVUDPEvent: ~Escapable {
    /// A datagram has arrived; one without a byte is a datagram too.
    ///
    /// The bytes lie in memory of the loop, lent for the length of the call. A truncated datagram was longer than
    /// the loop's read buffer, and the rest of it is lost.
    case datagram(Span<UInt8>, sender: SocketAddress, isTruncated: Bool)

    /// A receipt, or a send without a completion of its own, has failed. The socket goes on receiving.
    ///
    /// On a connected socket `connectionRefused` tells that an earlier datagram found nobody at the peer's port.
    case failed(UVError)

    /// The socket has closed. It is the last event.
    case closed
}
