public import SocketAddresses

/// A received datagram, in a buffer from the loop's pool.
@frozen
public struct UVDatagram: ~Copyable, Sendable {
    /// The bytes of the datagram, in a buffer that can be sent without copying.
    public var buffer: UVBuffer

    /// The address of the sender.
    public let sender: SocketAddress

    /// Whether the datagram was longer than the loop's read buffer, in which case its remaining bytes are lost.
    public let isTruncated: Bool

    init(_ buffer: consuming UVBuffer, from sender: SocketAddress, isTruncated: Bool) {
        self.buffer = buffer
        self.sender = sender
        self.isTruncated = isTruncated
    }
}
