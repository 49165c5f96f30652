internal import Logging
internal import SocketAddresses
internal import Synchronization
internal import SystemCalls

/// What a blocking model does with the clients that have been accepted.
protocol ClientDispatch {
    /// Makes a dispatch that has no client, with the threads that it needs from the start.
    init(_ service: BlockingService) throws(SystemCallError)

    /// Serves a client, hands it to a thread that does, or refuses it.
    func take(_ client: consuming StreamSocket)

    /// Waits until no client is served any more and no thread is left.
    func finish()
}

/// A thread that accepts with a blocking call, and hands each client to the model's dispatch.
///
/// The server of every blocking model: the models differ in the dispatch, and in nothing else.
final class BlockingServer<Dispatch: ClientDispatch>: Server {
    private let service: BlockingService
    private let configuration: ServerConfiguration
    private let listener = Monitor<SharedListener?>(nil)
    private let blocked = BlockedDescriptors()
    /// Wakes who waits at an inherited listener, which must not be shut down.
    private let wakeUp = AtomicLazyReference<SharedWakeUp>()

    init(configuration: ServerConfiguration, logger: Logger) {
        self.configuration = configuration
        service = BlockingService(configuration: configuration, logger: logger)
    }

    func start() throws(ServerError) -> SocketAddress {
        let inherited = try SharedListener.inherited(configuration)
        do throws(SystemCallError) {
            if inherited != nil { _ = wakeUp.storeIfNil(SharedWakeUp(try WakeUp())) }
            let listener =
                if let inherited { inherited } else { try SharedListener.bound(configuration, isNonBlocking: false) }
            self.listener.withLock { $0 = listener }
            return try listener.socket.localAddress
        } catch { throw ServerError(error, address: configuration.address) }
    }

    func run() throws(ServerError) -> ServerSummary {
        guard let listener = listener.withLock({ $0.take() }) else { throw ServerError.notStarted }
        let watchers = ThreadGroup()
        defer {
            service.finish()
            watchers.joinAll()
        }
        do throws(SystemCallError) {
            if let interval = configuration.limits.interval {
                try watchers.start { [service] in service.watchClients(every: interval) }
            }
            if let heartbeat = configuration.heartbeat {
                try watchers.start { [service] in service.beat(heartbeat) }
            }
            let dispatch = try Dispatch(service)
            let place = wakeUp.load() == nil ? blocked.add(listener.socket.rawValue) : nil
            defer {
                if let place { blocked.withdraw(place) }
                dispatch.finish()
            }
            try accept(from: listener.socket, dispatch)
            service.noteDrain()
        } catch { throw ServerError(error) }
        return service.summary
    }

    /// Takes clients until the server is stopped.
    private func accept(from listener: borrowing ListeningSocket, _ dispatch: Dispatch) throws(SystemCallError) {
        var reserve = ReserveDescriptor()
        // The system asks for a descriptor before it waits for a client: whether one is lacking, is known once a
        // client is there.
        var mayLack = false
        while service.stopCount == 0 {
            do throws(SystemCallError) {
                try wait(at: listener, mayLack: mayLack)
                switch try listener.accept(isNonBlocking: false) {
                case .connection(let client):
                    mayLack = false
                    if service.admit() { dispatch.take(client) } else { service.refuseBeyondLimit(client) }
                case .wouldBlock: continue
                case .noDescriptor(let error):
                    if mayLack, reserve.rejectConnection(from: listener) { service.noteRefusal(.descriptors, "\(error)") }
                    mayLack = true
                }
            } catch {
                // A listener that has been shut down by `stop` fails to accept.
                if service.stopCount == 0 { throw error }
            }
        }
    }

    /// Waits for a client before it is accepted, where that is needed.
    ///
    /// A listener that is shared need not block, and is not shut down by `stop`, which wakes this instead.
    private func wait(at listener: borrowing ListeningSocket, mayLack: Bool) throws(SystemCallError) {
        if let wakeUp = wakeUp.load() {
            try listener.waitForConnection(orFor: wakeUp.wakeUp)
        } else if mayLack {
            try listener.waitForConnection()
        }
    }

    var metrics: ServerMetrics { service.meter.metrics }

    func stop() {
        service.stop()
        blocked.shutDown(.both)
        wakeUp.load()?.wakeUp.signal()
    }
}
