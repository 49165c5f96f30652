internal import Logging
internal import SocketAddresses
internal import Synchronization
internal import SystemCalls

/// The way in which a blocking model serves accepted clients.
protocol ClientDispatch {
    /// Makes a dispatch without clients, and starts its permanent threads.
    init(_ workers: BlockingWorkers) throws(SystemCallError)

    /// Serves a client, passes it to a thread, or rejects it.
    func dispatch(_ client: consuming StreamSocket)

    /// Waits until no client is served and no thread is left.
    func finish()
}

/// A thread that accepts with a blocking call and passes each client to the model's dispatch; its accept loop is in
/// `Models/SequentialServer.swift`.
final class BlockingServer<Dispatch: ClientDispatch>: Server {
    let workers: BlockingWorkers
    private let configuration: ServerConfiguration
    private let listener = Monitor<SharedListener?>(nil)
    /// The listener, while the thread that accepts blocks at it.
    private let blockedListener: BlockedDescriptors
    /// Wakes the thread that waits at an inherited listener, which must not be shut down.
    let wakeUp = AtomicLazyReference<WakeUp>()

    init(_ configuration: ServerConfiguration, _ logger: Logger) {
        self.configuration = configuration
        workers = BlockingWorkers(configuration, logger)
        blockedListener = BlockedDescriptors(workers.operations)
    }

    func start() throws(ServerError) -> SocketAddress {
        let listener = try SharedListener.open(configuration, isNonBlocking: false)
        do throws(SystemCallError) {
            if configuration.inheritedListener != nil { _ = wakeUp.storeIfNil(try WakeUp()) }
            self.listener.withLock { $0 = listener }
            return try listener.socket.localAddress
        } catch { throw ServerError(error, address: configuration.address) }
    }

    func run() throws(ServerError) -> ServerMetrics {
        guard let listener = listener.withLock({ $0.take() }) else { throw ServerError.notStarted }
        let clock = ThreadGroup()
        defer {
            workers.finish()
            clock.joinAll()
        }
        do throws(SystemCallError) {
            if workers.operations.untilNextTick != nil { try clock.start { [workers] in workers.tick() } }
            let dispatch = try Dispatch(workers)
            let entry = wakeUp.load() == nil ? blockedListener.add(listener.socket.rawValue) : nil
            defer {
                if let entry { blockedListener.remove(entry) }
                dispatch.finish()
            }
            try accept(from: listener.socket, dispatch)
            workers.operations.beginDrain(workers.operations.admission.openCount)
        } catch { throw ServerError(error) }
        return metrics
    }

    var metrics: ServerMetrics { workers.metrics }

    func stop() {
        workers.stop()
        blockedListener.shutDown(.both)
        wakeUp.load()?.signal()
    }
}

/// The state that the threads of a blocking server share.
final class BlockingWorkers: Sendable {
    /// The operations of the thread that accepts; each connection has its own beside them.
    let operations: Operations
    let readSize: Int
    private let clients: BlockedDescriptors
    private let stops = Atomic<Int>(0)
    private let isFinished = Monitor(false)
    /// Whether a reply needs more work than sending: the server drains, measures, or limits open messages.
    private let attention: Atomic<Bool>

    /// How often a send that waits for its client checks whether the server is stopping.
    private static let sendTimeout = Duration.milliseconds(100)

    init(_ configuration: ServerConfiguration, _ logger: Logger) {
        readSize = max(1, min(64 * 1024, configuration.maxBufferedBytes / 2))
        operations = Operations(configuration, Admission(configuration), readSize: readSize, isLoop: false, logger)
        clients = BlockedDescriptors(operations)
        attention = Atomic(configuration.measures || configuration.limits.minReadRate != nil)
    }

    /// Whether a reply needs more work than sending.
    var needsAttention: Bool {
        @inline(__always) get { attention.load(ordering: .relaxed) }
    }

    /// The number of requested stops.
    var stopCount: Int {
        @inline(__always) get { stops.load(ordering: .sequentiallyConsistent) }
    }

    var metrics: ServerMetrics {
        var metrics = ServerMetrics()
        operations.add(to: &metrics)
        clients.forEachEntry { entry in
            if entry.operations !== operations { entry.operations.counters.add(to: &metrics) }
        }
        return metrics
    }

    /// Serves a client on the calling thread until the connection is done or the server has stopped, then closes it.
    func serve(_ client: consuming StreamSocket) {
        try? client.setSendTimeout(BlockingWorkers.sendTimeout)
        let entry = clients.add(client.rawValue)
        // A later stop finds the client in its entry; an earlier stop is noticed here.
        if stopCount == 0 {
            let (number, session) = entry.operations.open(client.rawValue)
            entry.number.store(number, ordering: .relaxed)
            var conversation = BlockingConversation(number, at: entry, self)
            conversation.serve(client, session)
            conversation.close()
        } else {
            operations.admission.releaseSlot()
        }
        // Sends FIN before the socket closes, so that the client can read all replies.
        try? client.shutdown(.write)
        clients.remove(entry)
        _ = consume client
    }

    /// Closes a client that was admitted and cannot be served.
    func reject(_ client: consuming StreamSocket, _ reason: RejectionReason, _ detail: String) {
        operations.admission.releaseSlot()
        operations.reject(reason, detail)
        _ = consume client
    }

    /// Performs the periodic work on its own thread until `finish`.
    func tick() {
        while let delay = operations.untilNextTick {
            if isFinished.wait(timeout: delay, until: { $0 ? true : nil }) == true { return }
            // The drain has a timeout of its own.
            if operations.tick(), stopCount == 0 { clients.forEach(judge) }
        }
    }

    /// Wakes the thread that serves a client which exceeds a timeout; the thread then closes the connection.
    private func judge(_ entry: BlockedDescriptors.Entry, _ descriptor: Int32) {
        let number = entry.number.load(ordering: .relaxed)
        guard number != 0,
            entry.operations.exceedsTimeout(
                number, descriptor, isInMessage: entry.isInMessage.load(ordering: .relaxed), TCPState(of: descriptor))
        else { return }
        // A thread that is slow to close is not woken twice.
        entry.number.store(0, ordering: .relaxed)
        try? StreamSocket.shutdown(.both, on: descriptor)
    }

    /// No client is served any more.
    func finish() {
        operations.finish()
        isFinished.withLock { $0 = true }
        isFinished.notifyAll()
    }

    /// Shuts down the read side of all clients, so that the received bytes still get replies.
    ///
    /// The second call shuts down both sides.
    ///
    /// Takes no lock.
    func stop() {
        attention.store(true, ordering: .sequentiallyConsistent)
        let count = stops.add(1, ordering: .sequentiallyConsistent).newValue
        clients.shutDown(count == 1 ? .read : .both)
    }
}
