internal import SystemCalls

// Serves the connections that send messages without waiting for replies: bulk, slow and stalled connections.
extension LoadEngine {
    /// The maximum number of bytes that a stalled connection sends.
    ///
    /// The limit protects the memory of a server that has no back-pressure.
    private static var stalledLimit: Int { 64 << 20 }

    mutating func serveStream(_ index: Int, _ readiness: Interest) {
        let role = connections.rows[index].role
        let isSending = pacer.pacing != .stopped
        if readiness.contains(.readable) {
            // During traffic, the poller does not watch slow readers and stalled connections for incoming bytes. The
            // poller reports such a connection as readable only if the connection failed.
            let readsFreely = !isSending || role == .bulk || role == .slowWriter
            receiveStream(index, limit: readsFreely ? .max : 1)
        }
        if readiness.contains(.writable), connections.rows[index].state == .open, isSending, role != .slowWriter {
            sendStream(index)
        }
    }

    /// Sends as many bytes of a stream as fit in the socket's send buffer, with one send call.
    mutating func sendStream(_ index: Int, limit: Int = .max) {
        guard connections.rows[index].state == .open else { return }
        do throws(SystemCallError) {
            try sender.sendStream(on: &connections.rows[index], pattern, limit: limit)
        } catch { return lose(index, "\(error)") }
        switch connections.rows[index].role {
        case .bulk: setInterest(index, [.readable, .writable])
        case .slowReader: setInterest(index, .writable)
        case .stalled:
            setInterest(index, connections.rows[index].sentByteCount < LoadEngine.stalledLimit ? .writable : [])
        case .slowWriter, .requests, .idle: break
        }
    }

    /// Receives at most `limit` bytes of a stream and checks them.
    private mutating func receiveStream(_ index: Int, limit: Int) {
        let result: IOResult
        do throws(SystemCallError) {
            result = try receiver.receive(on: connections.rows[index].descriptor, limit: limit)
        } catch { return lose(index, "\(error)") }
        switch result {
        case .bytes:
            now = MonotonicTime.nanoseconds()
            lastReceived = now
            var offset = 0
            let finding = checker.checkStream(receiver.input, from: &offset, on: &connections.rows[index], pattern)
            if case .wrong(let right) = finding { fault(index, at: offset + right, skipping: right) }
        case .wouldBlock: break
        case .end: lose(index, "end of stream")
        }
    }

    /// Reads or sends a few bytes on each slow connection that is due.
    mutating func takeSlowTurns() {
        now = MonotonicTime.nanoseconds()
        for _ in 0..<connections.rows.count {
            guard let index = slowTurns.take(at: now, connections) else { return }
            guard connections.rows[index].state == .open else { continue }
            if connections.rows[index].role == .slowReader {
                receiveStream(index, limit: plan.slowByteCount)
            } else {
                sendStream(index, limit: plan.slowByteCount)
            }
        }
        slowTurns.skip(to: now)
    }
}
