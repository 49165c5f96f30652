internal import Logging
internal import SocketAddresses
internal import Synchronization
internal import SystemCalls

/// Runs a `ReadinessLoop` on the thread that calls `run`.
final class ReadinessServer: Server {
    private let configuration: ServerConfiguration
    private let operations: Operations
    private let listener = Monitor<SharedListener?>(nil)
    private let wakeUp = AtomicLazyReference<WakeUp>()
    private let stops = Atomic<Int>(0)
    private let serve: @Sendable (SharedListener, WakeUp, @escaping () -> Int) throws(SystemCallError) -> Void

    /// Makes a server whose loop is specialized for one poller.
    ///
    /// Inlining makes the poller's type known to the compiler.
    @inline(__always)
    init<Waiting: Poller & ~Copyable>(
        waitingThrough poller: Waiting.Type, _ configuration: ServerConfiguration, _ logger: Logger
    ) {
        self.configuration = configuration
        let readSize = max(1, min(128 * 1024, configuration.maxBufferedBytes / 2))
        let operations = Operations(configuration, Admission(configuration), readSize: readSize, isLoop: true, logger)
        self.operations = operations
        serve = { listener, wakeUp, stopCount throws(SystemCallError) in
            var loop = try ReadinessLoop<Waiting>(
                try Waiting(), listener, wakeUp, operations, readSize: readSize, stopCount: stopCount)
            try loop.run()
        }
    }

    func start() throws(ServerError) -> SocketAddress {
        do throws(SystemCallError) {
            let listener = try SharedListener(configuration, isNonBlocking: true)
            let wakeUp = self.wakeUp.storeIfNil(try WakeUp())
            // A stop may have been requested before the loop existed.
            if stops.load(ordering: .acquiring) > 0 { wakeUp.signal() }
            self.listener.withLock { $0 = listener }
            return try listener.socket.localAddress
        } catch { throw ServerError(cause: error, address: configuration.address) }
    }

    func run() throws(ServerError) -> ServerMetrics {
        // The loop owns the listener, and closes it when the drain begins.
        guard let listener = listener.withLock({ $0.take() }), let wakeUp = wakeUp.load() else {
            throw ServerError.notStarted
        }
        do throws(SystemCallError) {
            try serve(listener, wakeUp) { [self] in stops.load(ordering: .acquiring) }
        } catch { throw ServerError(cause: error) }
        return metrics
    }

    var metrics: ServerMetrics { Operations.metrics([operations]) }

    func stop() {
        stops.add(1, ordering: .releasing)
        wakeUp.load()?.signal()
    }
}
