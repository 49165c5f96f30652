internal import CLibUV
public import SocketAddresses

extension UVTCPStream {
    /// Sets whether the kernel sends small segments immediately, instead of waiting to merge them (`uv_tcp_nodelay`).
    ///
    /// - Throws: `invalidArgument` if the stream is closing.
    public func setNoDelay(_ isEnabled: Bool) throws(UVError) {
        try call("uv_tcp_nodelay") { unsafe uv_tcp_nodelay(tcp, isEnabled ? 1 : 0) }
    }

    /// Sets whether the kernel sends keep-alive probes to a silent peer (`uv_tcp_keepalive`).
    ///
    /// - Parameter delay: the duration of silence before the first probe, rounded down to whole seconds. It is clamped
    ///   to 32 767 seconds, which is the maximum on Linux. With `nil`, no probes are sent.
    /// - Throws: `invalidArgument` if the delay is less than a second.
    public func setKeepAlive(after delay: Duration?) throws(UVError) {
        try checkOpen("uv_tcp_keepalive")
        let seconds = delay?.wholeSeconds(in: 0...32_767) ?? 0
        if delay != nil, seconds == 0 { throw UVError(.invalidArgument, operation: "uv_tcp_keepalive") }
        try unsafe check(uv_tcp_keepalive(tcp, delay == nil ? 0 : 1, seconds), "uv_tcp_keepalive")
    }

    /// The local address (`uv_tcp_getsockname`).
    ///
    /// - Throws: `badDescriptor` if the stream has no socket yet; `addressInUse` if the address that was passed to
    ///   `bind` was in use; `invalidArgument` if the stream is closing.
    public var localAddress: SocketAddress {
        get throws(UVError) {
            do throws(UVError) {
                return try unsafe readAddress("uv_tcp_getsockname") { unsafe uv_tcp_getsockname(tcp, $0, $1) }
            } catch { throw error.ofBind("uv_tcp_bind") }
        }
    }

    /// The peer's address (`uv_tcp_getpeername`).
    ///
    /// - Throws: `notConnected` if the stream is not connected.
    public var remoteAddress: SocketAddress {
        get throws(UVError) {
            try unsafe readAddress("uv_tcp_getpeername") { unsafe uv_tcp_getpeername(tcp, $0, $1) }
        }
    }

    /// The size of the kernel's send buffer in bytes (`uv_send_buffer_size`).
    ///
    /// Linux doubles the size that a program sets.
    ///
    /// - Throws: `badDescriptor` if the stream has no socket yet; `invalidArgument` if it is closing.
    public var sendBufferSize: Int {
        get throws(UVError) { try unsafe kernelBufferSize(0, "uv_send_buffer_size", uv_send_buffer_size) }
    }

    /// The size of the kernel's receive buffer in bytes (`uv_recv_buffer_size`).
    ///
    /// Linux doubles the size that a program sets.
    ///
    /// - Throws: the same errors as `sendBufferSize`.
    public var receiveBufferSize: Int {
        get throws(UVError) { try unsafe kernelBufferSize(0, "uv_recv_buffer_size", uv_recv_buffer_size) }
    }

    /// Sets the size of the kernel's send buffer, in bytes (`uv_send_buffer_size`).
    ///
    /// - Throws: `invalidArgument` if the size is not positive.
    public func setSendBufferSize(_ byteCount: Int) throws(UVError) {
        try unsafe setKernelBufferSize(byteCount, "uv_send_buffer_size") { unsafe uv_send_buffer_size($0, $1) }
    }

    /// Sets the size of the kernel's receive buffer, in bytes (`uv_recv_buffer_size`).
    ///
    /// - Throws: `invalidArgument` if the size is not positive.
    public func setReceiveBufferSize(_ byteCount: Int) throws(UVError) {
        try unsafe setKernelBufferSize(byteCount, "uv_recv_buffer_size") { unsafe uv_recv_buffer_size($0, $1) }
    }
}
