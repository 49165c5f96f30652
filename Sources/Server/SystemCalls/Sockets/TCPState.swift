internal import CLinux

/// What the kernel knows of a TCP connection (`TCP_INFO`).
///
/// A server learns of a client's silence from it, and keeps neither times nor counts of its own for each connection.
public struct TCPState: Hashable, Sendable {
    /// How long ago the last bytes came from the peer, or the connection was made.
    public var sinceReceived: Duration

    /// How long ago the last bytes were sent, or the connection was made.
    public var sinceSent: Duration

    /// How many bytes have come from the peer so far, read or not.
    public var receivedByteCount: UInt64

    /// How many bytes the peer's kernel has taken so far.
    public var acknowledgedByteCount: UInt64

    /// Whether bytes have been given to the kernel that the peer's has not taken.
    public var hasUnacknowledged: Bool

    /// Whether the peer has ended its side, or both have.
    public var peerHasEnded: Bool

    /// Makes a state from its parts.
    public init(
        sinceReceived: Duration, sinceSent: Duration, receivedByteCount: UInt64 = 0,
        acknowledgedByteCount: UInt64 = 0, hasUnacknowledged: Bool = false, peerHasEnded: Bool = false
    ) {
        self.sinceReceived = sinceReceived
        self.sinceSent = sinceSent
        self.receivedByteCount = receivedByteCount
        self.acknowledgedByteCount = acknowledgedByteCount
        self.hasUnacknowledged = hasUnacknowledged
        self.peerHasEnded = peerHasEnded
    }

    /// Asks the kernel (`getsockopt`).
    ///
    /// - Returns: `nil` for what is no TCP socket, and where the kernel is too old to tell (before 4.6).
    public init?(of descriptor: Int32) {
        var info = clinux_tcp_info()
        let length = unsafe clinux_get_tcp_info(descriptor, &info)
        guard length >= MemoryLayout<clinux_tcp_info>.size else { return nil }
        self.init(
            sinceReceived: .milliseconds(info.last_data_recv), sinceSent: .milliseconds(info.last_data_sent),
            receivedByteCount: info.bytes_received, acknowledgedByteCount: info.bytes_acked,
            hasUnacknowledged: info.unacked > 0 || info.notsent_bytes > 0,
            peerHasEnded: TCPState.endedStates.contains(info.state))
    }

    /// `TCP_CLOSE`, `TCP_CLOSE_WAIT`, `TCP_LAST_ACK`, `TCP_CLOSING`, `TCP_TIME_WAIT`.
    private static let endedStates: Set<UInt8> = [6, 7, 8, 9, 11]
}
