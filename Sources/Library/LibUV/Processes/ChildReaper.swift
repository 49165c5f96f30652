internal import CLibUV

/// Waits for children whose handles have closed, so that the children do not stay zombies.
enum ChildReaper {
    /// Waits for a child that libuv no longer waits for.
    ///
    /// If the child has not ended yet, the function starts a thread that waits for the child and then ends. If the
    /// thread cannot be started, the child becomes a zombie when it ends, and stays a zombie until this process ends.
    static func reap(_ processID: Int32) {
        if cuv_wait_for_child(processID, 0) != 0 { return }
        var options = uv_thread_options_t()
        options.flags = UInt32(UV_THREAD_HAS_STACK_SIZE.rawValue)
        options.stack_size = 256 * 1024
        var thread = uv_thread_t()
        // The new thread inherits this signal mask. The thread must not receive signals, because the program may expect
        // them on other threads.
        var (all, previous) = (sigset_t(), sigset_t())
        unsafe sigfillset(&all)
        unsafe _ = pthread_sigmask(SIG_SETMASK, &all, &previous)
        let status = unsafe uv_thread_create_ex(
            &thread, &options,
            { argument in _ = cuv_wait_for_child(Int32(truncatingIfNeeded: Int(bitPattern: argument)), 1) },
            UnsafeMutableRawPointer(bitPattern: Int(processID)))
        unsafe _ = pthread_sigmask(SIG_SETMASK, &previous, nil)
        if status == 0 { pthread_detach(thread) }
    }
}
