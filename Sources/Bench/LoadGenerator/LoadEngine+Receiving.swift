internal import IncrementProtocol
internal import SystemCalls

extension LoadEngine {
    /// Receives what has come on a connection that carries requests, and checks it.
    @inline(__always)
    mutating func receive(_ index: Int) {
        let descriptor = connections[index].descriptor
        var time = 0
        let result: IOResult
        do throws(SystemCallError) {
            if takesTimestamps {
                result = try input.fill { output throws(SystemCallError) in
                    try KernelTimestamps.receive(on: descriptor, into: &output, time: &time)
                }
            } else {
                result = try input.fill { output throws(SystemCallError) in
                    try StreamSocket.receive(on: descriptor, into: &output)
                }
            }
        } catch { return ended(index, "\(error)") }
        switch result {
        case .bytes:
            now = MonotonicTime.nanoseconds()
            lastReceived = now
            check(index, time: input.count < input.capacity ? time : 0)
        case .wouldBlock: while takesTimestamps, takeSentTime(index) {}
        case .end: ended(index, "end of stream")
        }
    }

    /// Checks what was received against the answers that are awaited, and completes those that are whole.
    ///
    /// - Parameter time: when the kernel had received the last of the bytes; 0 where it did not tell, or where more may
    ///   wait, whose time it then could be. It is the time of the answer that ends with them, and of no other.
    @inline(__always)
    private mutating func check(_ index: Int, time: Int) {
        let total = input.count
        // What is begun from here on is answered by none of these bytes.
        let begun = connections[index].begunCount
        var offset = 0
        while offset < total {
            let request = connections[index].answeredCount
            guard request < begun else { return fault(index, at: offset, skipping: 0, begun: begun) }
            let row = index &* (depthMask &+ 1) &+ request & depthMask
            let size = pattern.sizes[requests[row].size]
            let done = connections[index].partlyAnswered
            let count = min(total &- offset, size.payloadCount &- done)
            let answer = size.answerOffset(ofFrame: requests[row].frame) &+ done
            let difference = input.withBytes { received in
                pattern.answers.withRows(answer..<answer &+ count) { expected in
                    firstDifference(received.extracting(offset..<offset &+ count), expected)
                }
            }
            if difference != nil || count == 0 {
                return fault(index, at: offset &+ (difference ?? 0), skipping: difference ?? 0, begun: begun)
            }
            offset &+= count
            verifiedByteCount &+= count
            connections[index].partlyAnswered = done &+ count
            // An answer that has come before its request was sent whole waits for that.
            if done &+ count == size.payloadCount, connections[index].sentCount > request {
                if connectsForEachRequest, offset < total { return fault(index, at: offset, skipping: 0, begun: begun) }
                complete(index, row, size.payloadCount, kernelReceived: offset == total ? time : 0)
                if connections[index].phase != .open { return }
            }
        }
    }

    /// A request has been sent whole: perhaps its answer was there before.
    mutating func finishEarlyAnswer(_ index: Int) {
        guard connections[index].partlyAnswered > 0 else { return }
        let row = index &* (depthMask &+ 1) &+ connections[index].answeredCount & depthMask
        let payloadCount = pattern.sizes[requests[row].size].payloadCount
        guard connections[index].partlyAnswered == payloadCount else { return }
        now = MonotonicTime.nanoseconds()
        complete(index, row, payloadCount, kernelReceived: 0)
    }

    @inline(__always)
    private mutating func complete(_ index: Int, _ row: Int, _ payloadCount: Int, kernelReceived: Int) {
        if takesTimestamps, requests[row].kernelSent == 0 { while takeSentTime(index) {} }
        connections[index].answeredCount &+= 1
        connections[index].partlyAnswered = 0
        let variant = connections[index].variant
        outstanding[Int(variant)] &-= 1
        totalOutstanding &-= 1
        if recordCount < records.count {
            records[recordCount] = SlotRecord(
                intended: requests[row].intended, sent: requests[row].sent, received: now, lag: requests[row].lag,
                kernelSent: requests[row].kernelSent, kernelReceived: kernelReceived, slot: requests[row].slot,
                payloadCount: UInt32(truncatingIfNeeded: payloadCount), variant: variant,
                isCold: connections[index].isCold && !connectsForEachRequest, isContended: requests[row].isContended)
            recordCount &+= 1
        }
        connections[index].isCold = false
        if connectsForEachRequest { leave(index) }
        if isClosedLoop {
            beginRequest(index, intended: now, lag: 0, isContended: false)
        } else {
            enqueue(index)
            if isHeld { release() }
        }
    }

    /// Closes the connection of a request that is answered; its row is free for the next.
    private mutating func leave(_ index: Int) {
        _ = StreamSocket(adopting: connections[index].descriptor)
        connections[index].descriptor = -1
        connections[index].phase = .free
        openCount -= 1
    }
}
