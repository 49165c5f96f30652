internal import Logging
internal import Synchronization
internal import SystemCalls

/// What the threads of a blocking server share: its limits, its summary, and its end.
final class BlockingService: Sendable {
    let configuration: ServerConfiguration
    private let logger: Logger
    private let record = Monitor(Record())
    private let stops = Atomic<Int>(0)
    private let clients = BlockedDescriptors()
    private let startTime = ContinuousClock.now

    private struct Record {
        var summary = ServerSummary()
        var refusals = RefusalLog()
        /// Clients that have been accepted and are not gone.
        var openCount = 0
    }

    /// How often a send that waits for its client looks whether the server is stopping.
    private static let sendTimeout: Duration = .milliseconds(100)

    init(configuration: ServerConfiguration, logger: Logger) {
        self.configuration = configuration
        self.logger = logger
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
        if stopCount == 0 {
            record.withLock { $0.summary.acceptedConnections += 1 }
            var conversation = BlockingConversation(service: self)
            let outcome = conversation.serve(client)
            record.withLock { $0.summary.add(outcome) }
        }
        // Its place is free before the client can know of the end, and come again.
        record.withLock { $0.openCount -= 1 }
        // The end, before the socket closes: the client reads all of its answers, then this.
        try? client.shutdown(.write)
        clients.withdraw(place)
        _ = consume client
    }

    /// Closes a client at once that was admitted, and says why.
    func refuse(_ client: consuming StreamSocket, _ reason: String) {
        _ = consume client
        record.withLock { $0.openCount -= 1 }
        noteRefusal(reason)
    }

    func refuseBeyondLimit(_ client: consuming StreamSocket) {
        refuse(client, "the limit of \(configuration.maxConnections ?? 0) connections is reached")
    }

    func noteRefusal(_ reason: String) {
        record.withLock { record in
            record.summary.refusedConnections += 1
            record.refusals.note(reason, at: startTime.duration(to: .now), to: logger)
        }
    }

    /// Says what went wrong, where the server goes on without it.
    func report(_ message: String, _ error: SystemCallError) {
        logger.warning("\(message)", metadata: ["error": "\(error)"])
    }

    /// Ends the clients' reading sides, so that what they have sent is answered; the second time both sides.
    ///
    /// Takes no lock.
    func stop() {
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
