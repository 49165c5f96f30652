internal import CLibUV

/// Keeps the object and the memory of a closed handle for one more iteration of its loop.
///
/// If a datagram socket is closed in its own receive callback while datagrams are queued, libuv before 1.48 may access
/// the handle once more in the iteration after the handle's close callback. Therefore the memory must stay allocated
/// during that iteration.
enum ClosedHandleKeeper {
    /// Keeps `object`.
    ///
    /// Call this function in the close callback of the handle.
    static func keep(_ object: UVHandle, on loop: UVLoop) {
        let keeper = UnsafeMutablePointer<cuv_keeper>.allocate(capacity: 1)
        // The timer is closed in the close callback of the socket. Therefore libuv calls the timer's close callback in
        // the next iteration, after the last access to the socket.
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
