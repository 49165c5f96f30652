internal import LibUV
internal import Logging
internal import SocketAddresses
internal import Synchronization
internal import SystemCalls

/// The protocol on libuv loops: the first on the thread that runs the server, each other on a thread of its own.
///
/// The server of every libuv model: the models differ in how a connection is served and in the number of loops. Where there are
/// several, each has a listener of its own, and nothing is shared but the budget of connections.
final class LoopServer: Server {
    private let configuration: ServerConfiguration
    private let makeServing: @Sendable () -> any ConnectionServing
    private let loopCount: Int
    private let logger: Logger
    /// The loops between `start` and `run`.
    let services = Monitor<[LoopService]>([])
    private let meters = Monitor<[ServerMeter]>([])
    private let stoppers = AtomicLazyReference<Stoppers>()
    private let stops = Atomic<Int>(0)

    /// What makes each loop look how often it has been told to stop.
    private final class Stoppers: Sendable {
        let all: [LoopService.Stopper]
        init(_ all: [LoopService.Stopper]) { self.all = all }
    }

    init(
        configuration: ServerConfiguration, loopCount: Int, logger: Logger,
        serving: @escaping @Sendable () -> any ConnectionServing
    ) {
        self.configuration = configuration
        makeServing = serving
        self.loopCount = max(1, loopCount)
        self.logger = logger
    }

    func start() throws(ServerError) -> SocketAddress {
        let inherited = try SharedListener.inherited(configuration)
        if loopCount > 1, inherited == nil {
            // Listeners that share a port are not refused one that others like them have already.
            do throws(SystemCallError) { try ListeningSocket.checkAvailability(of: configuration.address) } catch {
                throw ServerError(error, address: configuration.address)
            }
        }
        var started: [LoopService] = []
        do throws(UVError) {
            let budget = ConnectionBudget(
                limit: configuration.maxConnections, heldLimit: configuration.maxBufferedTotal)
            var address = configuration.address
            let heartbeats = configuration.heartbeat?.split(into: loopCount)
            for index in 0..<loopCount {
                var configuration = configuration
                configuration.heartbeat = heartbeats?[index]
                let service = try LoopService(
                    configuration: configuration, serving: makeServing(), budget: budget, logger: logger)
                started.append(service)
                if let inherited {
                    address = try service.start(sharing: inherited)
                } else {
                    // The first finds the port, where it is 0, for all.
                    address = try service.start(at: address, sharesPort: loopCount > 1)
                }
            }
            let stoppers = self.stoppers.storeIfNil(Stoppers(started.map(\.stopper)))
            services.withLock { [started] in $0 = started }
            meters.withLock { [started] in $0 = started.map(\.meter) }
            // A stop that came before there was anything to stop.
            for _ in 0..<min(2, stops.load(ordering: .sequentiallyConsistent)) {
                for stopper in stoppers.all { stopper.stop() }
            }
            return address
        } catch {
            for service in started { service.abandon() }
            throw ServerError(error, address: configuration.address)
        }
    }

    func run() throws(ServerError) -> ServerSummary {
        let services = self.services.withLock { services in
            defer { services = [] }
            return services
        }
        guard let first = services.first else { throw ServerError.notStarted }
        let outcomes = Monitor<[Result<ServerSummary, UVError>]>([])
        let threads = ThreadGroup()
        for (index, service) in services.enumerated().dropFirst() {
            do throws(SystemCallError) {
                try threads.start { [self] in
                    let outcome = self.outcome(of: service, at: index)
                    outcomes.withLock { $0.append(outcome) }
                }
            } catch {
                // Its clients go to the others from here on.
                logger.error("a loop has no thread", metadata: ["loop": "\(index)", "error": "\(error)"])
                service.abandon()
            }
        }
        let ownOutcome = outcome(of: first, at: 0)
        threads.joinAll()
        return try sum(outcomes.withLock { $0 } + [ownOutcome])
    }

    /// Runs a loop; one that fails leaves the others' clients alone.
    private func outcome(of service: LoopService, at index: Int) -> Result<ServerSummary, UVError> {
        do throws(UVError) {
            let summary = try service.run()
            if loopCount > 1 {
                logger.info(
                    "loop ended", metadata: ["loop": "\(index)", "connections": "\(summary.acceptedConnections)"])
            }
            return .success(summary)
        } catch {
            logger.error("loop failed", metadata: ["loop": "\(index)", "error": "\(error)"])
            return .failure(error)
        }
    }

    private func sum(_ outcomes: [Result<ServerSummary, UVError>]) throws(ServerError) -> ServerSummary {
        var summary = ServerSummary()
        var failure: UVError?
        for outcome in outcomes {
            switch outcome {
            case .success(let part): summary.add(part)
            case .failure(let error): failure = error
            }
        }
        if let failure, outcomes.count == 1 { throw ServerError(failure) }
        return summary
    }

    var metrics: ServerMetrics {
        var metrics = ServerMetrics()
        for meter in meters.withLock({ $0 }) { metrics.add(meter.metrics) }
        return metrics
    }

    func stop() {
        stops.add(1, ordering: .sequentiallyConsistent)
        for stopper in stoppers.load()?.all ?? [] { stopper.stop() }
    }

    /// Stops one of the loops, as `stop` does with all.
    func stopLoop(at index: Int) { stoppers.load()?.all[index].stop() }
}

extension ServerSummary {
    /// Adds what another part of the same server did.
    mutating func add(_ part: ServerSummary) {
        acceptedConnections += part.acceptedConnections
        refusedConnections += part.refusedConnections
        receivedBytes += part.receivedBytes
        sentBytes += part.sentBytes
        peakBufferedBytes = max(peakBufferedBytes, part.peakBufferedBytes)
    }
}

extension ServerError {
    init(_ error: UVError, address: SocketAddress? = nil) {
        self.init(
            call: error.operation, code: error.systemCode ?? error.code, message: error.message, address: address)
    }
}
