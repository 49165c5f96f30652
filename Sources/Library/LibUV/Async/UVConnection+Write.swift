internal import CLibUV

extension UVConnection {
    /// Writes a buffer and takes ownership of it (`uv_write`).
    ///
    /// The call suspends while more than `highWaterMark` bytes are queued.
    ///
    /// If it does not suspend, it costs no more than the write itself.
    ///
    /// - Throws: the error of the stream, for example `brokenPipe`; `cancelled` if the task is cancelled while it
    ///   waits. The bytes are then still sent.
    public nonisolated(nonsending) func write(_ buffer: consuming UVWriteBuffer) async throws(UVError) {
        guard loop.isRunningHere, loop.owns(buffer) else { return try await writeElsewhere(buffer) }
        try checkWritable()
        try stream.write(buffer)
        if unsafe stream.writeQueueSize > state.pointee.highWaterMark { try await waitForRoom() }
    }

    /// Copies bytes to a buffer from the pool, and writes the buffer.
    ///
    /// - Throws: the same errors as `write` of a buffer.
    public nonisolated(nonsending) func write(_ bytes: [UInt8]) async throws(UVError) {
        guard loop.isRunningHere else {
            return try await loop.visit("uv_write") { () async throws(UVError) in try await self.write(bytes) }
        }
        var buffer = loop.makeBuffer(capacity: bytes.count)
        buffer.append(copying: bytes.span)
        try await write(buffer)
    }

    /// Writes a text as UTF-8.
    ///
    /// - Throws: the same errors as `write` of a buffer.
    public nonisolated(nonsending) func write(_ text: String) async throws(UVError) {
        try await write(Array(text.utf8))
    }

    /// Suspends until the kernel has accepted all written bytes.
    ///
    /// - Throws: the same errors as `write`.
    public nonisolated(nonsending) func flush() async throws(UVError) {
        guard loop.isRunningHere else {
            return try await loop.visit("uv_write") { () async throws(UVError) in try await self.flush() }
        }
        try checkWritable()
        guard stream.writeQueueSize > 0 else { return }
        // Writes complete in order, so an empty write completes after all earlier ones.
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
        // A task that has waited may continue on another thread.
        guard loop.isRunningHere else {
            return try await loop.visit("uv_write") { () async throws(UVError) in try self.checkWritable() }
        }
        try checkWritable()
    }

    /// Resumes the tasks that wait for the write queue, and removes tasks that have been cancelled.
    func wakeWriters() {
        let writers = unsafe state.pointee.writers
        unsafe state.pointee.writers = []
        for writer in writers { writer.complete(.success(())) }
    }
}
