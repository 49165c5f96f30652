internal import CLibUV
public import SocketAddresses

extension UVDatagramSocket {
    /// Sends a buffer as one datagram (`uv_udp_try_send`, `uv_udp_send`); suspends until the kernel has taken it.
    ///
    /// Mostly the kernel takes it at once, and nothing suspends. That it has been taken does not say that it arrives.
    ///
    /// - Parameters:
    ///   - buffer: the datagram; back in the pool when this returns, or when the kernel has taken it.
    ///   - destination: where to; `nil` on a connected socket.
    /// - Throws: why this datagram was not sent, as `messageTooLarge`; `alreadyConnected` and `destinationRequired` as
    ///   `UVUDP.send`; `cancelled` where the task is cancelled while it waits, and the datagram is sent all the same;
    ///   `cancelled` where the socket is closed meanwhile.
    public nonisolated(nonsending) func send(
        _ buffer: consuming UVWriteBuffer, to destination: SocketAddress? = nil
    ) async throws(UVError) {
        loop.checkIsolated()
        let isSent = try buffer.withBytes { bytes throws(UVError) in try socket.trySend(bytes, to: destination) }
        if isSent { return }
        let block = unsafe buffer.takeBlock()
        var isTaken = false
        do {
            try await loop.waitFor("uv_udp_send") { operation throws(UVError) in
                isTaken = true
                try unsafe socket.send(UVWriteBuffer(block: block), to: destination) { operation.complete($0) }
                return nil
            }
        } catch {
            // A task that was cancelled before it began to wait has not begun to send either.
            if !isTaken { unsafe UVWriteBuffer.giveBack(block) }
            throw error
        }
    }

    /// Sends bytes by copying them into a buffer of the pool; otherwise as `send` of a buffer.
    ///
    /// - Throws: as `send` of a buffer.
    public nonisolated(nonsending) func send(
        _ bytes: [UInt8], to destination: SocketAddress? = nil
    ) async throws(UVError) {
        var buffer = loop.makeBuffer(capacity: bytes.count)
        buffer.append(copying: bytes.span)
        try await send(buffer, to: destination)
    }

    /// Sends a text as UTF-8; otherwise as `send` of a buffer.
    ///
    /// - Throws: as `send` of a buffer.
    public nonisolated(nonsending) func send(
        _ text: String, to destination: SocketAddress? = nil
    ) async throws(UVError) {
        try await send(Array(text.utf8), to: destination)
    }
}
