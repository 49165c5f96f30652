internal import IncrementProtocol
internal import Measurements
internal import SystemCalls

extension LoadEngine {
    /// Begins to send.
    ///
    /// No request may be outstanding.
    ///
    /// - Parameters:
    ///   - traffic: when requests are sent.
    ///   - span: from when to when.
    public mutating func begin(_ traffic: Traffic, over span: TrafficSpan) throws(LoadError) {
        self.span = span
        begunBefore = begunCount
        isSending = true
        isClosedLoop = false
        hasSlot = false
        lastReceived = now
        releaseTime = 0
        startSlowTurns()
        switch traffic {
        case .paced(let source):
            slots = source
            fillQueues()
            advanceSlot()
        case .closed(let variant):
            isClosedLoop = true
            startClosedLoop(variant)
        case .bulk(let variant):
            for index in connectionRange(variant) where connections[index].role == .bulk { sendStream(index) }
        case .none: break
        }
        if let failure { throw failure }
    }

    /// Sends no more: what is in flight is still awaited.
    public mutating func stopSending() {
        isSending = false
        isClosedLoop = false
        hasSlot = false
        nextSlowTurn = .max
    }

    /// Sends what is due, waits for what comes, and takes it.
    ///
    /// - Parameter limit: when to return at the latest, in nanoseconds of the monotonic clock.
    /// - Throws: what keeps the load from going on; no fault of a server's answers.
    public mutating func turn(until limit: UInt64) throws(LoadError) {
        if hasSlot { sendDue() }
        if nextSlowTurn != .max { takeSlowTurns() }
        let count: Int
        do throws(SystemCallError) { count = try poller.wait(nanoseconds: waitingTime(until: limit)) } catch {
            throw LoadError("waiting for the connections fails (\(error))")
        }
        if count == 0 { now = MonotonicTime.nanoseconds() }
        for index in 0..<count { serve(poller.ready(at: index)) }
        if let failure { throw failure }
    }

    private func waitingTime(until limit: UInt64) -> UInt64 {
        var end = min(limit, nextSlowTurn)
        if hasSlot, !isHeld, slotTime <= end {
            // Awake near the time, where that was asked for.
            end = slotTime &- min(spin, slotTime)
        }
        return end > now ? end &- now : 0
    }

    @inline(__always)
    private mutating func serve(_ ready: ReadyDescriptor) {
        let index = Int(ready.descriptor)
        if connections[index].phase == .open, connections[index].role == .requests {
            if ready.readiness.contains(.readable) { receive(index) }
            if connections[index].waitsToSend, connections[index].phase == .open { send(index) }
            return
        }
        serveOther(index, ready.readiness)
    }

    private mutating func serveOther(_ index: Int, _ readiness: Interest) {
        switch connections[index].phase {
        case .opening: greeted(index)
        case .open where connections[index].isStream: serveStream(index, readiness)
        case .open, .ending: receiveSurplus(index)
        case .free, .retired: break
        }
    }

    /// The rows of a target's connections.
    func connectionRange(_ variant: Int) -> Range<Int> {
        variant * plan.countForEachTarget..<(variant + 1) * plan.countForEachTarget
    }

    // MARK: - Slots

    private mutating func fillQueues() {
        queues.removeAll()
        for index in 0..<connections.count where connections[index].role == .requests {
            connections[index].isQueued = false
            enqueue(index)
        }
    }

    /// Puts a connection into its queue, where it has room and is not there.
    @inline(__always)
    mutating func enqueue(_ index: Int) {
        guard !connections[index].isQueued, connections[index].inFlightCount < depth else { return }
        guard connections[index].phase == .open || connections[index].phase == .free else { return }
        connections[index].isQueued = true
        queues.append(index, to: Int(connections[index].variant))
    }

    private mutating func advanceSlot() {
        hasSlot = false
        guard isSending, let next = slots?.next() else { return }
        let (time, overflows) = span.start.addingReportingOverflow(next.time)
        guard !overflows, time < span.end else {
            isSending = false
            return
        }
        slotTime = time
        slotVariant = next.variant
        isSlotContended = false
        hasSlot = true
    }

    /// Sends the slots that are due; not more than some, so that answers are not left waiting.
    private mutating func sendDue() {
        now = MonotonicTime.nanoseconds()
        var burst = 0
        while hasSlot, slotTime <= now, burst < 64, isSlotFree() {
            let index = queues.removeFirst(of: slotVariant)
            connections[index].isQueued = false
            guard connections[index].phase == .open || connections[index].phase == .free else { continue }
            let earliest = max(slotTime, releaseTime)
            beginRequest(
                index, intended: slotTime, lag: now > earliest ? now &- earliest : 0, isContended: isSlotContended)
            enqueue(index)
            advanceSlot()
            now = MonotonicTime.nanoseconds()
            burst &+= 1
        }
    }

    /// Whether the slot that is due can be sent: no other target is loaded, and a connection has room.
    private mutating func isSlotFree() -> Bool {
        if isHeld { return false }
        if totalOutstanding != outstanding[slotVariant] {
            isHeld = true
            isSlotContended = true
            contendedCount &+= 1
        } else if queues.isEmpty(slotVariant) {
            isHeld = true
            queuedCount &+= 1
        }
        return !isHeld
    }

    /// Looks whether the slot that was held can be sent from now on.
    @inline(__always)
    mutating func release() {
        guard isHeld, totalOutstanding == outstanding[slotVariant], !queues.isEmpty(slotVariant) else { return }
        isHeld = false
        releaseTime = now
    }

    // MARK: - The closed loop

    private mutating func startClosedLoop(_ variant: Int) {
        now = MonotonicTime.nanoseconds()
        for index in connectionRange(variant) where connections[index].role == .requests {
            while isSending, connections[index].inFlightCount < depth,
                connections[index].phase == .open || connections[index].phase == .free
            {
                beginRequest(index, intended: now, lag: 0, isContended: false)
                if connectsForEachRequest || failure != nil { break }
                now = MonotonicTime.nanoseconds()
            }
        }
    }
}
