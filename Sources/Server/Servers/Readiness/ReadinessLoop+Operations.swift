internal import IncrementProtocol
internal import SystemCalls

extension ReadinessLoop where Waiting: ~Copyable {
    /// Parses bytes of a proxy's header, and greets the client when the header is complete.
    mutating func parseHeader(_ descriptor: Int32, _ connection: ReadinessConnection) {
        switch input.withBytes({ operations.receiveHeader($0, connection.number, descriptor) }) {
        case .incomplete: return
        case .invalid: close(descriptor)
        case .complete(let count):
            connections[Int(descriptor)].session.proxyHeaderEnded()
            greet(descriptor)
            input.removeFirst(count)
            if input.count > 0 { reply(descriptor, connections[Int(descriptor)]) }
        }
    }

    /// Starts the timer for the next periodic work, unless the timer is already running.
    mutating func setTimer() { if !timer.isStarted, let delay = operations.untilNextTick { timer.start(after: delay) } }

    func unsentByteCount(_ descriptor: Int32) -> Int {
        connections[Int(descriptor)].interest.contains(.writable) ? unsent[descriptor]?.count ?? 0 : 0
    }

    /// Serves and sweeps until all connections have closed, the drain times out, or a second stop is requested.
    ///
    /// The function then closes the remaining connections.
    mutating func drain() throws(SystemCallError) {
        let deadline = operations.drainDeadline
        var nextSweep = Duration.zero
        while stops == 1, operations.openCount > 0, operations.now < deadline {
            if operations.now >= nextSweep {
                sweep(connections.indices)
                nextSweep = operations.now + ServerSession.drainInterval
            }
            try serveReady(timeout: ServerSession.drainInterval)
        }
        closeAll()
    }

    mutating func sweep(_ rows: Range<Int>) {
        for row in rows where connections[row].session.phase != .closed {
            let descriptor = Int32(row)
            let decision = operations.sweep(
                connections[row].number, descriptor, &connections[row].session,
                bufferedByteCount: unsentByteCount(descriptor))
            if decision == .close { close(descriptor) }
        }
    }

    /// Accepts all clients in the kernel's queue, then stops listening and begins the drain.
    ///
    /// While the loop accepts these clients, no further client enters the queue, so new clients cannot delay the drain.
    mutating func beginDrain() {
        if let listener { try? poller.remove(listener.socket.rawValue) }
        // The queue of an inherited socket belongs to the next process, so the loop accepts no client from it. If this
        // process opened the socket, the loop accepts all clients in its queue and then shuts the socket down. The
        // kernel then refuses further clients, even if another reference to the listener delays the closing of its
        // descriptor.
        if operations.configuration.inheritedListener == nil, let listener {
            ListeningSocket.closeQueue(of: listener.socket.rawValue)
            while let number = ListeningSocket.acceptWaiting(on: listener.socket.rawValue) { begin(number) }
            listener.socket.shutdown()
        }
        listener = nil
        operations.log.draining(operations.openCount)
        for row in connections.indices where connections[row].session.phase != .closed {
            if connections[row].session.beginDrain() == .close { close(Int32(row)) }
        }
    }

    /// Closes the remaining connections.
    ///
    /// If the drain has timed out, the kernel first sends the bytes that it has accepted on each connection, and then
    /// FIN.
    mutating func closeAll() {
        for row in connections.indices where connections[row].session.phase != .closed {
            if stops == 1 { Operations.sendFinalFIN(Int32(row)) }
            close(Int32(row))
        }
    }
}
