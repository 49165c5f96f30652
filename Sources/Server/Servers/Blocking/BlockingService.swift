internal import Logging
internal import SocketAddresses
internal import Synchronization
internal import SystemCalls

/// What the threads of a blocking server share: its limits, its summary, and its end.
final class BlockingService: Sendable {
    let configuration: ServerConfiguration
    let meter = ServerMeter()
    /// Whether the bytes that wait for clients are counted.
    let countsHeld: Bool
    /// Whether an answer needs more than to be sent: the server drains, measures, or wants to know of open messages.
    let attention: Atomic<Bool>
    let proxies: TrustedProxies
    let log: ConnectionLog
    let record: Monitor<Record>
    let stops = Atomic<Int>(0)
    let held = Atomic<Int>(0)
    let clients = BlockedDescriptors()
    let startTime = ContinuousClock.now

    struct Record {
        var summary = ServerSummary()
        var refusals: RefusalLog
        /// Clients that have been accepted and are not gone.
        var openCount = 0
        /// Whose connections proxies forward.
        var clients: [UInt32: SocketAddress] = [:]
        /// Whether nobody is left to be looked at.
        var isFinished = false
    }

    /// How often a send that waits for its client looks whether the server is stopping.
    private static let sendTimeout: Duration = .milliseconds(100)

    init(configuration: ServerConfiguration, logger: Logger) {
        self.configuration = configuration
        log = ConnectionLog(logger: logger)
        proxies = TrustedProxies(configuration.trustedProxies)
        record = Monitor(Record(refusals: RefusalLog(logger: logger)))
        countsHeld = configuration.maxBufferedTotal != nil || configuration.measures
        attention = Atomic(configuration.measures || configuration.limits.minReadRate != nil)
    }

    var isAttentive: Bool {
        @inline(__always) get { attention.load(ordering: .relaxed) }
    }

    /// How many times the server has been told to stop.
    var stopCount: Int {
        @inline(__always) get { stops.load(ordering: .sequentiallyConsistent) }
    }

    var summary: ServerSummary { record.withLock { $0.summary } }

    /// Counts a client that has been accepted.
    ///
    /// - Returns: whether it is within the limit; one that is not must be refused.
    func admit() -> Bool {
        record.withLock { record in
            record.openCount += 1
            return record.openCount <= configuration.maxConnections ?? .max
        }
    }

    /// Serves a client on the calling thread until it is done, or the server has stopped.
    func serve(_ client: consuming StreamSocket) {
        try? client.setSendTimeout(BlockingService.sendTimeout)
        let place = clients.add(client.rawValue)
        // A stop from here on finds the client in its place, and one before is seen here.
        if stopCount == 0 { converse(client, at: place) }
        // Its place is free before the client can know of the end, and come again.
        record.withLock { $0.openCount -= 1 }
        // The end, before the socket closes: the client reads all of its answers, then this.
        try? client.shutdown(.write)
        clients.withdraw(place)
        _ = consume client
    }

    private func converse(_ client: borrowing StreamSocket, at place: BlockedDescriptors.Place) {
        let number = record.withLock { record in
            record.summary.acceptedConnections += 1
            return UInt32(truncatingIfNeeded: record.summary.acceptedConnections)
        }
        meter.connectionAccepted()
        let peer = log.tellsAll || !proxies.isEmpty ? StreamSocket.remoteAddress(of: client.rawValue) : nil
        if log.tellsAll, !proxies.contains(peer) { log.accepted(number, from: peer) }
        place.number.store(number, ordering: .relaxed)
        var conversation = BlockingConversation(service: self, place: place, peer: peer)
        let outcome = conversation.serve(client)
        record.withLock { record in
            record.summary.add(outcome)
            if !proxies.isEmpty { record.clients[number] = nil }
        }
        meter.connectionClosed()
        log.closed(number)
    }

    /// Closes a client at once that was admitted, and says why.
    func refuse(_ client: consuming StreamSocket, _ reason: RefusalReason, _ detail: String) {
        record.withLock { $0.openCount -= 1 }
        noteRefusal(reason, detail)
        _ = consume client
    }

    func refuseBeyondLimit(_ client: consuming StreamSocket) {
        refuse(client, .limit, "the limit of \(configuration.maxConnections ?? 0) connections is reached")
    }

    func noteRefusal(_ reason: RefusalReason, _ detail: String) {
        meter.connectionsRefused(reason)
        record.withLock { record in
            record.summary.refusedConnections += 1
            record.refusals.note(reason, detail, at: startTime.duration(to: .now))
        }
    }

    /// Nobody is accepted any more.
    func noteDrain() { record.withLock { log.draining($0.openCount) } }

    /// Says what went wrong, where the server goes on without it.
    func report(_ message: String, _ error: SystemCallError) {
        log.logger.warning("\(message)", metadata: ["error": "\(error)"])
    }

    /// Ends the clients' reading sides, so that what they have sent is answered; the second time both sides.
    ///
    /// Takes no lock.
    func stop() {
        attention.store(true, ordering: .sequentiallyConsistent)
        let count = stops.add(1, ordering: .sequentiallyConsistent).newValue
        clients.shutDown(count == 1 ? .read : .both)
    }
}

extension ServerSummary {
    /// Adds what one conversation amounted to.
    mutating func add(_ outcome: BlockingConversation.Outcome) {
        receivedBytes += outcome.receivedBytes
        sentBytes += outcome.sentBytes
        peakBufferedBytes = max(peakBufferedBytes, outcome.peakBufferedBytes)
    }
}
