public import SocketAddresses

extension UVConnection {
    /// The local address (`uv_tcp_getsockname`).
    ///
    /// Use it on the loop's thread.
    ///
    /// - Throws: `notSupported` if the connection does not use TCP; `cancelled` if it is closed.
    public var localAddress: SocketAddress {
        get throws(UVError) { try tcpStream("uv_tcp_getsockname").localAddress }
    }

    /// The peer's address (`uv_tcp_getpeername`).
    ///
    /// Use it on the loop's thread.
    ///
    /// - Throws: `notSupported` if the connection does not use TCP; `notConnected` if the peer has reset the
    ///   connection; `cancelled` if it is closed.
    public var remoteAddress: SocketAddress {
        get throws(UVError) { try tcpStream("uv_tcp_getpeername").remoteAddress }
    }

    /// Sets whether the kernel sends small segments immediately, instead of waiting to merge them (`uv_tcp_nodelay`).
    ///
    /// Use it on the loop's thread.
    ///
    /// - Throws: `notSupported` if the connection does not use TCP; `cancelled` if it is closed.
    public func setNoDelay(_ isEnabled: Bool) throws(UVError) {
        try tcpStream("uv_tcp_nodelay").setNoDelay(isEnabled)
    }

    /// Returns the stream of an open TCP connection.
    private func tcpStream(_ operation: String) throws(UVError) -> UVTCPStream {
        loop.checkIsolated()
        guard let stream = stream as? UVTCPStream else { throw UVError(.notSupported, operation: operation) }
        if isClosing { throw UVConnection.closedError }
        return stream
    }
}
