internal import SystemCalls

/// All connections of a load and their requests in flight, with counts for each target.
struct ConnectionTable: ~Copyable {
    var rows: FixedTable<Connection>
    var requests: RequestTable
    /// The maximum number of requests in flight on one connection.
    let depth: Int
    /// The number of connections that are open or closing.
    private(set) var openCount = 0
    /// The number of connections that are connecting or waiting for the greeting.
    private(set) var openingCount = 0
    private(set) var totalInFlight = 0
    private var inFlight: FixedTable<Int>
    /// For each target, the number of connections that can still carry requests or bulk traffic.
    private var usable: FixedTable<Int>
    private let countForEachTarget: Int

    init(_ plan: LoadConnections, isBulk: Bool) {
        let roles = plan.roles(isBulk: isBulk)
        let targetCount = plan.targets.count
        countForEachTarget = roles.count
        depth = plan.connectsForEachRequest ? 1 : plan.depth
        rows = FixedTable(repeating: Connection(), count: targetCount * roles.count)
        requests = RequestTable(
            connectionCount: targetCount * plan.count, depth: depth,
            takesTimestamps: plan.takesKernelTimestamps && !isBulk)
        inFlight = FixedTable(repeating: 0, count: targetCount)
        usable = FixedTable(repeating: plan.count, count: targetCount)
        var nextRequest = 0
        for index in 0..<rows.count {
            rows[index].role = roles[index % roles.count]
            if rows[index].role == .requests {
                rows[index].firstRequest = nextRequest
                nextRequest += requests.rowsPerConnection
            }
            rows[index].target = UInt8(truncatingIfNeeded: index / roles.count)
            // The distance between the first frames is odd, so that neighbouring connections start with different
            // frames.
            rows[index].nextFrame = index &* 1_048_583
        }
    }

    deinit {
        for index in 0..<rows.count where rows[index].descriptor >= 0 {
            _ = StreamSocket(adopting: rows[index].descriptor)
        }
    }

    /// Returns the range of rows that hold a target's connections.
    func range(ofTarget target: Int) -> Range<Int> { target * countForEachTarget..<(target + 1) * countForEachTarget }

    /// Whether at least one target has no connection left that can carry requests.
    var hasDesertedTarget: Bool {
        for target in 0..<usable.count where usable[target] == 0 { return true }
        return false
    }

    /// Returns whether a request is in flight to any target except the given target.
    @inline(__always)
    func isBusy(besides target: Int) -> Bool { totalInFlight != inFlight[target] }

    /// Returns whether a connection has room for one more request.
    @inline(__always)
    func hasRoom(_ index: Int) -> Bool { rows[index].acceptsRequests && rows[index].inFlightCount < depth }

    /// Adds a request to a connection that has room for it.
    @inline(__always)
    mutating func begin(_ request: Request, on index: Int) {
        requests.rows[requests.row(rows[index].begunCount, of: rows[index])] = request
        rows[index].begunCount &+= 1
        rows[index].nextFrame &+= 1
        inFlight[Int(rows[index].target)] &+= 1
        totalInFlight &+= 1
    }

    /// Removes the oldest request of a connection, after its reply is complete.
    ///
    /// - Returns: whether the connection had no room for a request before the removal.
    @inline(__always)
    mutating func end(on index: Int) -> Bool {
        rows[index].repliedCount &+= 1
        rows[index].partlyReceived = 0
        inFlight[Int(rows[index].target)] &-= 1
        totalInFlight &-= 1
        return rows[index].inFlightCount &+ 1 == depth
    }

    /// Marks a connection as connecting and stores its descriptor.
    mutating func connect(_ index: Int, _ descriptor: Int32) {
        rows[index].descriptor = descriptor
        rows[index].state = .opening
        rows[index].interest = .readable
        rows[index].sentByteCount = 0
        openingCount += 1
    }

    /// Marks a connection as open, after its greeting was received.
    mutating func open(_ index: Int) {
        rows[index].state = .open
        openingCount -= 1
        openCount += 1
    }

    /// Closes a connection after its request has a reply.
    ///
    /// The row can be used for a new connection.
    mutating func disconnect(_ index: Int) {
        closeDescriptor(index)
        rows[index].state = .free
    }

    /// Closes a connection, and never connects it again.
    ///
    /// The replies to the connection's requests in flight are no longer awaited.
    mutating func close(_ index: Int) {
        closeDescriptor(index)
        let target = Int(rows[index].target)
        if rows[index].role == .requests || rows[index].role == .bulk { usable[target] -= 1 }
        inFlight[target] -= rows[index].inFlightCount
        totalInFlight -= rows[index].inFlightCount
        rows[index].begunCount = rows[index].repliedCount
        rows[index].state = .closed
    }

    private mutating func closeDescriptor(_ index: Int) {
        switch rows[index].state {
        case .opening: openingCount -= 1
        case .open, .closing: openCount -= 1
        case .free, .closed: break
        }
        if rows[index].descriptor >= 0 { _ = StreamSocket(adopting: rows[index].descriptor) }
        rows[index].descriptor = -1
    }
}
