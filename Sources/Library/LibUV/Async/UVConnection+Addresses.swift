public import SocketAddresses

extension UVConnection {
    /// The local address (`uv_tcp_getsockname`).
    ///
    /// Callable on any executor.
    ///
    /// - Throws: `notSupported` if the connection does not use TCP; `cancelled` if it is closed.
    public nonisolated(nonsending) var localAddress: SocketAddress {
        get async throws(UVError) {
            try await onTCPStream("uv_tcp_getsockname") { stream throws(UVError) in try stream.localAddress }
        }
    }

    /// The peer's address (`uv_tcp_getpeername`).
    ///
    /// Callable on any executor.
    ///
    /// - Throws: `notSupported` if the connection does not use TCP; `notConnected` if the peer has reset the
    ///   connection; `cancelled` if it is closed.
    public nonisolated(nonsending) var remoteAddress: SocketAddress {
        get async throws(UVError) {
            try await onTCPStream("uv_tcp_getpeername") { stream throws(UVError) in try stream.remoteAddress }
        }
    }

    /// Sets whether the kernel sends small segments immediately, instead of waiting to merge them (`uv_tcp_nodelay`).
    ///
    /// Callable on any executor.
    ///
    /// - Throws: `notSupported` if the connection does not use TCP; `cancelled` if it is closed.
    public nonisolated(nonsending) func setNoDelay(_ isEnabled: Bool) async throws(UVError) {
        try await onTCPStream("uv_tcp_nodelay") { stream throws(UVError) in try stream.setNoDelay(isEnabled) }
    }

    /// Calls `body` on the loop with the stream of an open TCP connection.
    private nonisolated(nonsending) func onTCPStream<Outcome: Sendable>(
        _ operation: String, _ body: @Sendable (UVTCPStream) throws(UVError) -> Outcome
    ) async throws(UVError) -> Outcome {
        try await withStream { stream throws(UVError) in
            guard let stream = stream as? UVTCPStream else { throw UVError(.notSupported, operation: operation) }
            if self.isClosing { throw UVConnection.closedError }
            return try body(stream)
        }
    }
}
