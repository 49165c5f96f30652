internal import CLibUV

/// The signal SIGCHLD, which tells libuv that a child has ended.
enum ChildSignal {
    /// Unblocks the signal on the calling thread.
    ///
    /// The kernel delivers the signal to a thread that does not block it. If all threads blocked the signal, for
    /// example because they all belong to Swift's concurrency runtime, it would stay pending forever.
    static func unblock() {
        var set = sigset_t()
        unsafe sigemptyset(&set)
        unsafe sigaddset(&set, SIGCHLD)
        unsafe _ = pthread_sigmask(SIG_UNBLOCK, &set, nil)
    }
}
