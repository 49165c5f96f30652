internal import CLibUV

/// Waits for children whose handles have closed, so that they do not stay zombies.
enum ChildReaper {
    /// Waits for a child for which libuv does not wait any more.
    ///
    /// If the child has not ended yet, a thread waits for it. The thread exists until the child has ended. If no thread
    /// can be made, the child stays a zombie from its end until this process ends.
    static func reap(_ processID: Int32) {
        if cuv_wait_for_child(processID, 0) != 0 { return }
        var options = uv_thread_options_t()
        options.flags = UInt32(UV_THREAD_HAS_STACK_SIZE.rawValue)
        options.stack_size = 256 * 1024
        var thread = uv_thread_t()
        // The new thread inherits the mask. It must not receive signals, which the program may expect on other threads.
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
