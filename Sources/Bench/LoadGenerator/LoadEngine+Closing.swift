internal import SystemCalls

// Stops the traffic and closes the connections.
extension LoadEngine {
    /// Stops sending and waits for the replies to the requests that were sent.
    ///
    /// - Parameters:
    ///   - timeout: the longest time to wait, in nanoseconds.
    ///   - isUrgent: called after each iteration; if it returns true, the wait ends.
    public mutating func drain(timeout: UInt64, isUrgent: () -> Bool = { false }) throws(LoadError) {
        stopSending()
        for index in 0..<connections.rows.count
        where connections.rows[index].state == .open && connections.rows[index].role.isStream {
            setInterest(index, connections.rows[index].role == .stalled ? [] : .readable)
        }
        now = MonotonicTime.nanoseconds()
        let end = now &+ min(timeout, .max - now)
        while awaitsReplies, now < end, !isUrgent() { try turn(until: min(end, now &+ 50_000_000)) }
    }

    private var awaitsReplies: Bool {
        if connections.totalInFlight > 0 { return true }
        for index in 0..<connections.rows.count
        where connections.rows[index].role.isStream && awaitedReplyCount(index) > 0 { return true }
        return false
    }

    /// Returns the number of replies that a connection waits for.
    ///
    /// The number is 0 for a closed connection, and for a stalled connection, which reads no replies.
    func awaitedReplyCount(_ index: Int) -> Int {
        let connection = connections.rows[index]
        guard connection.state != .closed, connection.role != .stalled else { return 0 }
        return pattern.awaitedReplyCount(of: connection)
    }

    /// Waits for outstanding replies and half-closes the connections.
    ///
    /// Replies that do not arrive are counted as lost. Bytes after the last reply are counted as surplus.
    ///
    /// - Parameter isUrgent: called after each iteration; if it returns true, the wait ends.
    public mutating func finish(isUrgent: () -> Bool = { false }) throws(LoadError) {
        try drain(timeout: timeout, isUrgent: isUrgent)
        let countsLost = !isUrgent()
        for index in 0..<connections.rows.count {
            switch connections.rows[index].state {
            case .opening:
                if countsLost { self[faultsOf: index].lostReplies += connections.rows[index].inFlightCount }
                close(index)
            case .open: shutDown(index, countsLost: countsLost)
            case .free, .closing, .closed: break
            }
        }
        let end = now &+ min(timeout, 1_000_000_000)
        while connections.openCount > 0, now < end, !isUrgent() { try turn(until: min(end, now &+ 50_000_000)) }
        for index in 0..<connections.rows.count where connections.rows[index].state == .closing { close(index) }
    }

    /// Half-closes a connection.
    ///
    /// If replies are missing, or if the connection is stalled and reads no replies, closes the connection completely.
    private mutating func shutDown(_ index: Int, countsLost: Bool) {
        let lost = awaitedReplyCount(index)
        if lost > 0, countsLost {
            self[faultsOf: index].lostReplies += lost
            self[faultsOf: index].note("connection \(index): \(lost) replies did not arrive within \(plan.timeout)")
        }
        if lost > 0 || connections.rows[index].role == .stalled { return close(index) }
        do throws(SystemCallError) {
            try StreamSocket.shutdown(.write, on: connections.rows[index].descriptor)
            connections.rows[index].state = .closing
        } catch { lose(index, "\(error)") }
    }

    /// Receives on a connection that awaits no reply and counts every received byte as surplus.
    mutating func receiveSurplus(_ index: Int) {
        let isClosing = connections.rows[index].state == .closing
        let result: IOResult
        do throws(SystemCallError) {
            result = try receiver.receive(on: connections.rows[index].descriptor, limit: .max)
        } catch { return isClosing ? close(index) : lose(index, "\(error)") }
        now = MonotonicTime.nanoseconds()
        switch result {
        case .bytes: fault(index, at: 0, skipping: 0)
        case .wouldBlock: takeSentTimes(index)
        case .end: isClosing ? close(index) : lose(index, "end of stream")
        }
    }

    /// Closes a connection, and never connects it again.
    ///
    /// The load continues on the other connections.
    mutating func close(_ index: Int) {
        connections.close(index)
        pacer.release(at: now, connections)
    }
}
