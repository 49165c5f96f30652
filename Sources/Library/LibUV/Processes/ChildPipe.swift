internal import CLibUV

/// A pipe between this process and a child (`uv_pipe`).
///
/// Unlike the socket that libuv makes for `UV_CREATE_PIPE`, a pipe can be opened again, for example as `/dev/stdout`.
enum ChildPipe {
    /// Makes a pipe, and lets a handle adopt one end.
    ///
    /// - Returns: the child's end, which is a blocking descriptor. The caller must close it.
    static func make(_ pipe: UVPipe, childWrites: Bool) throws(UVError) -> Int32 {
        let nonBlocking = Int32(UV_NONBLOCK_PIPE.rawValue)
        var ends: InlineArray<2, Int32> = [-1, -1]
        var span = ends.mutableSpan
        let status = unsafe span.withUnsafeMutableBufferPointer { buffer in
            // The buffer has two elements, so it has a base address.
            unsafe uv_pipe(
                buffer.baseAddress.unsafelyUnwrapped, childWrites ? nonBlocking : 0, childWrites ? 0 : nonBlocking)
        }
        try check(status, "uv_pipe")
        let (ours, theirs) = childWrites ? (ends[0], ends[1]) : (ends[1], ends[0])
        do throws(UVError) { try pipe.adopt(descriptor: ours) } catch {
            SystemDescriptor.close(ours)
            SystemDescriptor.close(theirs)
            throw error
        }
        return theirs
    }
}
