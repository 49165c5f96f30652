internal import Logging
internal import Synchronization
internal import SystemCalls

/// The state that the threads of a blocking server share.
final class BlockingWorkers: Sendable {
    /// The operations of the thread that accepts.
    ///
    /// Each client has its own operations, which `init(sharing:)` makes from these operations.
    let operations: Operations
    let readSize: Int
    /// The sockets of all clients, and of the listener unless it is inherited.
    let descriptors = BlockedDescriptors()
    private let clients = Monitor(Clients())
    private let stops = Atomic<Int>(0)
    private let isFinished = Monitor(false)
    private let tracking: Atomic<Bool>

    /// The state of a client while a thread serves it; reused for later clients.
    final class Client: Sendable {
        let operations: Operations
        let entry: BlockedDescriptors.Entry
        /// The connection's number in the log.
        ///
        /// The number is 0 if there is no connection. It is also 0 after `evaluate` has woken the thread to close the
        /// connection.
        let number = Atomic<UInt32>(0)
        /// Whether a message is open.
        ///
        /// The thread updates `isInMessage` only if the workers track messages.
        let isInMessage = Atomic<Bool>(false)

        init(_ operations: Operations, _ entry: BlockedDescriptors.Entry) {
            self.operations = operations
            self.entry = entry
        }
    }

    private struct Clients {
        var all: [Client] = []
        var free: [Client] = []
    }

    init(_ configuration: ServerConfiguration, _ logger: Logger) {
        readSize = max(1, min(64 * 1024, configuration.maxBufferedBytes / 2))
        operations = Operations(configuration, Admission(configuration), readSize: readSize, isLoop: false, logger)
        tracking = Atomic(configuration.measures || configuration.limits.minReadRate != nil)
    }

    /// Whether a thread must also record or check each reply that it sends.
    ///
    /// This is the case if the server drains, measures messages, or enforces a minimum read rate.
    var tracksMessages: Bool { @inline(__always) get { tracking.load(ordering: .relaxed) } }

    /// The number of requested stops.
    var stopCount: Int { @inline(__always) get { stops.load(ordering: .sequentiallyConsistent) } }

    var metrics: ServerMetrics {
        Operations.metrics([operations], sharing: clients.withLock { $0.all.map(\.operations) })
    }

    /// Serves a client on the calling thread until the connection is done or the server has stopped, then closes the
    /// connection.
    func serve(_ socket: consuming StreamSocket) {
        // A send waits at most this long, so that the thread can check whether the server is stopping.
        try? socket.setSendTimeout(.milliseconds(100))
        let client = clients.withLock { clients in
            if let client = clients.free.popLast() { return client }
            clients.all.append(Client(Operations(sharing: operations), descriptors.makeEntry()))
            return clients.all[clients.all.count - 1]
        }
        descriptors.store(socket.rawValue, in: client.entry)
        // A stop that is requested from now on finds the descriptor in the client's entry. The check of `stopCount`
        // notices a stop that was requested before the store.
        if stopCount == 0 {
            let (number, session) = client.operations.open(socket.rawValue)
            client.isInMessage.store(false, ordering: .relaxed)
            client.number.store(number, ordering: .relaxed)
            var conversation = BlockingConversation(number, socket.rawValue, client, self)
            // A call on the socket fails if the peer has reset the connection, or if `evaluate` or a second stop has
            // shut it down. The conversation then ends, and its connection is closed below as in any other case.
            try? conversation.serve(session)
            // After `clear`, `tick` cannot evaluate the connection any more, so `close` can discard the state of its
            // timeouts.
            descriptors.clear(client.entry)
            client.number.store(0, ordering: .relaxed)
            client.operations.close(number, bufferedByteCount: conversation.bufferedByteCount)
        } else {
            descriptors.clear(client.entry)
            operations.admission.releaseSlot()
        }
        Operations.sendFinalFIN(socket.rawValue)
        clients.withLock { $0.free.append(client) }
        _ = consume socket
    }

    /// Closes an admitted client that the model cannot serve.
    func reject(_ client: consuming StreamSocket, _ reason: RejectionReason, _ detail: String) {
        operations.admission.releaseSlot()
        operations.reject(reason, detail)
        _ = consume client
    }

    /// Performs the periodic work until `finish` is called.
    ///
    /// A separate thread runs this function.
    func tick() {
        while let delay = operations.untilNextTick {
            if isFinished.wait(timeout: delay, until: { $0 ? true : nil }) == true { return }
            // During a drain, only the drain's timeout applies.
            guard operations.tick(), stopCount == 0 else { continue }
            for client in clients.withLock({ $0.all }) {
                descriptors.withDescriptor(of: client.entry) { evaluate(client, $0) }
            }
        }
    }

    /// Wakes the thread of a client that exceeds a timeout; the thread then closes the connection.
    private func evaluate(_ client: Client, _ descriptor: Int32) {
        let number = client.number.load(ordering: .relaxed)
        let isInMessage = client.isInMessage.load(ordering: .relaxed)
        guard number != 0,
            client.operations.exceedsTimeout(number, descriptor, isInMessage: isInMessage, TCPState(of: descriptor))
        else { return }
        // The next sweep must not wake the same thread again.
        client.number.store(0, ordering: .relaxed)
        try? StreamSocket.shutdown(.both, on: descriptor)
    }

    /// Ends the periodic work after all clients have been served.
    func finish() {
        operations.finish()
        isFinished.withLock { $0 = true }
        isFinished.notifyAll()
    }

    /// Shuts down the listener and the read side of all clients; a second call shuts down both sides of all clients.
    ///
    /// After the first call, the server still replies to bytes that have already arrived. The function takes no lock,
    /// and a signal handler may call it.
    func stop() {
        tracking.store(true, ordering: .sequentiallyConsistent)
        let count = stops.add(1, ordering: .sequentiallyConsistent).newValue
        descriptors.shutDown(count == 1 ? .read : .both)
    }
}
