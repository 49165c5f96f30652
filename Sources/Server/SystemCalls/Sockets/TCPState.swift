internal import CLinux

/// The state that the kernel reports for a TCP connection (`TCP_INFO`).
///
/// A server that reads this state in its sweeps does not need to keep timestamps and counters for each connection.
public struct TCPState: Hashable, Sendable {
    /// The time since bytes last arrived from the peer, or since the connection was established.
    public var sinceReceived: Duration

    /// The time since bytes were last sent, or since the connection was established.
    public var sinceSent: Duration

    /// The time since the peer's last acknowledgement arrived.
    public var sinceAcknowledged = Duration.zero

    /// The number of bytes received from the peer, whether or not they have been read.
    public var receivedByteCount: UInt64 = 0

    /// The number of bytes that the peer's kernel has acknowledged.
    ///
    /// The SYN of the handshake counts as one byte.
    public var acknowledgedByteCount: UInt64 = 0

    /// Whether some sent bytes are still unacknowledged.
    public var hasUnacknowledged = false

    /// Whether the peer has sent FIN, or the connection is closed.
    public var peerHasShutDown = false

    /// Whether the peer has acknowledged this side's FIN and all bytes before it, or the connection is closed.
    public var finIsAcknowledged = false
}

extension TCPState {
    /// Reads the state from the kernel (`getsockopt`).
    ///
    /// Returns `nil` if the descriptor is not a TCP socket, or if the kernel is older than 4.6.
    public init?(of descriptor: Int32) {
        var info = clinux_tcp_info()
        let length = unsafe clinux_get_tcp_info(descriptor, &info)
        guard length >= MemoryLayout<clinux_tcp_info>.size else { return nil }
        self.init(
            sinceReceived: .milliseconds(info.last_data_recv), sinceSent: .milliseconds(info.last_data_sent),
            sinceAcknowledged: .milliseconds(info.last_ack_recv), receivedByteCount: info.bytes_received,
            acknowledgedByteCount: info.bytes_acked, hasUnacknowledged: info.unacked > 0 || info.notsent_bytes > 0,
            peerHasShutDown: TCPState.statesAfterPeersFin.contains(info.state),
            finIsAcknowledged: TCPState.statesAfterOwnFin.contains(info.state))
    }

    /// The states `TCP_TIME_WAIT`, `TCP_CLOSE`, `TCP_CLOSE_WAIT`, `TCP_LAST_ACK` and `TCP_CLOSING`.
    private static let statesAfterPeersFin: Set<UInt8> = [6, 7, 8, 9, 11]

    /// The states `TCP_FIN_WAIT2`, `TCP_TIME_WAIT` and `TCP_CLOSE`.
    private static let statesAfterOwnFin: Set<UInt8> = [5, 6, 7]
}
