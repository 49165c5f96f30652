internal import SystemCalls

// One thread that waits for all sockets with `poll`. It takes a list in place of `select`'s sets, and so has no
// highest descriptor; but the whole list goes into the kernel at each wait, and is looked through afterwards. The
// model breaks slowly: with a thousand idle clients, nearly all of a message's cost is for asking about them.

extension ServerModel {
    /// The readiness server over `poll`.
    public static let poll = ServerModel(
        name: "poll", summary: "one thread, the poll system call",
        sources: .readiness("PollServer", poller: "PollPoller")
    ) { ReadinessServer(waitingThrough: PollPoller.self, configuration: $0, logger: $1) }
}
