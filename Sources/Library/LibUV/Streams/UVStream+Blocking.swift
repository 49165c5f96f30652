internal import CLibUV

extension UVStream {
    /// Sets whether writes block until the kernel has accepted all bytes (`uv_stream_set_blocking`).
    ///
    /// By default, writes do not block. Use blocking writes for a standard output that must be complete before the
    /// process exits; see `UVStandardStream`. The setting applies to all processes that share the descriptor, and to
    /// all operations of the stream. With blocking writes, a peer that does not read blocks the loop. If the program
    /// also reads from the stream, the loop blocks, too, when the peer sends exactly as many bytes as a read requests.
    ///
    /// - Throws: `badDescriptor` if the stream has no descriptor yet; `invalidArgument` if it is closing.
    public final func setBlocking(_ isBlocking: Bool) throws(UVError) {
        try call("uv_stream_set_blocking") { unsafe uv_stream_set_blocking(stream, isBlocking ? 1 : 0) }
    }
}
