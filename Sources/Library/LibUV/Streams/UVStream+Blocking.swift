internal import CLibUV

extension UVStream {
    /// Makes writes of the stream wait until the kernel has taken all, or not, as at first (`uv_stream_set_blocking`).
    ///
    /// For a standard output that must be written to the end before the process exits; see `UVStandardStream`. It
    /// concerns all who share the descriptor, and all that the stream does: a peer that does not read holds up the
    /// loop, and so does one that sends just as many bytes as a read asks for, where the stream is read.
    ///
    /// - Throws: `badDescriptor` on a stream that has no descriptor yet; `invalidArgument` on one that is closing.
    public final func setBlocking(_ isBlocking: Bool) throws(UVError) {
        try call("uv_stream_set_blocking") { unsafe uv_stream_set_blocking(stream, isBlocking ? 1 : 0) }
    }
}
