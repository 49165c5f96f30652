internal import CLibUV

extension UVConnection {
    /// The next bytes, as many as have come, suspending while there are none.
    ///
    /// Nothing is read from the kernel before somebody asks, and no more than `readLimit` beyond.
    ///
    /// - Returns: a buffer of the loop's pool, which is the caller's and can be written as it is; `nil` at the end.
    /// - Throws: why nothing more can be read, as `connectionReset`; `cancelled` where the task is cancelled or the
    ///   connection closed; `busy` where another task is reading.
    public nonisolated(nonsending) func read() async throws(UVError) -> UVWriteBuffer? {
        loop.checkIsolated()
        while true {
            if let buffer = unsafe state.pointee.received.takeFirst() {
                if unsafe !state.pointee.isReading, unsafe state.pointee.received.isEmpty { readOn() }
                return buffer
            }
            if try isAtEnd() { return nil }
            try await waitForBytes()
        }
    }

    /// Reads into the caller's own buffer, suspending while there is nothing: the kernel writes into it, and nothing
    /// is copied but bytes that had come before.
    ///
    /// - Parameter buffer: appended to, as far as it has room; `loop.makeBuffer(capacity:)` makes one.
    /// - Returns: how many bytes were appended; 0 at the end.
    /// - Throws: `noBufferSpace` where the buffer is full; otherwise as `read` without a buffer. The buffer is
    ///   then as it was.
    public nonisolated(nonsending) func read(into buffer: inout UVWriteBuffer) async throws(UVError) -> Int {
        loop.checkIsolated()
        guard buffer.count < buffer.capacity else { throw UVError(.noBufferSpace, operation: "uv_read") }
        if unsafe !state.pointee.received.isEmpty {
            let moved = unsafe state.pointee.received.move(to: &buffer)
            if unsafe !state.pointee.isReading { readOn() }
            return moved
        }
        if try isAtEnd() { return 0 }
        guard unsafe !reader.pointee.isWaiting else { throw UVError(.busy, operation: "uv_read") }
        let block = unsafe buffer.block
        // The block stays where it is, and is this call's until it returns.
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

    /// Ends the lending of the reader's own memory.
    ///
    /// - Returns: how many bytes have come into it.
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

    /// Waits, and attends to cancellation meanwhile.
    ///
    /// The closure mentions `isolation`, the caller's actor, so that it runs on that actor.
    private func waitAttending(isolation: isolated (any Actor)? = #isolation) async -> Bool {
        let number = unsafe state.pointee.readerNumber
        return await withTaskCancellationHandler {
            _ = isolation
            return Task.isCancelled ? false : unsafe await loop.park(in: reader)
        } onCancel: {
            // A loop that refuses this is closing, and wakes all readers.
            try? loop.execute { self.cancelReader(number) }
        }
    }

    private func cancelReader(_ number: Int) {
        if unsafe state.pointee.readerNumber == number { unsafe reader.pointee.wake(on: loop, false) }
    }
}
