internal import CLibUV

/// How much of a write has been done without waiting.
@usableFromInline
enum WriteProgress: ~Copyable {
    /// The kernel has accepted the bytes, or they are queued.
    case finished
    /// Like `finished`, but the task must wait before it continues.
    case mustPause
    /// Nothing has been written.
    case notBegun(UVBuffer)
}

extension UVConnection {
    /// The number of written bytes after which `write` lets the loop poll for I/O and run timers.
    ///
    /// The bytes of all connections of a loop are counted together.
    private static var bytesPerTurn: Int { 256 * 1024 }

    /// Writes a buffer and takes ownership of it (`uv_try_write`, `uv_write`).
    ///
    /// The call passes as many bytes as possible to the kernel, and queues the rest. If the kernel accepts all bytes,
    /// the buffer returns to the pool immediately. The call suspends while more than `highWaterMark` bytes are queued.
    /// It also suspends for one iteration of the loop after the loop's tasks have written 256 KiB without waiting.
    /// Otherwise, a task whose peer reads fast could keep the loop from its other work.
    ///
    /// If the task is cancelled while it waits:
    /// - If more than `highWaterMark` bytes were already queued before the call, none of the buffer's bytes are sent,
    ///   and the connection can still be used.
    /// - Otherwise the buffer is queued, and its bytes are still sent if the peer reads them. The connection accepts no
    ///   more writes, because the program does not know what the peer has received. Closing the connection drops the
    ///   queued bytes.
    ///
    /// - Throws: the stream's error, for example `brokenPipe`; `cancelled` if the task is cancelled while it waits or
    ///   the connection is closed; `connectionAborted` if an earlier write was cancelled or timed out after its bytes
    ///   were queued.
    @inlinable
    @inline(__always)
    public nonisolated(nonsending) func write(_ buffer: consuming UVBuffer) async throws(UVError) {
        // A write that does not wait is a synchronous call. Therefore it needs no memory from the task's allocator.
        switch try writeAtOnce(buffer) {
        case .finished: return
        case .mustPause: try await pause()
        case .notBegun(let buffer): try await writeWaiting(buffer)
        }
    }

    /// Writes a buffer without waiting, if nothing is queued before it.
    @usableFromInline
    func writeAtOnce(_ buffer: consuming UVBuffer) throws(UVError) -> WriteProgress {
        guard loop.isRunningHere, unsafe state.pointee.mayWriteAtOnce, handle.mayWriteDirectly, !buffer.isEmpty,
            loop.owns(buffer)
        else { return .notBegun(buffer) }
        let turn = unsafe loop.cell.pointee.turn_bytes &+ buffer.count
        unsafe loop.cell.pointee.turn_bytes = turn
        let count = handle.writeToKernel(buffer)
        if count != buffer.count { try queue(buffer, behind: count) }
        return mustPause ? .mustPause : .finished
    }

    /// Queues those bytes of a buffer that the kernel has not accepted.
    ///
    /// - Parameter count: the number of bytes that the kernel has accepted, or libuv's negative error code.
    @inline(never)
    private func queue(_ buffer: consuming UVBuffer, behind count: Int) throws(UVError) {
        do throws(UVError) {
            if count < 0, count != Int(UV_EAGAIN.rawValue) {
                throw UVError(code: Int32(truncatingIfNeeded: count), operation: "uv_write")
            }
            buffer.removeFirst(count)
            try handle.write(buffer)
        } catch { throw failedToWrite(error) }
    }

    @usableFromInline
    nonisolated(nonsending) func writeWaiting(_ buffer: consuming UVBuffer) async throws(UVError) {
        guard loop.isRunningHere, loop.owns(buffer) else { return try await writeElsewhere(buffer) }
        if isFull, mayWaitForRoom() {
            guard loop.staysHere() else { return try await writeElsewhere(buffer) }
            try await waitForRoom(until: .max)
        }
        try writeNow(buffer)
        if mustPause { try await pause() }
    }

    /// Writes a buffer like `write`, with a time limit.
    ///
    /// All time limits of a connection share one timer. A call that does not wait costs no more than `write`.
    ///
    /// - Parameters:
    ///   - buffer: the buffer to write. The call takes ownership of it.
    ///   - limit: the longest time that the call may wait for the queue to shrink to `highWaterMark` bytes.
    /// - Throws: `timedOut` if the time limit has passed; otherwise the same errors as `write`. A timeout has the same
    ///   effect on the connection as a cancellation.
    public nonisolated(nonsending) func write(
        _ buffer: consuming UVBuffer, within limit: Duration
    ) async throws(UVError) {
        guard loop.staysHere(), loop.owns(buffer) else { return try await writeElsewhere(buffer, within: limit) }
        var end: UInt64?
        if isFull, mayWaitForRoom() {
            let first = deadline(after: limit)
            end = first
            try await waitForRoom(until: first)
        }
        try writeNow(buffer)
        if mustPause { try await pause(until: end ?? deadline(after: limit)) }
    }

    /// Writes a shared buffer without copying its bytes (`uv_write`).
    ///
    /// Like `write` with a buffer, the call suspends while more than `highWaterMark` bytes are queued.
    ///
    /// - Throws: the same errors as `write` with a buffer.
    public nonisolated(nonsending) func write(_ buffer: UVSharedBuffer) async throws(UVError) {
        guard loop.staysHere() else {
            return try await loop.visit("uv_write") { () async throws(UVError) in try await self.write(buffer) }
        }
        if isFull, mayWaitForRoom() { try await waitForRoom(until: .max) }
        try checkWritable()
        unsafe loop.cell.pointee.turn_bytes &+= buffer.count
        do { try handle.write(buffer) } catch { throw closedOr(error) }
        if mustPause { try await pause(until: .max) }
    }

    /// Copies bytes to a buffer from the pool, and writes the buffer.
    ///
    /// - Throws: the same errors as `write` with a buffer.
    public nonisolated(nonsending) func write(_ bytes: [UInt8]) async throws(UVError) {
        try await write(copy(of: bytes))
    }

    /// Copies bytes to a buffer from the pool, and writes the buffer with a time limit.
    ///
    /// - Throws: the same errors as `write(_:within:)` with a buffer.
    public nonisolated(nonsending) func write(_ bytes: [UInt8], within limit: Duration) async throws(UVError) {
        try await write(copy(of: bytes), within: limit)
    }

    /// Writes a text as UTF-8.
    ///
    /// - Throws: the same errors as `write` with a buffer.
    public nonisolated(nonsending) func write(_ text: String) async throws(UVError) {
        try await write(copy(of: Array(text.utf8)))
    }

    /// Writes a text as UTF-8, with a time limit.
    ///
    /// - Throws: the same errors as `write(_:within:)` with a buffer.
    public nonisolated(nonsending) func write(_ text: String, within limit: Duration) async throws(UVError) {
        try await write(copy(of: Array(text.utf8)), within: limit)
    }

    /// Suspends until the kernel has accepted all written bytes.
    ///
    /// - Throws: the stream's error; `cancelled` if the task is cancelled or the connection is closed.
    public nonisolated(nonsending) func flush() async throws(UVError) {
        guard loop.isRunningHere else {
            return try await loop.visit("uv_write") { () async throws(UVError) in try await self.flush() }
        }
        try checkFailure()
        if isClosing { throw UVConnection.closedError }
        guard handle.writeQueueSize > 0 else { return }
        // Writes complete in order, so an empty write completes after all earlier ones.
        try await loop.waitFor("uv_write") { operation throws(UVError) in
            try handle.write(loop.makeBuffer(capacity: 0)) { operation.complete($0) }
            return nil
        }
    }

    private func copy(of bytes: [UInt8]) -> UVBuffer {
        var buffer = loop.makeBuffer(capacity: bytes.count)
        buffer.append(copying: bytes.span)
        return buffer
    }

    private func checkFailure() throws(UVError) {
        if let failure = unsafe state.pointee.failure { throw failure }
    }

    private func checkWritable() throws(UVError) {
        try checkFailure()
        if unsafe state.pointee.hasAbandonedWrite {
            throw UVError(.connectionAborted, operation: "uv_write", detail: "an earlier write was not finished")
        }
    }

    /// Whether more than `highWaterMark` bytes are queued.
    @inline(__always)
    private var isFull: Bool { unsafe handle.writeQueueSize > state.pointee.highWaterMark }

    /// Returns whether a task may wait for room before it writes, and ensures that the waiting task will be resumed.
    ///
    /// If the result is `false`, the write that follows fails immediately.
    private func mayWaitForRoom() -> Bool {
        guard unsafe state.pointee.failure == nil, unsafe !state.pointee.hasAbandonedWrite, !handle.isClosing,
            handle.isWritable
        else { return false }
        watchQueue()
        return true
    }

    /// Queues an empty write whose completion resumes waiting tasks.
    ///
    /// The empty write is needed because the program may have queued writes that have completions, and the stream
    /// reports no event for such writes.
    private func watchQueue() {
        guard unsafe !state.pointee.isWatchingQueue else { return }
        do throws(UVError) {
            try handle.write(loop.makeBuffer(capacity: 0)) { [self] result in queueIsSent(result) }
            unsafe state.pointee.isWatchingQueue = true
        } catch { fail(error) }
    }

    private func queueIsSent(_ result: Result<Void, UVError>) {
        unsafe state.pointee.isWatchingQueue = false
        if case .failure(let error) = result { return fail(error) }
        if unsafe state.pointee.writers.isEmpty { return }
        if isFull { watchQueue() } else { wakeWriters() }
    }

    /// Whether a task that has written must wait.
    @inline(__always)
    private var mustPause: Bool { unsafe isFull || loop.cell.pointee.turn_bytes > UVConnection.bytesPerTurn }

    /// Writes a buffer without waiting.
    private func writeNow(_ buffer: consuming UVBuffer) throws(UVError) {
        try checkWritable()
        unsafe loop.cell.pointee.turn_bytes &+= buffer.count
        if unsafe state.pointee.limits.idleLimit != nil { noteActivity() }
        if buffer.isEmpty || !handle.mayWriteDirectly { return try queue(buffer, behind: 0) }
        let count = handle.writeToKernel(buffer)
        if count != buffer.count { try queue(buffer, behind: count) }
    }

    /// Returns the error that explains a failed write, and records the error if it applies to the whole stream.
    private func failedToWrite(_ error: UVError) -> UVError {
        // If the stream can still be written, the error comes from the kernel, and therefore applies to the whole
        // stream.
        if !handle.isClosing, handle.isWritable { fail(error) }
        return closedOr(error)
    }

    /// Waits after a write.
    ///
    /// If more than `highWaterMark` bytes are queued, the wait ends when the queue has room;
    /// otherwise, it ends when the loop has polled for I/O.
    @usableFromInline
    nonisolated(nonsending) func pause(until deadline: UInt64 = .max) async throws(UVError) {
        // The state is changed after the wait, so the task must still be on the loop's thread after the wait.
        guard loop.staysHere() else {
            return try await loop.visit("uv_write") { () async throws(UVError) in
                try await self.pause(until: deadline)
            }
        }
        unsafe loop.cell.pointee.turn_bytes = 0
        guard isFull else { return await loop.yieldToIO() }
        do { try await waitForRoom(until: deadline) } catch {
            unsafe state.pointee.hasAbandonedWrite = true
            throw error
        }
    }

    /// Waits until the write queue has room.
    ///
    /// - Throws: `timedOut` at the deadline; `cancelled` if the task is cancelled; the stream's error.
    private nonisolated(nonsending) func waitForRoom(until deadline: UInt64) async throws(UVError) {
        while true {
            try await waitForShorterQueue(until: deadline)
            guard isFull else { return }
            watchQueue()
        }
    }

    /// Waits until the kernel has accepted all queued bytes after the write side has begun to shut down.
    ///
    /// - Throws: `timedOut` at the deadline; `cancelled` if the task is cancelled; the stream's error.
    nonisolated(nonsending) func waitForShutdown(until deadline: UInt64) async throws(UVError) {
        // After a shutdown, no empty write can be queued, so request the event that reports an empty queue.
        handle.waterMarks = UVWaterMarks(high: 0)
        try checkFailure()
        while handle.writeQueueSize > 0 { try await waitForShorterQueue(until: deadline) }
    }

    /// Waits until the stream reports that its queue has become shorter.
    private nonisolated(nonsending) func waitForShorterQueue(until deadline: UInt64) async throws(UVError) {
        let number = unsafe state.pointee.nextWriter
        unsafe state.pointee.nextWriter &+= 1
        do throws(UVError) {
            try await loop.waitFor("uv_write") { (operation: PendingOperation<Void>) in
                unsafe state.pointee.writers.append(
                    WaitingWriter(operation: operation, number: number, deadline: deadline))
                handle.reportsWrites = true
                beginTimedWrite(until: deadline)
                return nil
            }
        } catch {
            unsafe state.pointee.writers.removeAll { $0.number == number }
            throw error
        }
        try checkFailure()
    }

    /// Resumes the tasks that wait for the write queue.
    func wakeWriters() {
        let writers = unsafe state.pointee.writers
        unsafe state.pointee.writers = []
        for writer in writers { writer.operation.complete(.success(())) }
    }
}
