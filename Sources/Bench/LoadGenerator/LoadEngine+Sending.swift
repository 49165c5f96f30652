internal import IncrementProtocol
internal import Measurements
internal import SystemCalls

extension LoadEngine {
    /// Begins a request on a connection that has room for it; the clock has just been read.
    @inline(__always)
    mutating func beginRequest(_ index: Int, intended: UInt64, lag: UInt64, isContended: Bool) {
        let row = index &* (depthMask &+ 1) &+ connections[index].begunCount & depthMask
        requests[row] = Request(
            intended: intended, sent: now, lag: lag, frame: connections[index].nextFrame, size: drawSize(),
            slot: UInt32(truncatingIfNeeded: begunCount &- begunBefore),
            isContended: isContended)
        connections[index].nextFrame &+= 1
        connections[index].begunCount &+= 1
        outstanding[Int(connections[index].variant)] &+= 1
        totalOutstanding &+= 1
        begunCount &+= 1
        if intended >= span.measuredFrom { countMeasured() }
        if connections[index].phase == .free { return connectForRequest(index) }
        if connections[index].begunCount == connections[index].sentCount &+ 1 { send(index) }
    }

    @inline(__always)
    private mutating func countMeasured() {
        span.count &-= 1
        if span.count == 0 { stopSending() }
    }

    private mutating func connectForRequest(_ index: Int) {
        do throws(LoadError) { try connect(index) } catch { failure = error }
    }

    @inline(__always)
    private mutating func drawSize() -> Int {
        if sizeCount == 1 { return 0 }
        let drawn = random.next(below: weightSums[sizeCount &- 1])
        var size = 0
        while weightSums[size] <= drawn { size &+= 1 }
        return size
    }

    /// Sends what was begun on a connection, as far as there is room.
    mutating func send(_ index: Int) {
        let descriptor = connections[index].descriptor
        while connections[index].sentCount < connections[index].begunCount {
            let row = index &* (depthMask &+ 1) &+ connections[index].sentCount & depthMask
            let size = pattern.sizes[requests[row].size]
            let offset = size.requestOffset(ofFrame: requests[row].frame)
            let range = offset &+ connections[index].partlySent..<offset &+ size.requestCount
            let result: IOResult
            do throws(SystemCallError) {
                result = try pattern.requests.withRows(range) { bytes throws(SystemCallError) in
                    try StreamSocket.send(bytes, on: descriptor)
                }
            } catch { return ended(index, "\(error)") }
            guard case .bytes(let count) = result else { return waitToSend(index) }
            connections[index].sentByteCount &+= count
            guard count == range.count else {
                connections[index].partlySent &+= count
                continue
            }
            requests[row].lastByte = UInt32(truncatingIfNeeded: connections[index].sentByteCount &- 1)
            connections[index].partlySent = 0
            connections[index].sentCount &+= 1
            if takesTimestamps { takeSentTime(index) }
            finishEarlyAnswer(index)
            guard connections[index].phase == .open else { return }
        }
        if connections[index].waitsToSend { setInterest(index, .readable) }
    }

    private mutating func waitToSend(_ index: Int) {
        if !connections[index].waitsToSend { setInterest(index, [.readable, .writable]) }
    }

    /// Changes what the poller waits for on a connection.
    mutating func setInterest(_ index: Int, _ interest: Interest) {
        connections[index].waitsToSend = interest.contains(.writable)
        do throws(SystemCallError) {
            try poller.modify(connections[index].descriptor, interest, as: Int32(truncatingIfNeeded: index))
        } catch { failure = LoadError("a connection cannot be waited for (\(error))") }
    }

    /// Takes the time of one send from the kernel, where it is there already, and gives it to its request.
    @inline(__always)
    @discardableResult
    mutating func takeSentTime(_ index: Int) -> Bool {
        guard let sent = KernelTimestamps.takeSent(on: connections[index].descriptor) else { return false }
        var request = connections[index].answeredCount
        while request < connections[index].sentCount {
            let row = index &* (depthMask &+ 1) &+ request & depthMask
            if requests[row].lastByte == sent.lastByte { requests[row].kernelSent = sent.time }
            request &+= 1
        }
        return true
    }
}
