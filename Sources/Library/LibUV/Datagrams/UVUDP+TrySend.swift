internal import CLibUV
public import SocketAddresses

extension UVUDP {
    /// Sends a datagram if the kernel takes it at once (`uv_udp_try_send`).
    ///
    /// - Parameters:
    ///   - bytes: the datagram; they are the caller's again when the call returns.
    ///   - destination: where to; `nil` on a connected socket.
    /// - Returns: whether it was sent: false where the socket would block, or where sends are waiting, so that nothing
    ///   overtakes them.
    /// - Throws: as `send`, and what a send's completion would be given.
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

    /// Sends each buffer as a datagram of its own, as long as the kernel takes them at once (`uv_udp_try_send2`; with
    /// libuv before 1.50, `uv_udp_try_send` for each).
    ///
    /// - Parameters:
    ///   - datagrams: the datagrams, which stay the caller's.
    ///   - destination: where to, all of them; `nil` on a connected socket.
    /// - Returns: how many were sent, from the first on; fewer than there are where the socket would block, where
    ///   sends are waiting, or where the one after the last has failed: trying that one again tells why.
    /// - Throws: why the first was not sent; `invalidArgument` on a socket that is not bound.
    public func trySendEach(
        _ datagrams: borrowing UVWriteVector, to destination: SocketAddress? = nil
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

    /// How many of some datagrams were sent, or why the first was not.
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
            // A part that was not sent whole ends with a datagram that would be the first of the next part, and fails.
            if status < 0 { return sent == 0 ? status : Int32(sent) }
            sent += UInt32(status)
        }
        return Int32(sent)
    }
}
