internal import CLibUV

/// SIGCHLD, by which libuv learns that a child has ended.
enum ChildSignal {
    /// Lets the calling thread receive the signal.
    ///
    /// The signal comes to any thread of the process that does not block it. Where each one does, as in a program
    /// whose threads all belong to Swift's concurrency, it would wait forever.
    static func unblock() {
        var set = sigset_t()
        unsafe sigemptyset(&set)
        unsafe sigaddset(&set, SIGCHLD)
        unsafe _ = pthread_sigmask(SIG_UNBLOCK, &set, nil)
    }
}
