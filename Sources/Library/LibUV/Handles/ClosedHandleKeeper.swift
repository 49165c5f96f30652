internal import CLibUV

/// Keeps the object of a handle that has closed, and so its cell, until its loop has gone round once more.
///
/// libuv before 1.48 may still have a datagram socket in the list of its next round after the close callback, where
/// the socket was closed in its own receive callback while datagrams were queued. It then looks at the handle again,
/// finds nothing to do, and forgets it; meanwhile the memory must stay.
enum ClosedHandleKeeper {
    /// Keeps `object`; to be called in its close callback.
    static func keep(_ object: UVHandle, on loop: UVLoop) {
        let keeper = UnsafeMutablePointer<cuv_keeper>.allocate(capacity: 1)
        // What is closed in a close callback has its own in the next round, after what that round begins with.
        unsafe keeper.initialize(
            to: cuv_keeper(timer: uv_timer_t(), kept: Unmanaged.passRetained(object).toOpaque()))
        unsafe uv_timer_init(loop.raw, cuv_keeper_timer(keeper))
        unsafe uv_close(cuv_handle_of_timer(cuv_keeper_timer(keeper))) { handle in
            guard let handle = unsafe handle else { return }
            let keeper = unsafe cuv_keeper_of_handle(handle)
            let object = unsafe Unmanaged<UVHandle>.fromOpaque(keeper.pointee.kept)
            unsafe keeper.deallocate()
            unsafe object.release()
        }
    }
}
