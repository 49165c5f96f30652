internal import CLibUV

// The callbacks of a datagram socket.

extension Trampolines {
    /// Calls `body` with the object of a datagram socket, which its open handle keeps alive: nothing is retained.
    private static func withSocket(_ udp: UnsafeMutablePointer<uv_udp_t>, _ body: (UVUDP) -> Void) {
        guard let data = unsafe udp.pointee.data else { return }
        unsafe Unmanaged<UVUDP>.fromOpaque(data)._withUnsafeGuaranteedRef { body($0) }
    }

    /// Lends memory of the loop; none where no datagram is wanted, which libuv then leaves in the kernel.
    static let onLend: uv_alloc_cb = { handle, _, buffer in
        guard let handle = unsafe handle, let buffer = unsafe buffer else { return }
        let udp = unsafe UnsafeMutableRawPointer(handle).assumingMemoryBound(to: uv_udp_t.self)
        unsafe withSocket(udp) { socket in if let lent = unsafe socket.lend() { unsafe buffer.pointee = lent } }
    }

    static let onDatagram: uv_udp_recv_cb = { udp, count, buffer, address, flags in
        guard let udp = unsafe udp else { return }
        unsafe withSocket(udp) { socket in
            // libuv goes on with a batch whose socket has been stopped or closed in the middle of it.
            guard unsafe socket.state.pointee.isReceiving else { return }
            if count < 0 {
                let error = UVError(code: Int32(truncatingIfNeeded: count), operation: "uv_udp_recv")
                return socket.emit(.failed(error))
            }
            // Without a sender it is no datagram: there was nothing to read, or a batch is at its end. The memory is
            // the loop's, and nothing is to be freed (`UV_UDP_MMSG_FREE`). With one, no byte is an empty datagram.
            guard let address = unsafe address else { return socket.endedReceipt() }
            guard let sender = unsafe SocketAddress(address) else { return }
            let base = unsafe UnsafeRawPointer(buffer?.pointee.base)?.assumingMemoryBound(to: UInt8.self)
            // libuv has filled `count` bytes of the lent buffer, which outlives this call; the event does not.
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
