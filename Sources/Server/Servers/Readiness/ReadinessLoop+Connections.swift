internal import IncrementProtocol
internal import ProxyProtocol
internal import SystemCalls

extension ReadinessLoop where Waiting: ~Copyable {
    mutating func acceptWaiting() throws(SystemCallError) {
        // Bounded, so that a storm of clients does not keep the others waiting.
        for _ in 0..<1024 {
            guard let listener else { return }
            switch try listener.socket.accept(isNonBlocking: true) {
            case .connection(let socket): begin(socket.release())
            case .wouldBlock: return
            case .noDescriptor(let error):
                guard reserve.rejectConnection(from: listener.socket) else { return }
                refuse(.descriptors, "\(error)")
            }
        }
    }

    mutating func begin(_ descriptor: Int32) {
        if let limit = configuration.maxConnections, openCount >= limit {
            return refuse(descriptor, .limit, "the limit of \(limit) connections is reached")
        }
        if let limit = Waiting.descriptorLimit, Int(descriptor) >= limit {
            return refuse(descriptor, .descriptorNumber, "the model watches descriptors below \(limit) only")
        }
        do throws(SystemCallError) { try poller.add(descriptor, .readable) } catch {
            return refuse(descriptor, .failure, "\(error)")
        }
        while connections.count <= Int(descriptor) { connections.append(ReadinessConnection()) }
        openCount += 1
        summary.acceptedConnections += 1
        meter.connectionAccepted()
        var connection = ReadinessConnection()
        connection.phase = .serving
        connection.interest = .readable
        connection.number = UInt32(truncatingIfNeeded: summary.acceptedConnections)
        connections[Int(descriptor)] = connection
        let peer = log.tellsAll || !forwarded.proxies.isEmpty ? StreamSocket.remoteAddress(of: descriptor) : nil
        guard !forwarded.proxies.contains(peer) else {
            connections[Int(descriptor)].phase = .awaitingHeader
            forwarded.parsers[descriptor] = (ProxyHeaderParser(), now + TrustedProxies.timeout)
            return
        }
        if log.tellsAll { log.accepted(connection.number, from: peer) }
        greet(descriptor)
    }

    mutating func greet(_ descriptor: Int32) {
        output.fill { ServerMachine().greet(into: &$0) }
        send(descriptor, behindPending: false)
    }

    mutating func refuse(_ descriptor: Int32, _ reason: RefusalReason, _ detail: String) {
        refuse(reason, detail)
        _ = StreamSocket(adopting: descriptor)
    }

    mutating func refuse(_ reason: RefusalReason, _ detail: String) {
        summary.refusedConnections += 1
        meter.connectionsRefused(reason)
        refusals.note(reason, detail, at: now)
        tellRefusalsLater()
    }

    /// Ends a connection that has gone beyond a limit, and says so once.
    mutating func end(_ descriptor: Int32, because end: ConnectionEnd) {
        meter.connectionEnded(end.reason)
        let number = connections[Int(descriptor)].number
        log.ended(
            number, of: StreamSocket.remoteAddress(of: descriptor), forwarding: forwarded.clients[descriptor],
            because: end)
        if end.reason.discards { StreamSocket.resetWhenClosed(descriptor) }
        close(descriptor)
    }

    mutating func close(_ descriptor: Int32) {
        let connection = connections[Int(descriptor)]
        guard connection.phase != .free else { return }
        connections[Int(descriptor)] = ReadinessConnection()
        if connection.hasPending { heldChanged(by: -(pending.removeValue(forKey: descriptor)?.count ?? 0)) }
        openCount -= 1
        meter.connectionClosed()
        watch.forget(connection.number)
        forwarded.forget(descriptor)
        log.closed(connection.number)
        try? poller.remove(descriptor)
        _ = StreamSocket(adopting: descriptor)
    }
}
