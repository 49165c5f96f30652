internal import CLibUV

// Writes of shared bytes. Such a write has a separately allocated request instead of one in a pool block. The write
// keeps its position among the other writes: the library first passes the writes that it has gathered so far to libuv,
// and then the shared write. Writes that the library gathers afterwards are passed to libuv when the shared write has
// completed.

extension UVStream {
    /// Writes a shared buffer without copying its bytes (`uv_write`).
    ///
    /// The write retains the buffer until libuv's write callback. Without a completion, the event `failed` reports a
    /// failure, and the event `written` reports success if `reportsWrites` is set.
    ///
    /// - Parameters:
    ///   - buffer: the bytes to write.
    ///   - completion: called once, in the order of the writes, before the stream has closed.
    /// - Throws: `badDescriptor` if the stream is closing or was never connected; `brokenPipe` if it has been shut
    ///   down. If the call throws, `completion` is not called.
    public final func write(
        _ buffer: UVSharedBuffer, completion: ((Result<Void, UVError>) -> Void)? = nil
    ) throws(UVError) {
        assertOnThread()
        // A write to a blocking terminal either sends all bytes immediately or fails. If bytes are queued, a write has
        // failed, and libuv would abort the process on the next write.
        if writeQueueSize != 0, unsafe UVTTY.isBlocking(stream) { throw UVError(.brokenPipe, operation: "uv_write") }
        if unsafe uv_is_writable(stream) != 0, !isClosing { unsafe GatheredWrites.flush(stream, of: loop) }
        let request = unsafe StreamRequest<uv_write_t> { [self] result in
            withExtendedLifetime(buffer) {}
            sharedWriteCompleted(result, completion)
        }
        // libuv copies the list of buffers. It does not change the bytes.
        var list = unsafe uv_buf_t(
            base: UnsafeMutableRawPointer(buffer.bytes.baseAddress)?.assumingMemoryBound(to: CChar.self),
            len: buffer.count)
        let status = unsafe uv_write(request.memory, stream, &list, 1) { raw, status in
            guard let raw = unsafe raw else { return }
            unsafe StreamRequest<uv_write_t>.complete(raw.pointee.data, status, "uv_write")
        }
        try check(status, "uv_write")
        // libuv never calls back during `uv_write`, so the request's `data` can be set after the call.
        unsafe request.memory.pointee.data = request.retained()
        unsafe loop.cell.pointee.bytes_written &+= UInt64(truncatingIfNeeded: buffer.count)
    }

    private func sharedWriteCompleted(
        _ result: Result<Void, UVError>, _ completion: ((Result<Void, UVError>) -> Void)?
    ) {
        // Writes that were gathered behind this one are waiting for its completion.
        if unsafe stream.pointee.write_queue_size == 0 { unsafe GatheredWrites.flush(stream, of: loop) }
        if let completion { return completion(result) }
        guard hasCallbacks, !isClosing else { return }
        switch result {
        case .success: if reportsWrites { unsafe Trampolines.emit(.written, on: stream) }
        case .failure(let error): unsafe Trampolines.emit(.failed(error), on: stream)
        }
    }
}
