internal import IncrementProtocol
internal import SystemCalls

extension LoadEngine {
    /// Sends no more, and waits for what is in flight.
    ///
    /// - Parameters:
    ///   - timeout: how long to wait at most, in nanoseconds.
    ///   - isUrgent: tells, again and again, whether to wait no longer.
    public mutating func drain(timeout: UInt64, isUrgent: () -> Bool = { false }) throws(LoadError) {
        stopSending()
        for index in 0..<connections.count
        where connections[index].phase == .open && connections[index].role != .requests && connections[index].isStream {
            setInterest(index, .readable)
        }
        now = MonotonicTime.nanoseconds()
        let (end, overflows) = now.addingReportingOverflow(timeout)
        while totalOutstanding > 0 || streamsAwait, now < end || overflows, !isUrgent() {
            try turn(until: min(end, now &+ 50_000_000))
        }
    }

    private var streamsAwait: Bool {
        for index in 0..<connections.count
        where connections[index].phase == .open && connections[index].isStream && awaitedByteCount(index) > 0 {
            return true
        }
        return false
    }

    /// Waits for what is in flight, counts what does not come, ends each connection, and takes what still comes.
    ///
    /// - Parameter isUrgent: tells, again and again, whether to wait no longer.
    public mutating func finish(isUrgent: () -> Bool = { false }) throws(LoadError) {
        try drain(timeout: timeout, isUrgent: isUrgent)
        let wasUrgent = isUrgent()
        for index in 0..<connections.count {
            switch connections[index].phase {
            case .opening:
                if !wasUrgent {
                    self[faultsOf: index].lostAnswers += connections[index].inFlightCount
                }
                retire(index)
            case .open: endThisSide(index, losesAnswers: !wasUrgent)
            case .free, .ending, .retired: break
            }
        }
        let end = now &+ min(timeout, 1_000_000_000)
        while openCount > 0, now < end, !isUrgent() { try turn(until: min(end, now &+ 50_000_000)) }
        for index in 0..<connections.count where connections[index].phase == .ending { retire(index) }
    }

    private mutating func endThisSide(_ index: Int, losesAnswers: Bool) {
        let lost = connections[index].isStream ? awaitedAnswerCount(index) : connections[index].inFlightCount
        if lost > 0 {
            if losesAnswers {
                self[faultsOf: index].lostAnswers += lost
                self[faultsOf: index].note(
                    "connection \(index): \(lost) answers did not come within \(plan.timeout)")
            }
            return retire(index)
        }
        let socket = StreamSocket(adopting: connections[index].descriptor)
        let isEnded = (try? socket.shutdown(.write)) != nil
        _ = socket.release()
        guard isEnded else { return ended(index, "cannot be ended") }
        connections[index].phase = .ending
    }

    /// Whatever comes on an idle connection, or after everything was answered, is too much.
    mutating func receiveSurplus(_ index: Int) {
        let descriptor = connections[index].descriptor
        let isEnding = connections[index].phase == .ending
        let result: IOResult
        do throws(SystemCallError) {
            result = try input.fill { output throws(SystemCallError) in
                try StreamSocket.receive(on: descriptor, into: &output)
            }
        } catch { return isEnding ? retire(index) : ended(index, "\(error)") }
        now = MonotonicTime.nanoseconds()
        switch result {
        case .bytes: fault(index, at: 0, skipping: 0)
        case .wouldBlock: if takesTimestamps { while takeSentTime(index) {} }
        case .end: isEnding ? retire(index) : ended(index, "end of stream")
        }
    }
}
