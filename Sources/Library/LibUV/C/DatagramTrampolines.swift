internal import CLibUV

// The callbacks of a datagram socket.

extension Trampolines {
    /// Calls `body` with the object of a datagram socket, without retaining it, because the open handle keeps the
    /// object alive.
    private static func withSocket(_ udp: UnsafeMutablePointer<uv_udp_t>, _ body: (UVUDP) -> Void) {
        guard let data = unsafe udp.pointee.data else { return }
        unsafe Unmanaged<UVUDP>.fromOpaque(data)._withUnsafeGuaranteedRef { body($0) }
    }

    /// Lends the loop's memory for a datagram, or lends no memory if the program wants no datagram.
    ///
    /// Without memory, libuv leaves the datagram in the kernel.
    static let onLend: uv_alloc_cb = { handle, _, buffer in
        guard let handle = unsafe handle, let buffer = unsafe buffer else { return }
        let udp = unsafe UnsafeMutableRawPointer(handle).assumingMemoryBound(to: uv_udp_t.self)
        unsafe withSocket(udp) { socket in if let lent = unsafe socket.lend() { unsafe buffer.pointee = lent } }
    }

    static let onDatagram: uv_udp_recv_cb = { udp, count, buffer, address, flags in
        guard let udp = unsafe udp else { return }
        unsafe withSocket(udp) { socket in
            // libuv reports the rest of a batch even if the socket has been stopped or closed during the batch.
            guard unsafe socket.state.pointee.isReceiving else { return }
            if count < 0 {
                let error = UVError(code: Int32(truncatingIfNeeded: count), operation: "uv_udp_recv_start")
                return socket.emit(.failed(error))
            }
            // A call without a sender reports no datagram. It means that there was nothing to read, or that a batch has
            // ended. The memory belongs to the loop, so this callback frees no memory and ignores the flag
            // `UV_UDP_MMSG_FREE`. A call with a sender and no bytes reports an empty datagram.
            guard let address = unsafe address else { return socket.endedReceipt() }
            guard let sender = unsafe SocketAddress(address) else { return }
            let base = unsafe UnsafeRawPointer(buffer?.pointee.base)?.assumingMemoryBound(to: UInt8.self)
            // libuv has filled `count` bytes of the lent buffer. The event ends before this call returns, and the
            // buffer exists longer, so the span stays valid.
            let bytes = unsafe Span<UInt8>(_unsafeElements: UnsafeBufferPointer(start: base, count: count))
            let isTruncated = flags & UInt32(UV_UDP_PARTIAL.rawValue) != 0
            socket.emit(.datagram(bytes, sender: sender, isTruncated: isTruncated))
        }
    }

    static let onSend: uv_udp_send_cb = { request, status in
        guard let request = unsafe request, let udp = unsafe request.pointee.handle else { return }
        unsafe withSocket(udp) { socket in unsafe socket.sent(cuv_datagram_of_request(request), status) }
    }
}
