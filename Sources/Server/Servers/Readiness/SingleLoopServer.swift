internal import Logging
internal import SocketAddresses
internal import Synchronization
internal import SystemCalls

/// Runs one loop on the thread that calls `run`.
final class SingleLoopServer: Server {
    /// Makes a loop and runs it.
    ///
    /// The arguments are the listener, the wake-up that `stop` signals, the operations, and a closure that returns the
    /// number of requested stops.
    typealias Serve =
        @Sendable (SharedListener, WakeUp, Operations, @escaping () -> Int) throws(SystemCallError) -> Void

    private let configuration: ServerConfiguration
    private let operations: Operations
    private let isNonBlocking: Bool
    private let listener = Monitor<SharedListener?>(nil)
    private let wakeUp = AtomicLazyReference<WakeUp>()
    private let stops = Atomic<Int>(0)
    private let check: @Sendable () throws(SystemCallError) -> Void
    private let serve: Serve

    /// - Parameters:
    ///   - isNonBlocking: whether a new listener is non-blocking.
    ///   - check: called when the server starts; throws an error if the system does not support the model.
    init(
        _ configuration: ServerConfiguration, _ logger: Logger, isNonBlocking: Bool = true,
        check: @escaping @Sendable () throws(SystemCallError) -> Void = {}, serve: @escaping Serve
    ) {
        self.configuration = configuration
        self.isNonBlocking = isNonBlocking
        self.check = check
        self.serve = serve
        let admission = Admission(configuration)
        operations = Operations(configuration, admission, readSize: configuration.readSize, isLoop: true, logger)
    }

    func start() throws(ServerError) -> SocketAddress {
        do throws(SystemCallError) { try check() } catch { throw ServerError(cause: error) }
        do throws(SystemCallError) {
            let listener = try SharedListener(configuration, isNonBlocking: isNonBlocking)
            let wakeUp = self.wakeUp.storeIfNil(try WakeUp())
            // If a stop was requested before the wake-up existed, the wake-up is signaled here.
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
            try serve(listener, wakeUp, operations) { [self] in stops.load(ordering: .acquiring) }
        } catch { throw ServerError(cause: error) }
        return metrics
    }

    var metrics: ServerMetrics { Operations.metrics([operations]) }

    func stop() {
        stops.add(1, ordering: .releasing)
        wakeUp.load()?.signal()
    }
}

extension SingleLoopServer {
    /// Makes a server whose `ReadinessLoop` is specialized for one poller.
    ///
    /// Inlining makes the poller's type known to the compiler.
    @inline(__always)
    convenience init<Waiting: Poller & ~Copyable>(
        waitingThrough poller: Waiting.Type, _ configuration: ServerConfiguration, _ logger: Logger
    ) {
        self.init(configuration, logger) { listener, wakeUp, operations, stopCount throws(SystemCallError) in
            var loop = try ReadinessLoop<Waiting>(
                try Waiting(), listener, wakeUp, operations, readSize: configuration.readSize, stopCount: stopCount)
            try loop.run()
        }
    }
}
