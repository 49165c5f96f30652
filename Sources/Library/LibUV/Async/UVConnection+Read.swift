internal import CLibUV

extension UVConnection {
    /// Returns the received bytes, and suspends while there are none.
    ///
    /// The connection reads from the kernel only when a task calls `read`, and reads ahead at most `readLimit` bytes.
    ///
    /// - Returns: a buffer from the loop's pool, which the caller owns and can pass to `write`; `nil` at the end of the
    ///   stream.
    /// - Throws: the error of the stream, for example `connectionReset`; `cancelled` if the task is cancelled or the
    ///   connection is closed; `busy` if another task is reading.
    public nonisolated(nonsending) func read() async throws(UVError) -> UVWriteBuffer? {
        while true {
            // A task that has waited may continue on another thread.
            guard loop.isRunningHere else { return try await readElsewhere() }
            if let buffer = unsafe state.pointee.received.takeFirst() {
                if unsafe !state.pointee.isReading, unsafe state.pointee.received.isEmpty { readOn() }
                return buffer
            }
            if try isAtEnd() { return nil }
            try await waitForBytes()
        }
    }

    /// Reads into the caller's buffer, and suspends while there are no bytes.
    ///
    /// The kernel writes directly into the buffer. Only bytes that have been read ahead are copied.
    ///
    /// - Parameter buffer: the buffer to which bytes are appended, up to its capacity. `loop.makeBuffer(capacity:)`
    ///   makes one.
    /// - Returns: the number of appended bytes; 0 at the end of the stream.
    /// - Throws: `noBufferSpace` if the buffer is full; otherwise the same errors as `read()`. The buffer is then
    ///   unchanged.
    public nonisolated(nonsending) func read(into buffer: inout UVWriteBuffer) async throws(UVError) -> Int {
        guard loop.isRunningHere else { return try await readElsewhere(into: &buffer) }
        guard buffer.count < buffer.capacity else { throw UVError(.noBufferSpace, operation: "uv_read") }
        if unsafe !state.pointee.received.isEmpty {
            let moved = unsafe state.pointee.received.move(to: &buffer)
            if unsafe !state.pointee.isReading { readOn() }
            return moved
        }
        if try isAtEnd() { return 0 }
        // The memory is lent and taken back on the loop's thread.
        guard loop.staysHere() else { return try await readElsewhere(into: &buffer) }
        guard unsafe !reader.pointee.isWaiting else { throw UVError(.busy, operation: "uv_read") }
        let block = unsafe buffer.block
        // The block does not move, and belongs to this call until the call returns.
        unsafe stream.lend(
            UnsafeMutableBufferPointer(
                start: cuv_block_bytes(block) + block.pointee.start + block.pointee.count,
                count: buffer.capacity - buffer.count))
        unsafe state.pointee.ownByteCount = nil
        do { try await waitForBytes() } catch {
            takeBackOwn()
            throw error
        }
        let count = takeBackOwn()
        unsafe block.pointee.count += count
        return unsafe count == 0 && state.pointee.failure != nil ? try failed() : count
    }

    /// Stops lending the memory that the reader has provided.
    ///
    /// - Returns: the number of bytes that have been read into the memory.
    @discardableResult
    private func takeBackOwn() -> Int {
        if unsafe state.pointee.ownByteCount == nil { stream.stopLending() }
        let count = unsafe state.pointee.ownByteCount ?? 0
        unsafe state.pointee.ownByteCount = 0
        return count
    }

    private func isAtEnd() throws(UVError) -> Bool {
        if unsafe state.pointee.failure != nil { return try failed() == 0 }
        return unsafe state.pointee.hasEnded
    }

    private func failed() throws(UVError) -> Int {
        if let failure = unsafe state.pointee.failure { throw failure }
        return 0
    }

    @inline(__always)
    private nonisolated(nonsending) func waitForBytes() async throws(UVError) {
        guard unsafe !reader.pointee.isWaiting else { throw UVError(.busy, operation: "uv_read") }
        readOn()
        if let failure = unsafe state.pointee.failure { throw failure }
        unsafe state.pointee.readerNumber &+= 1
        let isWoken: Bool
        if unsafe state.pointee.attendance.task != 0, unsafe state.pointee.attendance.task == TaskIdentity.current {
            isWoken = unsafe state.pointee.attendance.isCancelled ? false : await loop.park(in: reader)
        } else {
            isWoken = await waitAttending()
        }
        if !isWoken { throw UVError(.cancelled, operation: "uv_read") }
    }

    /// Waits for bytes, and handles cancellation during the wait.
    ///
    /// The closure refers to `isolation`, which is the actor of the caller, so that it runs on that actor.
    private func waitAttending(isolation: isolated (any Actor)? = #isolation) async -> Bool {
        let number = unsafe state.pointee.readerNumber
        return await withTaskCancellationHandler {
            _ = isolation
            return Task.isCancelled ? false : unsafe await loop.park(in: reader)
        } onCancel: {
            // If the loop rejects this, it is closing, which wakes all readers.
            try? loop.execute { self.cancelReader(number) }
        }
    }

    private func cancelReader(_ number: Int) {
        if unsafe state.pointee.readerNumber == number { unsafe reader.pointee.wake(on: loop, false) }
    }
}
