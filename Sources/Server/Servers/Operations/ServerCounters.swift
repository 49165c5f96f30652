internal import SystemCalls

/// The counters of one loop or thread of a server.
///
/// Only that loop or thread changes the counters, and any thread may read them. The summary at exit, `/metrics` and the
/// tests read the same counters.
final class ServerCounters: Sendable {
    let accepted = Counter()
    let closed = Counter()
    let received = Counter()
    let sent = Counter()
    let buffered = Counter()
    let peakBuffered = Counter()
    private let messages = Counter()
    private let latency = HistogramCounter()
    /// The time in nanoseconds at which the current iteration began, or 0 if none has begun; see `iterationBegan`.
    private let iterationBegin = Counter()
    private let loop: LoopCounters?

    init(ofLoop isLoop: Bool) { loop = isLoop ? LoopCounters() : nil }

    // MARK: Measuring

    /// Records that an iteration has begun; only the first call in an iteration has an effect.
    ///
    /// `select`, `poll`, `epoll` and `io-uring` call this function after each wait. All other models call it when bytes
    /// have been received.
    func iterationBegan() { if iterationBegin.value == 0 { iterationBegin.set(MonotonicTime.now) } }

    /// Records the latency of a reply, and counts the messages that the received bytes have closed.
    func replied(messageCount: Int) {
        messages.add(messageCount)
        latency.record(nanoseconds: MonotonicTime.now &- iterationBegin.value)
    }

    /// Records the end of an iteration.
    func iterationEnded() {
        guard iterationBegin.value != 0 else { return }
        loop?.iterations.record(nanoseconds: MonotonicTime.now &- iterationBegin.value)
        iterationBegin.set(0)
    }

    /// Records that the loop's 100 ms timer has fired.
    func ticked(late: Duration) { loop?.ticked(late: late) }

    func setBuffers(made: Int, pooled: Int, inFlight: Int) {
        loop?.madeBuffers.set(made)
        loop?.pooledBuffers.set(pooled)
        loop?.buffersInFlight.set(inFlight)
    }

    // MARK: Reading

    /// Adds the counts to `metrics`, which are the sums over all loops or threads of the server.
    func add(to metrics: inout ServerMetrics) {
        // Read `closed` before `accepted`. In the opposite order, a connection that opens and closes between the two
        // reads would make the number of open connections too small.
        let closed = self.closed.value
        let accepted = self.accepted.value
        metrics.acceptedConnections += accepted
        metrics.openConnections += accepted - closed
        metrics.receivedByteCount += received.value
        metrics.sentByteCount += sent.value
        metrics.bufferedByteCount += buffered.value
        metrics.peakBufferedByteCount = max(metrics.peakBufferedByteCount, peakBuffered.value)
        metrics.messageCount += messages.value
        latency.add(to: &metrics.replyLatency)
        if let loop { metrics.loops.append(loop.metrics) }
    }
}

/// The counters that only a loop has.
private final class LoopCounters: Sendable {
    let iterations = HistogramCounter()
    let lag = HistogramCounter()
    let madeBuffers = Counter()
    let pooledBuffers = Counter()
    let buffersInFlight = Counter()
    private let lastTick = Counter()

    init() { lastTick.set(MonotonicTime.now) }

    func ticked(late: Duration) {
        lag.record(nanoseconds: max(0, Int(late / .nanoseconds(1))))
        lastTick.set(MonotonicTime.now)
    }

    var metrics: ServerMetrics.Loop {
        var loop = ServerMetrics.Loop()
        iterations.add(to: &loop.iterationTime)
        lag.add(to: &loop.lag)
        loop.madeBuffers = madeBuffers.value
        loop.pooledBuffers = pooledBuffers.value
        loop.buffersInFlight = buffersInFlight.value
        loop.sinceTick = .nanoseconds(max(0, MonotonicTime.now - lastTick.value))
        return loop
    }
}
