internal import SystemCalls

// One thread that waits for all sockets with `select`, the oldest of the calls. Each wait copies two sets of bits
// into the kernel and out again, and both sides look through them up to the highest descriptor: a message costs
// what is connected, not what is ready. And the sets have a fixed size: the model breaks at descriptor 1024, where
// C programs that do not look write beyond the set. Here such a client is refused.

extension ServerModel {
    /// The readiness server over `select`.
    public static let select = ServerModel(
        name: "select", summary: "one thread, the select system call: clients with descriptors below 1024",
        capacity: .descriptors(below: SelectPoller.descriptorLimit ?? 1024),
        sources: .readiness("SelectServer", poller: "SelectPoller")
    ) { ReadinessServer(waitingThrough: SelectPoller.self, configuration: $0, logger: $1) }
}
