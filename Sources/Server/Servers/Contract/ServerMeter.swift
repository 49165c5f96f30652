internal import Synchronization
internal import SystemCalls

/// The counts of a server, or of one loop of it: the threads that serve add to them, and any thread reads.
final class ServerMeter: Sendable {
    private let accepted = Atomic<Int>(0)
    private let closed = Atomic<Int>(0)
    private let refused = InlineArray<6, Atomic<Int>> { _ in Atomic(0) }
    private let ended = InlineArray<5, Atomic<Int>> { _ in Atomic(0) }
    private let held = Atomic<Int>(0)
    private let received = Atomic<Int>(0)
    private let sent = Atomic<Int>(0)
    private let messages = Atomic<Int>(0)
    private let latency = AtomicHistogram()
    private let rounds = AtomicHistogram()
    private let lag = AtomicHistogram()
    private let buffers = InlineArray<3, Atomic<Int>> { _ in Atomic(0) }
    /// When the loop last looked at its clock, in nanoseconds; 0 where there is no loop.
    private let tick = Atomic<Int>(0)

    /// How often a loop looks at its clock.
    static let tick = Duration.milliseconds(100)
    static let tickNanoseconds: UInt64 = 100_000_000

    // MARK: Connections

    func connectionAccepted() { accepted.add(1, ordering: .relaxed) }
    func connectionClosed() { closed.add(1, ordering: .relaxed) }

    func connectionsRefused(_ reason: RefusalReason, count: Int = 1) {
        if let index = RefusalReason.allCases.firstIndex(of: reason) { refused[index].add(count, ordering: .relaxed) }
    }

    func connectionEnded(_ reason: EndReason) {
        if let index = EndReason.allCases.firstIndex(of: reason) { ended[index].add(1, ordering: .relaxed) }
    }

    /// Notes that more bytes of answers wait, or fewer.
    func heldChanged(by difference: Int) { held.add(difference, ordering: .relaxed) }

    // MARK: Messages

    /// Notes that an answer has been given to the kernel, or queued.
    func answered(messages count: Int, sinceNanoseconds begin: UInt64) {
        messages.add(count, ordering: .relaxed)
        latency.record(nanoseconds: Int(clamping: MonotonicTime.nanoseconds() &- begin))
    }

    func received(_ count: Int) { received.add(count, ordering: .relaxed) }
    func sent(_ count: Int) { sent.add(count, ordering: .relaxed) }

    // MARK: Loops

    /// Sets how many bytes there have been: by the one thread that counts them already.
    func setByteCounts(received: Int, sent: Int) {
        self.received.store(received, ordering: .relaxed)
        self.sent.store(sent, ordering: .relaxed)
    }

    func roundEnded(nanoseconds: Int) { rounds.record(nanoseconds: nanoseconds) }

    /// Notes that the loop has looked at its clock.
    func ticked(nanosecondsLate: Int) {
        lag.record(nanoseconds: max(0, nanosecondsLate))
        tick.store(Int(clamping: MonotonicTime.nanoseconds()), ordering: .relaxed)
    }

    func setBuffers(made: Int, pooled: Int, inFlight: Int) {
        buffers[0].store(made, ordering: .relaxed)
        buffers[1].store(pooled, ordering: .relaxed)
        buffers[2].store(inFlight, ordering: .relaxed)
    }

    // MARK: Reading

    var metrics: ServerMetrics {
        var metrics = ServerMetrics()
        // In this order: a connection that closes meanwhile is not counted as closed before it was accepted.
        let closed = self.closed.load(ordering: .relaxed)
        metrics.acceptedConnections = accepted.load(ordering: .relaxed)
        metrics.openConnections = metrics.acceptedConnections - closed
        for (index, reason) in RefusalReason.allCases.enumerated() {
            let count = refused[index].load(ordering: .relaxed)
            if count > 0 { metrics.refusedConnections[reason] = count }
        }
        for (index, reason) in EndReason.allCases.enumerated() {
            let count = ended[index].load(ordering: .relaxed)
            if count > 0 { metrics.endedConnections[reason] = count }
        }
        metrics.heldByteCount = held.load(ordering: .relaxed)
        metrics.receivedByteCount = received.load(ordering: .relaxed)
        metrics.sentByteCount = sent.load(ordering: .relaxed)
        metrics.messageCount = messages.load(ordering: .relaxed)
        metrics.answerLatency = latency.histogram
        if let loop = loopMetrics { metrics.loops = [loop] }
        return metrics
    }

    private var loopMetrics: ServerMetrics.Loop? {
        let tick = self.tick.load(ordering: .relaxed)
        guard tick > 0 else { return nil }
        var loop = ServerMetrics.Loop()
        loop.roundTime = rounds.histogram
        loop.lag = lag.histogram
        loop.madeBuffers = buffers[0].load(ordering: .relaxed)
        loop.pooledBuffers = buffers[1].load(ordering: .relaxed)
        loop.buffersInFlight = buffers[2].load(ordering: .relaxed)
        loop.sinceTick = .nanoseconds(max(0, Int(clamping: MonotonicTime.nanoseconds()) - tick))
        return loop
    }
}
