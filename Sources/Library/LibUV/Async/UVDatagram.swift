public import SocketAddresses

/// A datagram that was received, in a buffer of the loop's pool.
@frozen
public struct UVDatagram: ~Copyable {
    /// What it consists of; the buffer is the datagram's owner's, and can be sent as it is.
    public var buffer: UVWriteBuffer

    /// Who sent it.
    public let sender: SocketAddress

    /// Whether it was longer than the loop's read buffer, so that the rest of it is lost.
    public let isTruncated: Bool

    init(_ buffer: consuming UVWriteBuffer, from sender: SocketAddress, isTruncated: Bool) {
        self.buffer = buffer
        self.sender = sender
        self.isTruncated = isTruncated
    }
}
