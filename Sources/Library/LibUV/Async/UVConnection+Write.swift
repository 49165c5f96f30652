internal import CLibUV

extension UVConnection {
    /// Writes a buffer, which the stream owns from here on (`uv_write`); suspends while more than `highWaterMark`
    /// bytes wait to be sent.
    ///
    /// Where it returns at once, nothing but the write itself has been done.
    ///
    /// - Throws: why nothing can be written, as `brokenPipe`; `cancelled` where the task is cancelled while it waits:
    ///   the bytes are then sent all the same.
    public nonisolated(nonsending) func write(_ buffer: consuming UVWriteBuffer) async throws(UVError) {
        loop.checkIsolated()
        try checkWritable()
        try stream.write(buffer)
        if unsafe stream.writeQueueSize > state.pointee.highWaterMark { try await waitForRoom() }
    }

    /// Writes bytes by copying them into a buffer of the pool; otherwise as `write` of a buffer.
    ///
    /// - Throws: as `write` of a buffer.
    public nonisolated(nonsending) func write(_ bytes: [UInt8]) async throws(UVError) {
        var buffer = loop.makeBuffer(capacity: bytes.count)
        buffer.append(copying: bytes.span)
        try await write(buffer)
    }

    /// Writes a text as UTF-8; otherwise as `write` of a buffer.
    ///
    /// - Throws: as `write` of a buffer.
    public nonisolated(nonsending) func write(_ text: String) async throws(UVError) {
        try await write(Array(text.utf8))
    }

    /// Suspends until the kernel has taken all that was written.
    ///
    /// - Throws: as `write`.
    public nonisolated(nonsending) func flush() async throws(UVError) {
        loop.checkIsolated()
        try checkWritable()
        guard stream.writeQueueSize > 0 else { return }
        // An empty write completes in its turn, after all that came before it.
        try await loop.waitFor("uv_write") { operation throws(UVError) in
            try stream.write(loop.makeBuffer(capacity: 0)) { operation.complete($0) }
            return nil
        }
    }

    private func checkWritable() throws(UVError) {
        if let failure = unsafe state.pointee.failure { throw failure }
    }

    private nonisolated(nonsending) func waitForRoom() async throws(UVError) {
        try await loop.waitFor("uv_write") { operation in
            unsafe state.pointee.writers.append(operation)
            stream.reportsWrites = true
            return nil
        }
        try checkWritable()
    }

    /// Resumes the tasks that wait to write on, and forgets those that have been cancelled.
    func wakeWriters() {
        let writers = unsafe state.pointee.writers
        unsafe state.pointee.writers = []
        for writer in writers { writer.complete(.success(())) }
    }
}
