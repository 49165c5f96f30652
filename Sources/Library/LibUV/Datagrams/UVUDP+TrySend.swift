internal import CLibUV
public import SocketAddresses

extension UVUDP {
    /// Sends a datagram if the kernel accepts it immediately (`uv_udp_try_send`).
    ///
    /// - Parameters:
    ///   - bytes: the bytes of the datagram.
    ///   - destination: the address to send to, or `nil` if the socket is connected.
    /// - Returns: whether the datagram was sent. It is not sent if the socket would block. It is also not sent if
    ///   earlier sends are pending, because the datagram must not overtake them.
    /// - Throws: the errors that `send` throws, and the errors that `send` passes to its completion.
    public func trySend(_ bytes: Span<UInt8>, to destination: SocketAddress? = nil) throws(UVError) -> Bool {
        try checkOpen("uv_udp_try_send")
        try checkDestination(destination, "uv_udp_try_send")
        if isSending { return false }
        let status = try unsafe SystemAddress.withOptional(destination, "uv_udp_try_send") { system in
            unsafe bytes.withUnsafeBufferPointer { unsafe cuv_udp_try_send(udp, $0.baseAddress, $0.count, system) }
        }
        if status == UV_EAGAIN.rawValue { return false }
        try check(status, "uv_udp_try_send")
        return true
    }

    /// Sends each buffer as a separate datagram, until the kernel does not accept a datagram immediately
    /// (`uv_udp_try_send2`; with libuv before 1.50, `uv_udp_try_send` for each).
    ///
    /// - Parameters:
    ///   - datagrams: the datagrams. The caller keeps ownership of them.
    ///   - destination: the address to send all datagrams to, or `nil` if the socket is connected.
    /// - Returns: the number of datagrams that were sent, beginning with the first. This number is smaller than the
    ///   number of given datagrams if the socket would block, if sends are pending, or if a datagram has failed. To get
    ///   the error of a failed datagram, send the datagram again.
    /// - Throws: the error if the first datagram fails; `invalidArgument` if the socket is not bound.
    public func trySendEach(
        _ datagrams: borrowing UVBufferVector, to destination: SocketAddress? = nil
    ) throws(UVError) -> Int {
        try checkOpen("uv_udp_try_send2")
        try checkDestination(destination, "uv_udp_try_send2")
        guard let first = unsafe datagrams.first, !isSending else { return 0 }
        if !hasDescriptor { throw UVError(.invalidArgument, operation: "uv_udp_try_send2") }
        let status = try unsafe SystemAddress.withOptional(destination, "uv_udp_try_send2") { system in
            unsafe WriteChain.withBuffers(of: first) { buffers, count in
                guard let buffers = unsafe buffers else { return 0 }
                return unsafe trySendEach(buffers, count, system)
            }
        }
        if status == UV_EAGAIN.rawValue { return 0 }
        return Int(try check(status, "uv_udp_try_send2"))
    }

    /// Returns the number of datagrams that were sent, or the error if the first datagram fails.
    private func trySendEach(
        _ buffers: UnsafeMutablePointer<uv_buf_t>, _ count: UInt32, _ system: UnsafePointer<sockaddr>?
    ) -> Int32 {
        var sent: UInt32 = 0
        while sent < count {
            let rest = unsafe buffers + Int(sent)
            var status = unsafe cuv_udp_try_send_each(udp, rest, count - sent, UnsafeMutablePointer(mutating: system))
            if status == UV_ENOSYS.rawValue {
                status = unsafe uv_udp_try_send(udp, rest, 1, system)
                if status >= 0 { status = 1 }
            }
            // If a call sends only some of the datagrams, the next call begins with the first unsent datagram. If
            // this datagram fails, that call reports the error.
            if status < 0 { return sent == 0 ? status : Int32(sent) }
            sent += UInt32(status)
        }
        return Int32(sent)
    }
}
