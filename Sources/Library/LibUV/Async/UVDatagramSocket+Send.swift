internal import CLibUV
public import SocketAddresses

extension UVDatagramSocket {
    /// Sends a buffer as one datagram, and suspends until the kernel has accepted it (`uv_udp_try_send`,
    /// `uv_udp_send`).
    ///
    /// Usually the kernel accepts the datagram immediately, and the call does not suspend. An accepted datagram may
    /// still be lost.
    ///
    /// - Parameters:
    ///   - buffer: the bytes of the datagram. The buffer returns to the pool when the kernel has accepted the datagram
    ///     or the call has failed.
    ///   - destination: the address to send to, or `nil` if the socket is connected.
    /// - Throws: the reason why the datagram was not sent, for example `messageTooLarge`; `alreadyConnected` and
    ///   `destinationRequired` in the same cases as `UVUDP.send`; `cancelled` if the socket is closed during the call,
    ///   or if the call must wait and the task is cancelled. If the task is cancelled during the wait, the datagram is
    ///   still sent.
    public nonisolated(nonsending) func send(
        _ buffer: consuming UVBuffer, to destination: SocketAddress? = nil
    ) async throws(UVError) {
        guard loop.staysHere(), loop.owns(buffer) else { return try await sendElsewhere(buffer, to: destination) }
        let isSent = try buffer.withBytes { bytes throws(UVError) in try handle.trySend(bytes, to: destination) }
        if isSent { return }
        let block = unsafe buffer.takeBlock()
        var isTaken = false
        do {
            try await loop.waitFor("uv_udp_send") { operation throws(UVError) in
                isTaken = true
                try unsafe handle.send(UVBuffer(block: block), to: destination) { operation.complete($0) }
                return nil
            }
        } catch {
            // If the task was cancelled before it began to wait, libuv has not taken the block, so return the block to
            // the pool.
            if !isTaken { unsafe UVBuffer.drop(block) }
            throw error
        }
    }

    @inline(never)
    private nonisolated(nonsending) func sendElsewhere(
        _ buffer: consuming UVBuffer, to destination: SocketAddress?
    ) async throws(UVError) {
        let box = BufferBox(buffer)
        if loop.staysHere() { return try await send(loop.own(box.take()), to: destination) }
        try await loop.visit("uv_udp_send") { () async throws(UVError) in
            try await self.send(self.loop.own(box.take()), to: destination)
        }
    }

    /// Copies bytes to a buffer from the pool, and sends the buffer as one datagram.
    ///
    /// - Throws: the same errors as `send` with a buffer.
    public nonisolated(nonsending) func send(
        _ bytes: [UInt8], to destination: SocketAddress? = nil
    ) async throws(UVError) {
        guard loop.isRunningHere else {
            return try await loop.visit("uv_udp_send") { () async throws(UVError) in
                try await self.send(bytes, to: destination)
            }
        }
        var buffer = loop.makeBuffer(capacity: bytes.count)
        buffer.append(copying: bytes.span)
        try await send(buffer, to: destination)
    }

    /// Sends a text as one datagram in UTF-8.
    ///
    /// - Throws: the same errors as `send` with a buffer.
    public nonisolated(nonsending) func send(
        _ text: String, to destination: SocketAddress? = nil
    ) async throws(UVError) {
        try await send(Array(text.utf8), to: destination)
    }
}
