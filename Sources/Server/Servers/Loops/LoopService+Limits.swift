internal import LibUV
internal import SystemCalls

extension LoopService {
    /// Looks at every connection once in the limits' interval, where anything is limited.
    func startWatching() throws(UVError) {
        guard let interval = configuration.limits.interval ?? (countsHeld ? .seconds(1) : nil) else { return }
        let timer = try UVTimer(on: loop)
        timer.unref()
        let pace = max(interval / ConnectionLimits.parts, .milliseconds(1))
        var partSize = 0
        try timer.start(after: pace, repeating: pace) { [unowned self] _ in
            if unattended.isEmpty {
                collect()
                partSize = unattended.count / ConnectionLimits.parts + 1
            }
            attendToSome(partSize)
        }
    }

    private func collect() {
        loop.walk { handle in if let stream = handle as? UVTCPStream { unattended.append(stream) } }
    }

    private func attendToSome(_ count: Int) {
        for stream in unattended.suffix(count) { attend(to: stream) }
        unattended.removeLast(min(count, unattended.count))
    }

    func attend(to stream: UVTCPStream) {
        isAttending = true
        defer { isAttending = false }
        serving.attend(to: stream, for: self)
    }

    /// Looks at a connection, and ends it where a limit says so.
    ///
    /// - Returns: whether whatever serves it is to end this side.
    func attend(to stream: UVStream, _ view: ConnectionView) -> Bool {
        guard !stream.isClosing else { return false }
        let state = state(of: stream)
        if isDraining {
            return !view.hasEnded && stream.writeQueueSize == 0 && view.unansweredByteCount == 0
                && stream.unreadByteCount == 0 && DrainRules.mayEnd(isInMessage: view.isInMessage, state)
        }
        if let state, let end = watch.look(at: view.number, state, isInMessage: view.isInMessage, now: loop.now) {
            self.end(stream, view.number, because: end)
        }
        return false
    }

    func state(of stream: UVStream) -> TCPState? {
        stream.withSystemCalls { TCPState(of: $0) }
    }

    /// Ends a connection that would make more bytes wait than may, for all clients together.
    func endForWantOfRoom(_ stream: UVStream, _ number: UInt32) {
        end(stream, number, because: .heldBeyond(configuration.maxBufferedTotal))
    }

    /// Ends a connection that has gone beyond a limit, and says so once.
    func end(_ stream: UVStream, _ number: UInt32, because end: ConnectionEnd) {
        guard !stream.isClosing, let stream = stream as? UVTCPStream else { return }
        meter.connectionEnded(end.reason)
        log.ended(number, of: try? stream.remoteAddress, forwarding: clients[number], because: end)
        if end.reason.discards, (try? stream.closeReset()) != nil { return }
        stream.close()
    }
}
