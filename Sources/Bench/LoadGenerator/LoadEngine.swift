internal import IncrementProtocol
internal import Measurements
internal import SocketAddresses
internal import SystemCalls

/// The load: connections to one or several servers, and what is sent on them when.
///
/// One thread, one poller. Everything that a request touches was made beforehand: from `begin` to the last answer,
/// nothing is allocated and no reference is counted, unless an answer is wrong. The caller turns the engine, and takes
/// the records of answered requests after each turn.
public struct LoadEngine: ~Copyable {
    let plan: LoadConnections
    let depth: Int
    let depthMask: Int
    let isBulk: Bool
    let connectsForEachRequest: Bool
    let takesTimestamps: Bool
    let timeout: UInt64
    let spin: UInt64
    let sizeCount: Int

    var poller: EpollPoller
    var input: ReusableBuffer
    let pattern: KeyedPattern
    var connections: FixedTable<Connection>
    var requests: FixedTable<Request>
    /// How often each size is drawn: the sums of the weights up to it.
    let weightSums: FixedTable<UInt64>
    var random: SeededRandom
    /// The clock as it was read last.
    var now: UInt64 = 0
    /// When bytes came last.
    var lastReceived: UInt64 = 0
    var nextSource: UInt32 = 0
    var openCount = 0
    var failure: LoadError?

    // Records of answered requests, until they are taken.
    var records: FixedTable<SlotRecord>
    var recordCount = 0

    // What is in flight, for each target and in all.
    var outstanding: FixedTable<Int>
    var totalOutstanding = 0
    /// Connections of each target that can still carry requests.
    var usable: FixedTable<Int>

    // The traffic.
    var isSending = false
    var isClosedLoop = false
    var queues: ConnectionQueues
    var slots: SlotSource?
    var span = TrafficSpan(start: 0, measuredFrom: 0)
    var hasSlot = false
    var slotTime: UInt64 = 0
    var slotVariant = 0
    var isSlotContended = false
    var isHeld = false
    /// When the slot that waits could have been sent at the earliest, where that is later than its time.
    var releaseTime: UInt64 = 0

    // The slow connections, which take turns.
    var slowStep: UInt64 = 0
    var nextSlowTurn = UInt64.max
    var slowTurn = 0

    /// What was wrong so far with the answers of each target.
    public internal(set) var faultsOfTargets: [Faults]
    /// Requests that were begun.
    public internal(set) var begunCount = 0
    /// Those that were begun before the traffic that is under way.
    var begunBefore = 0
    /// Bytes of answers that have come and were right.
    public internal(set) var verifiedByteCount = 0
    /// Slots that were reached while a request to another target was not answered.
    public internal(set) var contendedCount = 0
    /// Slots that were reached while every connection was busy.
    public internal(set) var queuedCount = 0

    /// What was wrong so far with all answers.
    public var faults: Faults { faultsOfTargets.reduce(into: Faults()) { $0.add($1) } }

    /// Requests that are not answered yet.
    public var outstandingCount: Int { totalOutstanding }

    /// Whether there is nothing left to send: all was sent, or a server has no connection left that can carry more.
    public var isExhausted: Bool { !isSending || isDeserted }

    /// Slots that are due before the end and were not sent.
    public var unsentCount: Int {
        var rest = slots
        var count = hasSlot ? 1 : 0
        while hasSlot, count < 10_000_000, let time = rest?.next().time, time < span.end - span.start { count += 1 }
        return count
    }

    /// The time that the engine has read last, in nanoseconds of the monotonic clock.
    public var time: UInt64 { now }

    /// Since when requests count; zero before.
    public var measuredFor: Duration {
        now > span.measuredFrom ? .nanoseconds(Int64(clamping: now - span.measuredFrom)) : .zero
    }

    /// How long nothing has been received while answers were awaited, in nanoseconds.
    public var silence: UInt64 { totalOutstanding == 0 || now < lastReceived ? 0 : now - lastReceived }

    private var isDeserted: Bool {
        guard plan.count > 0 else { return false }
        for variant in 0..<usable.count where usable[variant] == 0 { return true }
        return false
    }

    /// Makes the requests, and opens the connections.
    ///
    /// - Parameters:
    ///   - plan: which connections.
    ///   - isBulk: whether they carry messages without a pause, and not requests.
    ///   - recordCapacity: how many records are kept until they are taken, beyond those that one turn can make.
    /// - Throws: where a server cannot be reached or does not greet, or the process may not open so many.
    public static func open(
        _ plan: LoadConnections, isBulk: Bool = false, recordCapacity: Int = 0
    ) throws(LoadError) -> LoadEngine {
        let poller = try makePoller()
        var engine = LoadEngine(plan, isBulk: isBulk, recordCapacity: recordCapacity, poller: poller)
        EpollPoller.waitExactly()
        try engine.openAll()
        return engine
    }

    private init(_ plan: LoadConnections, isBulk: Bool, recordCapacity: Int, poller: consuming EpollPoller) {
        self.poller = poller
        input = ReusableBuffer(capacity: 256 << 10)
        var depth = 1
        while depth < plan.depth { depth *= 2 }
        self.plan = plan
        self.depth = plan.depth
        depthMask = depth - 1
        self.isBulk = isBulk
        connectsForEachRequest = plan.connectsForEachRequest && !isBulk
        takesTimestamps = plan.takesKernelTimestamps && !isBulk
        timeout = plan.timeout.nanoseconds
        spin = plan.spin.nanoseconds
        random = SeededRandom(seed: plan.seed)
        let payloads = plan.sizes.shares.map(\.byteCount)
        sizeCount = payloads.count
        weightSums = LoadEngine.sums(plan.sizes)
        // The last size is that of slow readers.
        pattern = KeyedPattern(payloadCounts: payloads + [64 << 10], random: &random)
        let targetCount = plan.targets.count
        faultsOfTargets = [Faults](repeating: Faults(), count: targetCount)
        connections = FixedTable(repeating: Connection(), count: targetCount * plan.countForEachTarget)
        requests = FixedTable(repeating: Request(), count: targetCount * plan.countForEachTarget * depth)
        records = FixedTable(repeating: .empty, count: recordCapacity + targetCount * plan.count * depth)
        outstanding = FixedTable(repeating: 0, count: targetCount)
        usable = FixedTable(repeating: plan.count, count: targetCount)
        queues = ConnectionQueues(count: targetCount, capacity: plan.count)
        assignRoles()
    }

    deinit {
        for index in 0..<connections.count where connections[index].descriptor >= 0 {
            _ = StreamSocket(adopting: connections[index].descriptor)
        }
    }

    /// Calls `body` with each record since the last call, and forgets them.
    public mutating func takeRecords(_ body: (SlotRecord) -> Void) {
        for index in 0..<recordCount { body(records[index]) }
        recordCount = 0
    }

    private static func makePoller() throws(LoadError) -> EpollPoller {
        do throws(SystemCallError) { return try EpollPoller() } catch {
            throw LoadError("no poller can be had (\(error))")
        }
    }

    private static func sums(_ sizes: PayloadSizes) -> FixedTable<UInt64> {
        var table = FixedTable<UInt64>(repeating: 0, count: sizes.shares.count)
        var sum: UInt64 = 0
        for (index, share) in sizes.shares.enumerated() {
            sum += UInt64(share.weight)
            table[index] = sum
        }
        return table
    }

    private mutating func assignRoles() {
        let roles = plan.roles(isBulk: isBulk)
        for index in 0..<connections.count {
            connections[index].role = roles[index % roles.count]
            connections[index].variant = UInt8(truncatingIfNeeded: index / roles.count)
            // Apart by an odd number, so that neighbours are not at the same frame.
            connections[index].nextFrame = index &* 1_048_583
        }
    }
}
