internal import CLibUV

// The sizes of a socket's kernel buffers, for streams and datagram sockets.

extension UVHandle {
    /// Sets the size of a buffer (`uv_send_buffer_size`, `uv_recv_buffer_size`).
    ///
    /// - Throws: `invalidArgument` if the size is not positive. For a size of 0, libuv would return the current size
    ///   instead of setting it.
    final func setKernelBufferSize(
        _ byteCount: Int, _ operation: String,
        _ call: (UnsafeMutablePointer<uv_handle_t>, UnsafeMutablePointer<Int32>) -> Int32
    ) throws(UVError) {
        guard byteCount > 0 else { throw UVError(.invalidArgument, operation: operation) }
        _ = try unsafe kernelBufferSize(Int32(clamping: byteCount), operation, call)
    }

    /// Sets the size of a buffer, or returns the current size if `byteCount` is zero.
    final func kernelBufferSize(
        _ byteCount: Int32, _ operation: String,
        _ call: (UnsafeMutablePointer<uv_handle_t>, UnsafeMutablePointer<Int32>) -> Int32
    ) throws(UVError) -> Int {
        try checkOpen(operation)
        var value = byteCount
        try unsafe check(call(raw, &value), operation)
        return Int(value)
    }
}
