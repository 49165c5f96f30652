internal import Logging
internal import SocketAddresses
internal import Synchronization
internal import SystemCalls

/// One thread that waits for many sockets through a `Poller`, and reads and writes what is ready.
///
/// The server of every readiness model: the models differ in the system call behind the poller, and in nothing else.
final class ReadinessServer: Server {
    private let configuration: ServerConfiguration
    private let listener = Monitor<SharedListener?>(nil)
    private let wakeUp = AtomicLazyReference<SharedWakeUp>()
    private let stops = Atomic<Int>(0)
    private let meter = ServerMeter()
    private let serve: Serve

    private typealias Serve =
        @Sendable (SharedListener, SharedWakeUp, () -> Int) throws(SystemCallError) -> ServerSummary

    /// Makes a server whose loop is compiled for one poller: inlined, so that the type is known where the loop is made.
    @inline(__always)
    init<Waiting: Poller & ~Copyable>(
        waitingThrough poller: Waiting.Type, configuration: ServerConfiguration, logger: Logger
    ) {
        self.configuration = configuration
        serve = { [meter] listener, wakeUp, stopCount throws(SystemCallError) in
            var poller = try Waiting()
            try poller.add(listener.socket.rawValue, .readable)
            try poller.add(wakeUp.wakeUp.rawValue, .readable)
            var loop = ReadinessLoop<Waiting>(
                poller: poller, listener: listener, wakeUp: wakeUp, configuration: configuration, logger: logger,
                meter: meter)
            try loop.startTimers()
            return try loop.run(stopCount: stopCount)
        }
    }

    func start() throws(ServerError) -> SocketAddress {
        let inherited = try SharedListener.inherited(configuration)
        do throws(SystemCallError) {
            let listener =
                if let inherited { inherited } else { try SharedListener.bound(configuration, isNonBlocking: true) }
            let wakeUp = self.wakeUp.storeIfNil(SharedWakeUp(try WakeUp()))
            // A stop that came before there was anything to wake.
            if stops.load(ordering: .acquiring) > 0 { wakeUp.wakeUp.signal() }
            self.listener.withLock { $0 = listener }
            return try listener.socket.localAddress
        } catch { throw ServerError(error, address: configuration.address) }
    }

    func run() throws(ServerError) -> ServerSummary {
        // The loop owns the listener from here on, and closes it when it drains.
        guard let listener = listener.withLock({ $0.take() }), let wakeUp = wakeUp.load() else {
            throw ServerError.notStarted
        }
        do throws(SystemCallError) {
            return try serve(listener, wakeUp) { stops.load(ordering: .acquiring) }
        } catch { throw ServerError(error) }
    }

    var metrics: ServerMetrics { meter.metrics }

    func stop() {
        stops.add(1, ordering: .releasing)
        wakeUp.load()?.wakeUp.signal()
    }
}

/// A wake-up that `stop` and `run` share; closed with its last reference.
final class SharedWakeUp: Sendable {
    let wakeUp: WakeUp
    init(_ wakeUp: consuming WakeUp) { self.wakeUp = wakeUp }
}

/// A timer of a loop; closed with its last reference.
final class SharedTimer {
    let timer: IntervalTimer
    init(_ timer: consuming IntervalTimer) { self.timer = timer }
}

extension ServerError {
    init(_ error: SystemCallError, address: SocketAddress? = nil) {
        self.init(call: error.call, code: error.code, message: error.message, address: address)
    }

    /// `run` before `start`, or for the second time.
    static var notStarted: ServerError {
        ServerError(call: "run", code: 22, message: "the server has not been started, or has run already")
    }
}
