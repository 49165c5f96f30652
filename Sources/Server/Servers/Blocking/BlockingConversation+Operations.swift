internal import IncrementProtocol
internal import Synchronization
internal import SystemCalls

extension BlockingConversation {
    /// Carries out the session's decisions about a reply, except `send`, which the caller carries out.
    @inline(never)
    mutating func replyLast(
        _ next: ServerSession.Reply, _ session: inout ServerSession
    ) throws(SystemCallError) -> Bool {
        switch next {
        case .send, .discard: return true
        case .sendThenShutDown:
            counters.received.add(input.count)
            StreamSocket.cork(descriptor)
            guard try send() else { return false }
            return operations.shutDown(descriptor, &session, bufferedByteCount: 0) == .keep
        case .parseHeader:
            switch input.withBytes({ operations.receiveHeader($0, number, descriptor) }) {
            case .incomplete: return true
            case .invalid: return false
            case .complete(let count):
                session.proxyHeaderEnded()
                guard try greet(session) else { return false }
                input.removeFirst(count)
                if input.count == 0 { return true }
                return try workers.tracksMessages ? replyTracked(&session) : reply(&session)
            }
        }
    }

    /// Sends the bytes that the kernel did not accept in the first send.
    ///
    /// Each of these sends waits for at most 100 ms.
    @inline(never)
    mutating func sendRest(after first: IOResult) throws(SystemCallError) -> Bool {
        let descriptor = descriptor
        var result = first
        var sent = 0
        while true {
            if case .bytes(let count) = result {
                sent += count
                counters.sent.add(count)
            }
            let unsent = output.count - sent
            guard operations.bufferChanged(from: bufferedByteCount, to: unsent, number, descriptor) else {
                return false
            }
            bufferedByteCount = unsent
            if unsent == 0 { return true }
            guard mayGoOn() else { return false }
            result = try output.withBytes { bytes throws(SystemCallError) in
                try StreamSocket.send(bytes.extracting(droppingFirst: sent), on: descriptor)
            }
        }
    }

    /// Replies in a server that drains, measures messages, or enforces a minimum read rate.
    @inline(never)
    mutating func replyTracked(_ session: inout ServerSession) throws(SystemCallError) -> Bool {
        if workers.stopCount > 0 {
            _ = session.beginDrain()
            guard mayGoOn() else { return false }
        }
        if operations.measures { counters.iterationBegan() }
        let before = session
        guard try reply(&session) else { return false }
        client.isInMessage.store(session.isInMessage, ordering: .relaxed)
        input.withBytes { operations.replied(to: $0, before) }
        counters.iterationEnded()
        return true
    }

    /// Handles the end of the input: the client has sent FIN, `stop` has shut down the read side, or an exceeded
    /// timeout has shut down both sides.
    ///
    /// In a drain, a receive cannot tell the client's FIN from the shutdown by `stop`, so the function asks the kernel
    /// whether the client has sent FIN. If the client has sent FIN, the session closes the connection. Otherwise the
    /// function sweeps the connection and sleeps for 2 ms.
    ///
    /// - Returns: whether to read again.
    @inline(never)
    mutating func mayReadAgain(_ session: inout ServerSession) -> Bool {
        if workers.stopCount == 0 { return session.endOfStream(bufferedByteCount: 0) == .keep }
        if TCPState(of: descriptor)?.peerHasShutDown ?? true {
            // Bytes may have arrived together with FIN after the last read. The thread reads such bytes first.
            return StreamSocket.unreadByteCount(on: descriptor) > 0
                || session.endOfStream(bufferedByteCount: 0) == .keep
        }
        guard session.beginDrain() == .keep,
            operations.sweep(number, descriptor, &session, bufferedByteCount: 0) == .keep, mayGoOn()
        else { return false }
        PosixThread.sleep(.milliseconds(2))
        return true
    }

    /// Returns whether the conversation may continue.
    ///
    /// It must end if the drain has timed out or a second stop has been requested. The drain's timeout begins when this
    /// function first notices the stop.
    private mutating func mayGoOn() -> Bool {
        let stops = workers.stopCount
        if stops == 0 { return true }
        let end = deadline ?? operations.drainDeadline
        deadline = end
        return stops == 1 && operations.now < end
    }
}
