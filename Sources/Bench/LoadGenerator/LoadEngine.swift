internal import Measurements
internal import SocketAddresses
internal import SystemCalls

/// Sends requests to one or several servers, and receives and checks the replies, on one thread with one poller.
///
/// The caller calls `turn` repeatedly, and takes the samples after each call. `Pacer` decides when a request is sent,
/// `RequestSender` sends it, `ReplyReceiver` receives the reply and `ReplyChecker` checks it; `ConnectionTable` holds
/// the state of the connections. The memory that requests need is allocated before: between `begin` and the last reply,
/// the engine allocates nothing and counts no references, unless a reply is wrong.
public struct LoadEngine: ~Copyable {
    let plan: LoadConnections
    let pattern: KeyedPattern
    var poller: EpollPoller
    var connections: ConnectionTable
    var pacer: Pacer
    var sender: RequestSender
    var receiver: ReplyReceiver
    var checker: ReplyChecker
    var slowTurns = SlowTurns()
    var connector: Connector
    /// The clock when it was last read.
    var now = MonotonicTime.nanoseconds()
    /// When bytes were last received.
    var lastReceived: UInt64 = 0
    /// The reason that the load cannot continue; the next turn throws it.
    var failure: LoadError?

    let timeout: UInt64
    let spin: UInt64

    /// The faults of each target.
    public internal(set) var faultsOfTargets: [Faults]

    /// Makes the requests, and opens the connections.
    ///
    /// - Parameters:
    ///   - plan: which connections.
    ///   - isBulk: whether they send messages without a pause, instead of requests.
    ///   - sampleCapacity: how many samples are kept until they are taken, in addition to those of one turn.
    /// - Throws: if a server cannot be reached or does not greet, or the process may not open that many descriptors.
    public static func open(
        _ plan: LoadConnections, isBulk: Bool = false, sampleCapacity: Int = 0
    ) throws(LoadError) -> LoadEngine {
        let poller: EpollPoller
        do throws(SystemCallError) { poller = try EpollPoller() } catch {
            throw LoadError("cannot create a poller (\(error))")
        }
        var engine = LoadEngine(plan, isBulk: isBulk, sampleCapacity: sampleCapacity, poller: poller)
        EpollPoller.waitExactly()
        try engine.openAll()
        return engine
    }

    private init(_ plan: LoadConnections, isBulk: Bool, sampleCapacity: Int, poller: consuming EpollPoller) {
        var plan = plan
        if isBulk { (plan.connectsForEachRequest, plan.takesKernelTimestamps) = (false, false) }
        self.plan = plan
        timeout = plan.timeout.nanoseconds
        spin = plan.spin.nanoseconds
        self.poller = poller
        var random = SeededRandom(seed: plan.seed)
        pattern = KeyedPattern(payloadCounts: plan.sizes.shares.map(\.byteCount), random: &random)
        connections = ConnectionTable(plan, isBulk: isBulk)
        pacer = Pacer(plan)
        sender = RequestSender(plan.sizes, random: random)
        receiver = ReplyReceiver(takesTimestamps: plan.takesKernelTimestamps)
        checker = ReplyChecker(sampleCapacity: sampleCapacity + connections.requests.rows.count)
        connector = Connector(plan, now: now)
        faultsOfTargets = [Faults](repeating: Faults(), count: plan.targets.count)
    }

    // MARK: - What the caller can ask

    /// The faults of all targets.
    public var faults: Faults { faultsOfTargets.reduce(into: Faults()) { $0.add($1) } }

    /// How many connections there are, open or not.
    public var connectionCount: Int { connections.rows.count }

    /// How many connections are open.
    public var openCount: Int { connections.openCount }

    /// The number of sent bytes, except those on earlier connections of the same rows.
    public var sentByteCount: Int { (0..<connections.rows.count).reduce(0) { $0 + connections.rows[$1].sentByteCount } }

    /// How many connections have received a reply.
    public var repliedConnectionCount: Int {
        (0..<connections.rows.count).count { connections.rows[$0].repliedCount > 0 }
    }

    /// Whether nothing is left to send: all was sent, or a target has no connection left that can carry requests.
    public var isExhausted: Bool { pacer.pacing == .stopped || (plan.count > 0 && connections.hasDesertedTarget) }

    /// The duration of the measurement so far; zero during the warm-up.
    public var measuredFor: Duration {
        now > pacer.span.measuredFrom ? .nanoseconds(Int64(clamping: now - pacer.span.measuredFrom)) : .zero
    }

    /// The time since bytes were last received, in nanoseconds; 0 if no replies are awaited.
    public var silence: UInt64 { connections.totalInFlight == 0 || now < lastReceived ? 0 : now - lastReceived }

    /// Calls `body` with each sample since the last call, and removes them.
    public mutating func takeSamples(_ body: (RequestSample) -> Void) { checker.takeSamples(body) }

    // MARK: - Traffic

    /// Sends traffic from its start to its end, and waits for the replies, each time at most the plan's timeout.
    ///
    /// - Parameters:
    ///   - isStopped: asked after each turn; true ends the traffic at once.
    ///   - body: receives each sample.
    public mutating func run(
        _ traffic: Traffic, over span: TrafficSpan, isStopped: () -> Bool = { false },
        _ body: (RequestSample) -> Void = { _ in }
    ) throws(LoadError) {
        try begin(traffic, over: span)
        while now < span.end, !isExhausted, silence < timeout, !isStopped() {
            try turn(until: min(span.end, now &+ 100_000_000))
            takeSamples(body)
        }
        try drain(timeout: timeout, isUrgent: isStopped)
        takeSamples(body)
    }

    /// Starts to send.
    ///
    /// No request may be in flight.
    public mutating func begin(_ traffic: Traffic, over span: TrafficSpan) throws(LoadError) {
        sender.beginTraffic()
        // The clock was last read in an earlier turn, perhaps long ago.
        now = MonotonicTime.nanoseconds()
        lastReceived = now
        pacer.begin(traffic, over: span, connections)
        slowTurns.begin(at: span.start, plan)
        for index in 0..<connections.rows.count {
            let role = connections.rows[index].role
            if role == .slowReader || role == .stalled { sendStream(index) }
        }
        switch traffic {
        case .closed(let target): startClosedLoop(target)
        case .bulk(let target):
            for index in connections.range(ofTarget: target) where connections.rows[index].role == .bulk {
                sendStream(index)
            }
        case .paced, .none: break
        }
        if let failure { throw failure }
    }

    /// Sends no more.
    ///
    /// Replies to requests in flight are still received.
    public mutating func stopSending() {
        pacer.stop()
        slowTurns.stop()
    }

    /// Sends due requests, waits until a connection is ready, and serves the ready connections.
    ///
    /// - Parameter limit: when to return at the latest, in nanoseconds of the monotonic clock.
    /// - Throws: if the load cannot go on; a wrong reply is counted and does not throw.
    public mutating func turn(until limit: UInt64) throws(LoadError) {
        if pacer.pacing == .scheduled { sendDue() }
        if slowTurns.next != .max { takeSlowTurns() }
        let count: Int
        do throws(SystemCallError) { count = try poller.wait(nanoseconds: waitingTime(until: limit)) } catch {
            throw LoadError("cannot wait for the connections (\(error))")
        }
        if count == 0 { now = MonotonicTime.nanoseconds() }
        for position in 0..<count { serve(poller.ready(at: position)) }
        if let failure { throw failure }
    }

    private func waitingTime(until limit: UInt64) -> UInt64 {
        var end = min(limit, slowTurns.next)
        if pacer.pacing == .scheduled, pacer.due <= end {
            // Returning early makes the next turns spin until the slot is due.
            end = pacer.due &- min(spin, pacer.due)
        }
        return end > now ? end &- now : 0
    }

    @inline(__always)
    private mutating func serve(_ ready: ReadyDescriptor) {
        let index = Int(ready.descriptor)
        guard connections.rows[index].state == .open, connections.rows[index].role == .requests else {
            return serveOther(index, ready.readiness)
        }
        if ready.readiness.contains(.readable) { receive(index) }
        if connections.rows[index].interest.contains(.writable), connections.rows[index].state == .open { send(index) }
    }

    private mutating func serveOther(_ index: Int, _ readiness: Interest) {
        switch connections.rows[index].state {
        case .opening: receiveGreeting(index)
        case .open where connections.rows[index].role.isStream: serveStream(index, readiness)
        case .open, .closing: receiveSurplus(index)
        case .free, .closed: break
        }
    }

    /// Changes what the poller waits for on a connection.
    mutating func setInterest(_ index: Int, _ interest: Interest) {
        guard connections.rows[index].interest != interest else { return }
        connections.rows[index].interest = interest
        do throws(SystemCallError) {
            try poller.modify(connections.rows[index].descriptor, interest, as: Int32(truncatingIfNeeded: index))
        } catch { failure = LoadError("cannot wait for a connection (\(error))") }
    }
}

extension Duration {
    /// Whole nanoseconds; 0 for a negative duration.
    var nanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        let (product, overflows) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        return overflows ? .max : product &+ UInt64(attoseconds / 1_000_000_000)
    }
}
