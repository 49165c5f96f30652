internal import SystemCalls

// One thread, and the kernel's own list of sockets. `epoll` remembers what each socket is waited for, so that a
// wait costs what is ready and not what is connected; each message is one wait, one receive and one send, fewer
// where many are ready at once. The model breaks where an answer takes long to compute, and at the speed of one
// processor; and all that a library would do is done by hand: queues, interests, and who closes what when.

extension ServerModel {
    /// The readiness server over `epoll`.
    public static let epoll = ServerModel(
        name: "epoll", summary: "one thread, the epoll system calls, no library",
        sources: .readiness("EpollServer", poller: "EpollPoller")
    ) { ReadinessServer(waitingThrough: EpollPoller.self, configuration: $0, logger: $1) }
}
