internal import Measurements
internal import SocketAddresses
internal import SystemCalls

/// Sends requests to one or more servers, receives the replies, and checks them.
///
/// The engine runs on one thread and uses one poller.
///
/// The caller calls `turn` repeatedly and takes the samples after each call. `Pacer` decides when to send a request,
/// `RequestSender` sends it, `ReplyReceiver` receives the reply, and `ReplyChecker` checks it. `ConnectionTable` holds
/// the state of the connections.
///
/// All memory for requests is allocated before the traffic begins. From `begin` until the last reply, the engine
/// neither allocates nor changes a reference count, unless a reply is wrong.
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
    /// The time at which the engine last read the clock.
    var now = MonotonicTime.nanoseconds()
    /// The time at which the engine last received bytes.
    var lastReceived: UInt64 = 0
    /// The reason why the load cannot continue.
    ///
    /// The next call of `turn` throws this error.
    var failure: LoadError?

    let timeout: UInt64
    let spin: UInt64

    /// The faults of each target.
    public internal(set) var faultsOfTargets: [Faults]

    /// Makes the requests of a load and opens its connections.
    ///
    /// - Parameters:
    ///   - plan: the connections to open.
    ///   - isBulk: whether the connections send a continuous stream of messages instead of single requests.
    ///   - sampleCapacity: the number of samples that the engine can store until the caller takes them, in addition to
    ///     the samples of one iteration.
    /// - Throws: `LoadError` if a server cannot be reached or does not greet, if the descriptor limit is too low, or if
    ///   `isStopped` returns true before all connections are open.
    public static func open(
        _ plan: LoadConnections, isBulk: Bool = false, sampleCapacity: Int = 0,
        isStopped: () -> Bool = { false }
    ) throws(LoadError) -> LoadEngine {
        let poller: EpollPoller
        do throws(SystemCallError) { poller = try EpollPoller() } catch {
            throw LoadError("cannot create a poller (\(error))")
        }
        var engine = LoadEngine(plan, isBulk: isBulk, sampleCapacity: sampleCapacity, poller: poller)
        EpollPoller.waitExactly()
        try engine.openAll(isStopped)
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

    // MARK: - State

    /// The sum of the faults of all targets.
    public var faults: Faults { faultsOfTargets.reduce(into: Faults()) { $0.add($1) } }

    /// The number of connections in the table, whether open or not.
    public var connectionCount: Int { connections.rows.count }

    /// The number of open connections.
    public var openCount: Int { connections.openCount }

    /// The total number of bytes sent on the current connections.
    ///
    /// Bytes sent on connections that were closed and replaced are not included.
    public var sentByteCount: Int { (0..<connections.rows.count).reduce(0) { $0 + connections.rows[$1].sentByteCount } }

    /// The number of connections that have received at least one reply.
    public var repliedConnectionCount: Int {
        (0..<connections.rows.count).count { connections.rows[$0].repliedCount > 0 }
    }

    /// Whether the engine has nothing left to send.
    ///
    /// This is the case if all requests were sent, or if a target has no connection left that can carry requests.
    public var isExhausted: Bool { pacer.pacing == .stopped || (plan.count > 0 && connections.hasDesertedTarget) }

    /// The duration of the measurement so far; zero during warm-up.
    public var measuredFor: Duration {
        now > pacer.span.measuredFrom ? .nanoseconds(Int64(clamping: now - pacer.span.measuredFrom)) : .zero
    }

    /// The time since bytes were last received, in nanoseconds; 0 if no reply is awaited.
    public var silence: UInt64 { connections.totalInFlight == 0 || now < lastReceived ? 0 : now - lastReceived }

    /// Calls `body` with each sample recorded since the previous call, then removes the samples.
    public mutating func takeSamples(_ body: (RequestSample) -> Void) { checker.takeSamples(body) }

    // MARK: - Traffic

    /// Sends traffic from its start to its end and waits for the replies.
    ///
    /// The plan's timeout limits the wait for the replies.
    ///
    /// - Parameters:
    ///   - isStopped: called after each iteration; if it returns true, the traffic ends immediately.
    ///   - body: called with each sample.
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

    /// Starts to send traffic.
    ///
    /// No request may be in flight when this function is called.
    public mutating func begin(_ traffic: Traffic, over span: TrafficSpan) throws(LoadError) {
        sender.beginTraffic()
        // The clock is read again, because `now` comes from an earlier iteration, possibly long ago.
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

    /// Stops sending.
    ///
    /// The engine still receives the replies to requests in flight.
    public mutating func stopSending() {
        pacer.stop()
        slowTurns.stop()
    }

    /// Runs one iteration: sends due requests, waits until connections are ready, and serves them.
    ///
    /// - Parameter limit: the latest time at which the call returns, in nanoseconds of the monotonic clock.
    /// - Throws: `LoadError` if the load cannot continue. A wrong reply is counted and does not throw.
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
            // The wait ends early, so that the following iterations spin until the request is due.
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

    /// Changes the events that the poller reports for a connection.
    mutating func setInterest(_ index: Int, _ interest: Interest) {
        guard connections.rows[index].interest != interest else { return }
        connections.rows[index].interest = interest
        do throws(SystemCallError) {
            try poller.modify(connections.rows[index].descriptor, interest, as: Int32(truncatingIfNeeded: index))
        } catch { failure = LoadError("cannot wait for a connection (\(error))") }
    }
}
