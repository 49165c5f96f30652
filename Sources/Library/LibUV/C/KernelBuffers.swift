internal import CLibUV

// The sizes of the kernel's buffers for a socket, which streams and sockets for datagrams have alike.

extension UVHandle {
    /// Sets a size (`uv_send_buffer_size`, `uv_recv_buffer_size`).
    ///
    /// - Throws: `invalidArgument` for a size that is not positive, which would ask for the size instead.
    final func setKernelBufferSize(
        _ byteCount: Int, _ operation: String,
        _ call: (UnsafeMutablePointer<uv_handle_t>, UnsafeMutablePointer<Int32>) -> Int32
    ) throws(UVError) {
        guard byteCount > 0 else { throw UVError(.invalidArgument, operation: operation) }
        _ = try unsafe kernelBufferSize(Int32(clamping: byteCount), operation, call)
    }

    /// Asks for a size with zero, or sets it.
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
