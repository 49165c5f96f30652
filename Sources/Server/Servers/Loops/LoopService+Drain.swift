internal import LibUV
internal import SystemCalls

extension LoopService {
    /// Ends each connection once what it has sent is answered; nobody is accepted any more.
    func drain() {
        loop.updateTime()
        endQuiet()
        guard openConnections > 0 else { return }
        do throws(UVError) {
            let timeout = loop.now + configuration.drainTimeout
            let timer = try UVTimer(on: loop)
            try timer.start(after: DrainRules.interval, repeating: DrainRules.interval) { [self] timer in
                if loop.now >= timeout { endConnections() }
                endQuiet()
                closeLingering()
                if openConnections == 0 { timer.close() }
            }
        } catch { closeConnections() }
    }

    /// Whether the answer to what has just been read is the last on its connection: then the end goes with it.
    func isLastAnswer(on stream: UVStream, isInMessage: Bool) -> Bool {
        guard isDraining, !isInMessage, stream.unreadByteCount == 0 else { return false }
        stream.withSystemCalls { StreamSocket.cork($0) }
        return true
    }

    /// Ends this side, of a connection for which nothing waits.
    ///
    /// By the kernel's call: libuv's shutdown would send the end a round later, and what came meanwhile would be read
    /// and could not be answered any more. What comes from here on is read and dropped, so that no reset overtakes the
    /// answers.
    func endThisSide(of stream: UVStream) {
        guard stream.withSystemCalls({ try? StreamSocket.shutdown(.write, on: $0) }) != nil else {
            return stream.close()
        }
        lingering.append((stream, loop.now))
        // Already reading, unless the client was slow to take its answers.
        try? stream.resumeReading()
    }

    /// Ends this side of each connection that has been silent for long enough.
    private func endQuiet() {
        loop.walk { handle in if let stream = handle as? UVTCPStream { attend(to: stream) } }
    }

    private func closeLingering() {
        let now = loop.now
        lingering.removeAll { entry in
            if entry.stream.isClosing { return true }
            guard DrainRules.mayClose(sinceEnd: now - entry.end, state(of: entry.stream)) else { return false }
            entry.stream.close()
            return true
        }
    }

    /// The drain's time is over: each connection is closed behind what the kernel has taken.
    private func endConnections() {
        loop.walk { handle in
            guard let stream = handle as? UVTCPStream, !stream.isClosing else { return }
            _ = stream.withSystemCalls { try? StreamSocket.shutdown(.write, on: $0) }
            stream.close()
        }
    }

    func closeConnections() {
        loop.walk { handle in if handle is UVTCPStream { handle.close() } }
    }
}
