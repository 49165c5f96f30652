internal import CLibUV

/// How a read begins.
@usableFromInline
enum ReadStart: ~Copyable {
    /// There are received bytes.
    case bytes(UVBuffer)
    /// The task must wait, and its job is stored in this place.
    case wait(ParkingPlace)
    /// All other cases: the call is on another thread or needs a timer or a cancellation handler, another task is
    /// reading, or the stream has ended or failed.
    case unusual
}

extension UVConnection {
    /// Returns received bytes, and suspends while there are none.
    ///
    /// The connection does not read from the kernel before the first call. After that call, the connection reads ahead
    /// at most `readLimit` bytes plus one read; see `UVConnection`.
    ///
    /// - Returns: a buffer from the loop's pool, which the caller owns and can pass to `write`; `nil` at the end of the
    ///   stream.
    /// - Throws: the stream's error, for example `connectionReset`; `cancelled` if the task is cancelled or the
    ///   connection is closed; `busy` if another task is reading.
    @inlinable
    @inline(__always)
    public nonisolated(nonsending) func read() async throws(UVError) -> UVBuffer? {
        // The usual read is a synchronous call, followed by at most one suspension. Therefore it needs no memory from
        // the task's allocator.
        switch beginRead() {
        case .bytes(let buffer): return buffer
        case .wait(let place):
            guard await loop.wait(in: place) else { throw interruption() }
            if let buffer = takeHere() { return buffer }
        case .unusual: break
        }
        return try await readInAnyCase()
    }

    /// Takes the first received buffer, or begins to wait for bytes if the wait is a simple one.
    ///
    /// The wait is simple if the task is on the loop's thread, a scope handles its cancellation, there is no time
    /// limit, no other task is reading, and the stream has neither ended nor failed. Otherwise, the function returns
    /// `unusual`.
    @usableFromInline
    func beginRead(for actor: (any Actor)? = #isolation) -> ReadStart {
        guard loop.isRunningHere else { return .unusual }
        if let buffer = takeReceived() { return .bytes(buffer) }
        if unsafe !state.pointee.isReading { readOn() }
        guard unsafe state.pointee.isReading, unsafe !state.pointee.limits.isTimingReads,
            unsafe !reader.pointee.isWaiting, unsafe state.pointee.scopes.beginWait() == false
        else { return .unusual }
        unsafe loop.cell.pointee.turn_bytes = 0
        unsafe state.pointee.readerNumber &+= 1
        return unsafe .wait(loop.preparePlace(reader, for: actor))
    }

    /// Returns the first received buffer, if there is one and the task is on the loop's thread.
    @usableFromInline
    func takeHere() -> UVBuffer? { loop.isRunningHere ? takeReceived() : nil }

    @usableFromInline
    nonisolated(nonsending) func readInAnyCase() async throws(UVError) -> UVBuffer? {
        while true {
            // Check the thread in each iteration, because a task that has waited may continue on another thread.
            guard loop.isRunningHere else { return try await readElsewhere() }
            if let buffer = takeReceived() { return buffer }
            if try isAtEnd() { return nil }
            try await waitForBytes()
        }
    }

    /// Returns the received bytes like `read()`, with a time limit.
    ///
    /// All time limits of a connection share one timer, so the call costs little more than `read()`. A timeout loses no
    /// bytes, and the connection can still be used.
    ///
    /// - Parameter limit: the longest time that the call may wait.
    /// - Throws: `timedOut` if no bytes have arrived within the time limit; otherwise the same errors as `read()`.
    public nonisolated(nonsending) func read(within limit: Duration) async throws(UVError) -> UVBuffer? {
        guard loop.staysHere() else { return try await readElsewhere(within: limit) }
        if let buffer = takeReceived() { return buffer }
        try beginLimit(limit)
        defer { unsafe state.pointee.limits.readDeadline = .max }
        return try await read()
    }

    /// Reads into the caller's buffer like `read(into:)`, with a time limit.
    ///
    /// - Parameters:
    ///   - buffer: the buffer to which bytes are appended.
    ///   - limit: the longest time that the call may wait.
    /// - Throws: `timedOut` if no bytes have arrived within the time limit; otherwise the same errors as `read(into:)`.
    public nonisolated(nonsending) func read(
        into buffer: inout UVBuffer, within limit: Duration
    ) async throws(UVError) -> Int {
        guard loop.staysHere() else { return try await readElsewhere(into: &buffer, within: limit) }
        try beginLimit(limit)
        defer { unsafe state.pointee.limits.readDeadline = .max }
        return try await read(into: &buffer)
    }

    /// Sets the deadline of a read.
    private func beginLimit(_ limit: Duration) throws(UVError) {
        guard unsafe !reader.pointee.isWaiting else { throw UVError(.busy, operation: "uv_read_start") }
        unsafe state.pointee.limits.readDeadline = deadline(after: limit)
    }

    /// Returns the first received buffer, or `nil` if no bytes have been received.
    @inline(__always)
    private func takeReceived() -> UVBuffer? {
        guard let buffer = unsafe state.pointee.received.takeFirst() else { return nil }
        if unsafe !state.pointee.isReading, unsafe state.pointee.received.isEmpty { readOn() }
        return buffer
    }

    /// Reads into the caller's buffer, and suspends while there are no bytes.
    ///
    /// The kernel writes directly into the buffer. Only bytes that have been read ahead are copied.
    ///
    /// - Parameter buffer: the buffer to which bytes are appended, up to its capacity. `loop.makeBuffer(capacity:)`
    ///   makes one.
    /// - Returns: the number of appended bytes; 0 at the end of the stream.
    /// - Throws: `noBufferSpace` if the buffer is full; otherwise the same errors as `read()`. If the call throws, the
    ///   buffer is unchanged.
    public nonisolated(nonsending) func read(into buffer: inout UVBuffer) async throws(UVError) -> Int {
        guard loop.isRunningHere else { return try await readElsewhere(into: &buffer) }
        guard buffer.count < buffer.capacity else { throw UVError(.noBufferSpace, operation: "uv_read_start") }
        if unsafe !state.pointee.received.isEmpty {
            let moved = unsafe state.pointee.received.move(to: &buffer)
            if unsafe !state.pointee.isReading { readOn() }
            return moved
        }
        if try isAtEnd() { return 0 }
        // The memory must be lent and taken back on the loop's thread, so the task must stay there.
        guard loop.staysHere() else { return try await readElsewhere(into: &buffer) }
        guard unsafe !reader.pointee.isWaiting else { throw UVError(.busy, operation: "uv_read_start") }
        let block = unsafe buffer.block
        // The block does not move, and belongs to this call until the call returns.
        unsafe handle.lend(
            UnsafeMutableBufferPointer(
                start: cuv_block_bytes(block) + block.pointee.start + block.pointee.count,
                count: buffer.capacity - buffer.count))
        unsafe state.pointee.ownByteCount = nil
        do { try await waitForBytes() } catch {
            // Bytes may have arrived after the wait had ended, but before the task continued. They are not lost.
            let count = takeBackOwn()
            unsafe block.pointee.count += count
            if count > 0 { return count }
            throw error
        }
        let count = takeBackOwn()
        unsafe block.pointee.count += count
        return unsafe count == 0 && state.pointee.failure != nil ? try failed() : count
    }

    /// Stops lending the memory that the reader has provided.
    ///
    /// - Returns: the number of bytes that have been read into the memory.
    private func takeBackOwn() -> Int {
        if unsafe state.pointee.ownByteCount == nil { handle.stopLending() }
        let count = unsafe state.pointee.ownByteCount ?? 0
        unsafe state.pointee.ownByteCount = 0
        return count
    }

    /// Returns whether the stream has ended, and throws the error if it has failed.
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
        guard unsafe !reader.pointee.isWaiting else { throw UVError(.busy, operation: "uv_read_start") }
        readOn()
        if let failure = unsafe state.pointee.failure { throw failure }
        unsafe loop.cell.pointee.turn_bytes = 0
        if unsafe state.pointee.limits.isTimingReads {
            // The timer's result must be read on the loop's thread, so the task must stay there.
            guard loop.staysHere() else { return try await waitForBytesElsewhere() }
            beginTimedRead()
        }
        unsafe state.pointee.readerNumber &+= 1
        let isWoken: Bool
        if let isCancelled = unsafe state.pointee.scopes.beginWait() {
            isWoken = isCancelled ? false : unsafe await loop.park(in: reader)
        } else {
            isWoken = await waitAttending()
        }
        if !isWoken { throw interruption() }
    }

    @inline(never)
    private nonisolated(nonsending) func waitForBytesElsewhere() async throws(UVError) {
        try await loop.visit("uv_read_start") { () async throws(UVError) in try await self.waitForBytes() }
    }

    /// Returns the error for a task whose wait was cancelled or has timed out.
    @usableFromInline
    func interruption() -> UVError {
        guard loop.isRunningHere else { return UVError(.cancelled, operation: "uv_read_start") }
        let hasTimedOut = unsafe state.pointee.limits.hasReadTimedOut
        unsafe state.pointee.limits.hasReadTimedOut = false
        return UVError(hasTimedOut ? .timedOut : .cancelled, operation: "uv_read_start")
    }

    /// Waits for bytes, and handles cancellation during the wait.
    ///
    /// The closure refers to `isolation`, the caller's actor, so that the closure runs on that actor.
    private func waitAttending(isolation: isolated (any Actor)? = #isolation) async -> Bool {
        let number = unsafe state.pointee.readerNumber
        return await withTaskCancellationHandler {
            _ = isolation
            return Task.isCancelled ? false : unsafe await loop.park(in: reader)
        } onCancel: {
            // If the loop rejects this call, the loop is closing, which wakes all readers.
            try? loop.execute { self.cancelReader(number) }
        }
    }

    private func cancelReader(_ number: UInt32) {
        if unsafe state.pointee.readerNumber == number { unsafe reader.pointee.wake(on: loop, false) }
    }
}
