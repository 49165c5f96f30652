internal import SystemCalls

// Processes a request from its due time to its reply: begin, send, receive, check, complete.
extension LoadEngine {
    /// Sends the requests that are due, at most 64 per call, so that replies are not delayed.
    mutating func sendDue() {
        now = MonotonicTime.nanoseconds()
        var count = 0
        while count < 64, let index = pacer.takeConnection(at: now, connections) {
            begin(index, intended: pacer.due, lag: pacer.lag(at: now), isContended: pacer.isContended)
            pacer.append(index, connections)
            pacer.advance()
            now = MonotonicTime.nanoseconds()
            count &+= 1
        }
    }

    /// Begins as many requests as possible on every connection to a target.
    mutating func startClosedLoop(_ target: Int) {
        for index in connections.range(ofTarget: target) where connections.rows[index].role == .requests {
            while pacer.pacing == .closedLoop, connections.hasRoom(index), failure == nil {
                now = MonotonicTime.nanoseconds()
                begin(index, intended: now, lag: 0, isContended: false)
            }
        }
    }

    /// Begins a request on a connection that has room for it.
    ///
    /// The caller must have just read the clock into `now`.
    @inline(__always)
    private mutating func begin(_ index: Int, intended: UInt64, lag: UInt64, isContended: Bool) {
        let request = sender.makeRequest(
            on: connections.rows[index], intended: intended, sent: now, lag: lag, isContended: isContended)
        connections.begin(request, on: index)
        if pacer.countRequest(intended: intended) { stopSending() }
        if connections.rows[index].state == .free {
            connectForRequest(index)
        } else if connections.rows[index].begunCount == connections.rows[index].sentCount &+ 1 {
            send(index)
        }
    }

    private mutating func connectForRequest(_ index: Int) {
        do throws(LoadError) { try connect(index) } catch { failure = error }
    }

    /// Sends the requests that were begun on a connection, until the socket's send buffer is full.
    mutating func send(_ index: Int) {
        let isComplete: Bool
        do throws(SystemCallError) {
            isComplete = try sender.send(on: &connections.rows[index], &connections.requests, pattern)
        } catch { return lose(index, "\(error)") }
        setInterest(index, isComplete ? .readable : [.readable, .writable])
        if connections.rows[index].partlyReceived > 0 { completeEarlyReply(index) }
    }

    /// Completes a reply that arrived before its request was completely sent.
    private mutating func completeEarlyReply(_ index: Int) {
        let connection = connections.rows[index]
        let request = connections.requests.rows[connections.requests.row(connection.repliedCount, of: connection)]
        guard connection.partlyReceived == pattern.replyRange(of: request).count,
            connection.sentCount > connection.repliedCount
        else { return }
        now = MonotonicTime.nanoseconds()
        complete(index, kernelReceived: 0)
    }

    /// Receives the available bytes of a connection and checks them.
    @inline(__always)
    mutating func receive(_ index: Int) {
        let result: IOResult
        do throws(SystemCallError) { result = try receiver.receive(on: connections.rows[index].descriptor) } catch {
            return lose(index, "\(error)")
        }
        switch result {
        case .bytes:
            now = MonotonicTime.nanoseconds()
            lastReceived = now
            check(index)
        case .wouldBlock: takeSentTimes(index)
        case .end: lose(index, "end of stream")
        }
    }

    /// Reads the kernel's send times and stores each time in its request.
    mutating func takeSentTimes(_ index: Int) {
        while connections.requests.takeSentTime(of: connections.rows[index]) {}
    }

    /// Checks the received bytes and completes every reply that they contain.
    @inline(__always)
    private mutating func check(_ index: Int) {
        let total = receiver.input.count
        // The bytes cannot contain replies to requests that are begun after this line.
        let begun = connections.rows[index].begunCount
        var offset = 0
        while offset < total {
            let number = connections.rows[index].repliedCount
            guard number < begun else { return fault(index, at: offset, skipping: 0, begun: begun) }
            let request = connections.requests.rows[connections.requests.row(number, of: connections.rows[index])]
            switch checker.check(receiver.input, from: &offset, on: &connections.rows[index], request, pattern) {
            case .incomplete: break
            case .complete:
                let isLast = offset == total
                if plan.connectsForEachRequest, !isLast {
                    return fault(index, at: offset, skipping: 0, begun: begun)
                }
                // The kernel's receive time belongs to the last byte. Replies that end before this byte therefore have
                // no receive time.
                complete(index, kernelReceived: isLast ? receiver.kernelTime : 0)
                if connections.rows[index].state != .open { return }
            case .wrong(let right): return fault(index, at: offset + right, skipping: right, begun: begun)
            }
        }
    }

    /// Records the oldest request of a connection after its reply is complete, and asks the pacer for the next request.
    @inline(__always)
    private mutating func complete(_ index: Int, kernelReceived: Int) {
        let row = connections.requests.row(connections.rows[index].repliedCount, of: connections.rows[index])
        if plan.takesKernelTimestamps, connections.requests.rows[row].kernelSent == 0 { takeSentTimes(index) }
        let request = connections.requests.rows[row]
        checker.record(
            RequestSample(
                intended: request.intended, sent: request.sent, received: now, lag: request.lag,
                kernelSent: request.kernelSent, kernelReceived: kernelReceived, slot: request.slot,
                target: connections.rows[index].target,
                isCold: connections.rows[index].repliedCount == 0 && !plan.connectsForEachRequest,
                isContended: request.isContended))
        let wasFull = connections.end(on: index)
        if plan.connectsForEachRequest { connections.disconnect(index) }
        switch pacer.pacing {
        case .closedLoop: begin(index, intended: now, lag: 0, isContended: false)
        case .scheduled, .held:
            if wasFull { pacer.append(index, connections) }
            pacer.release(at: now, connections)
        case .stopped, .streaming: break
        }
    }
}
