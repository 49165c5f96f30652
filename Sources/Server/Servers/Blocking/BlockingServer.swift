internal import Logging
internal import SocketAddresses
internal import Synchronization
internal import SystemCalls

/// The way in which a blocking model serves accepted clients.
protocol ClientDispatch: SendableMetatype {
    /// Makes a dispatch and starts its permanent threads, if it has any.
    init(_ workers: BlockingWorkers) throws(SystemCallError)

    /// Serves a client, passes it to a thread, or rejects it.
    func dispatch(_ client: consuming StreamSocket)

    /// Waits until all clients have been served and all threads have ended.
    func finish()
}

/// A server whose `run` accepts clients with a blocking call and passes each client to the model's dispatch.
final class BlockingServer<Dispatch: ClientDispatch>: Server {
    private let workers: BlockingWorkers
    private let configuration: ServerConfiguration
    private let listener = Monitor<SharedListener?>(nil)
    private let wakeUp = AtomicLazyReference<WakeUp>()

    init(_ configuration: ServerConfiguration, _ logger: Logger) {
        self.configuration = configuration
        workers = BlockingWorkers(configuration, logger)
    }

    func start() throws(ServerError) -> SocketAddress {
        do throws(SystemCallError) {
            let listener = try SharedListener(configuration, isNonBlocking: false)
            if configuration.inheritedListener != nil { _ = wakeUp.storeIfNil(try WakeUp()) }
            self.listener.withLock { $0 = listener }
            return try listener.socket.localAddress
        } catch { throw ServerError(cause: error, address: configuration.address) }
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
            defer { dispatch.finish() }
            try accept(from: BlockingAcceptor(consume listener, wakeUp: wakeUp.load(), workers), dispatch)
            workers.operations.log.draining(workers.operations.admission.openCount)
        } catch { throw ServerError(cause: error) }
        return metrics
    }

    var metrics: ServerMetrics { workers.metrics }

    func stop() {
        workers.stop()
        wakeUp.load()?.signal()
    }
}
