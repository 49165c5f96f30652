internal import Measurements
internal import SystemCalls

/// The event after which the load generator sends its next request.
enum Pacing: UInt8 {
    /// None: no more requests are sent.
    case stopped
    /// The due time of the next request, which the schedule determines.
    case scheduled
    /// The moment at which the next request, which is already due, can be sent.
    ///
    /// The request waits until a connection is free and no request to another target is in flight.
    case held
    /// A reply: the next request is sent on the same connection.
    case closedLoop
    /// Free space in the socket's send buffer: no single requests are sent, only streams of messages.
    case streaming
}

/// Decides when the next request is sent, and on which connection.
struct Pacer: ~Copyable {
    private(set) var pacing = Pacing.stopped
    private(set) var span = TrafficSpan(start: 0)
    /// The number of requests that became due while every connection was busy.
    private(set) var queuedCount = 0

    private var source: ArrivalSource?
    private var queues: ConnectionQueues
    /// The time at which the next request is due.
    private(set) var due: UInt64 = 0
    private var target = 0
    private(set) var isContended = false
    /// The time at which the most recently delayed request became ready to be sent.
    private var releaseTime: UInt64 = 0

    init(_ plan: LoadConnections) { queues = ConnectionQueues(count: plan.targets.count, capacity: plan.count) }

    /// The number of requests that are due before the end of the traffic but were not sent.
    var unsentCount: Int {
        guard pacing == .scheduled || pacing == .held, var rest = source else { return 0 }
        var count = 1
        while count < 10_000_000, rest.next().time < span.end - span.start { count += 1 }
        return count
    }

    mutating func begin(_ traffic: Traffic, over span: TrafficSpan, _ connections: borrowing ConnectionTable) {
        self.span = span
        releaseTime = 0
        switch traffic {
        case .paced(let source):
            self.source = source
            queues.removeAll()
            for index in 0..<connections.rows.count where connections.rows[index].role == .requests {
                append(index, connections)
            }
            pacing = .scheduled
            advance()
        case .closed: pacing = .closedLoop
        case .bulk, .none: pacing = .streaming
        }
    }

    mutating func stop() { pacing = .stopped }

    /// Counts a request that was begun.
    ///
    /// - Returns: whether the request was the last one.
    @inline(__always)
    mutating func countRequest(intended: UInt64) -> Bool {
        guard intended >= span.measuredFrom else { return false }
        span.count &-= 1
        return span.count == 0
    }

    /// Returns a connection for the request that is due; `nil` if no request is due, or if the request has to wait.
    @inline(__always)
    mutating func takeConnection(at now: UInt64, _ connections: borrowing ConnectionTable) -> Int? {
        guard pacing == .scheduled, due <= now else { return nil }
        if connections.isBusy(besides: target) {
            isContended = true
        } else {
            while !queues.isEmpty(target) {
                let index = queues.removeFirst(of: target)
                if connections.rows[index].acceptsRequests { return index }
            }
            queuedCount &+= 1
        }
        pacing = .held
        return nil
    }

    /// Returns the lag of the due request if it is sent at the given time.
    @inline(__always)
    func lag(at now: UInt64) -> UInt64 {
        let earliest = max(due, releaseTime)
        return now > earliest ? now &- earliest : 0
    }

    /// Takes the next request from the schedule.
    @inline(__always)
    mutating func advance() {
        guard pacing == .scheduled, let next = source?.next() else { return }
        let (time, overflows) = span.start.addingReportingOverflow(next.time)
        guard !overflows, time < span.end else { return stop() }
        due = time
        target = next.target
        isContended = false
    }

    /// If a connection can send another request, appends the connection to its target's queue.
    @inline(__always)
    mutating func append(_ index: Int, _ connections: borrowing ConnectionTable) {
        guard connections.hasRoom(index) else { return }
        queues.append(index, to: Int(connections.rows[index].target))
    }

    /// Ends the wait of a due request if the request can be sent now.
    @inline(__always)
    mutating func release(at now: UInt64, _ connections: borrowing ConnectionTable) {
        guard pacing == .held, !connections.isBusy(besides: target), !queues.isEmpty(target) else { return }
        pacing = .scheduled
        releaseTime = now
    }
}
