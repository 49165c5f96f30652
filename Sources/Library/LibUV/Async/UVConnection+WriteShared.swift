extension UVConnection {
    /// Writes a shared buffer without copying its bytes (`uv_write`).
    ///
    /// Otherwise the call is like `write` of a buffer: it suspends while more than `highWaterMark` bytes are queued.
    ///
    /// - Throws: the same errors as `write` of a buffer.
    public nonisolated(nonsending) func write(_ buffer: UVSharedBuffer) async throws(UVError) {
        loop.checkIsolated()
        // An empty write fails if the connection has failed, and waits for room.
        try await write(loop.makeBuffer(capacity: 0))
        try stream.write(buffer)
        try await write(loop.makeBuffer(capacity: 0))
    }
}
