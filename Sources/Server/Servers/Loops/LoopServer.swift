internal import LibUV
internal import Logging
internal import SocketAddresses
internal import Synchronization
internal import SystemCalls

/// A server that runs one or more libuv loops.
///
/// The first loop runs on the thread that calls `run`. Every other loop has its own thread.
///
/// Each loop has its own listener. The loops share only the limits: one admission (`Admission`) counts the connections
/// and the buffered bytes of all loops. If the server has a heartbeat, each loop sends a part of it. When every loop
/// has sent its part, the heartbeat is sent.
final class LoopServer: Server {
    private let configuration: ServerConfiguration
    private let loopCount: Int
    private let model: any LoopModel
    private let logger: Logger
    private let started = AtomicLazyReference<Workers>()
    private let hasRun = Atomic<Bool>(false)
    private let stops = Atomic<Int>(0)

    private final class Workers: Sendable {
        let all: [LoopWorker]
        init(_ all: [LoopWorker]) { self.all = all }
    }

    /// The loops; the list is empty until the server has started.
    var workers: [LoopWorker] { started.load()?.all ?? [] }

    init(_ configuration: ServerConfiguration, loopCount: Int, _ model: any LoopModel, _ logger: Logger) {
        self.configuration = configuration
        self.loopCount = max(1, loopCount)
        self.model = model
        self.logger = logger
    }

    func start() throws(ServerError) -> SocketAddress {
        let isOwn = configuration.inheritedListener == nil
        let inherited: SharedListener?
        do throws(SystemCallError) {
            inherited = isOwn ? nil : try SharedListener(configuration, isNonBlocking: true)
            // Binding a shared port would succeed even if another server already shared the port, so the port is
            // checked first.
            if loopCount > 1, isOwn { try ListeningSocket.checkAvailability(of: configuration.address) }
        } catch { throw ServerError(cause: error, address: configuration.address) }
        var workers: [LoopWorker] = []
        do throws(UVError) {
            let admission = Admission(configuration)
            let heartbeats = configuration.heartbeat?.split(into: loopCount)
            for index in 0..<loopCount {
                var configuration = configuration
                configuration.heartbeat = heartbeats?[index]
                workers.append(try LoopWorker(configuration, model, admission, sharing: inherited, logger))
            }
            let address = try listen(on: workers, at: configuration.address)
            _ = started.storeIfNil(Workers(workers))
            // A stop that was requested before the server had loops has not reached them, so it is repeated here.
            stopWorkers(times: min(2, stops.load(ordering: .sequentiallyConsistent)))
            return address
        } catch {
            for worker in workers { worker.abandon() }
            throw ServerError(error, address: configuration.address)
        }
    }

    func run() throws(ServerError) -> ServerMetrics {
        let workers = self.workers
        guard let first = workers.first, !hasRun.exchange(true, ordering: .relaxed) else {
            throw ServerError.notStarted
        }
        let failure = run(first, and: Array(workers.dropFirst()))
        if let failure, loopCount == 1 { throw ServerError(failure) }
        return metrics
    }

    /// Runs a loop; if it fails, the other loops continue.
    func run(_ worker: LoopWorker) -> UVError? {
        let index = index(of: worker)
        do throws(UVError) { try worker.run() } catch {
            logger.error("loop failed", metadata: ["loop": index, "error": "\(error)"])
            return error
        }
        if loopCount > 1 {
            let count = worker.operations.counters.accepted.value
            logger.info("loop ended", metadata: ["loop": index, "connections": "\(count)"])
        }
        return nil
    }

    /// Closes a loop whose thread could not be started, and its listener, so that new clients go to the other loops.
    func abandon(_ worker: LoopWorker, _ error: SystemCallError) {
        logger.error("cannot start a thread for a loop", metadata: ["loop": index(of: worker), "error": "\(error)"])
        worker.abandon()
    }

    /// The number of a loop in the log.
    private func index(of worker: LoopWorker) -> Logger.MetadataValue { "\(workers.firstIndex { $0 === worker } ?? 0)" }

    var metrics: ServerMetrics { Operations.metrics(workers.map(\.operations)) }

    func stop() {
        stops.add(1, ordering: .sequentiallyConsistent)
        stopWorkers(times: 1)
    }

    /// Stops the loops that have started.
    ///
    /// `start` calls this function even if `times` is 0, because the first iteration over the array may take a lock of
    /// the Swift runtime. When a signal handler calls this function later, it must not wait for such a lock.
    private func stopWorkers(times: Int) { for worker in workers { for _ in 0..<times { worker.stop() } } }
}

extension ServerError {
    init(_ error: UVError, address: SocketAddress? = nil) {
        // A libuv error code is the negated error number of the system.
        let cause = SystemCallError(code: error.systemCode ?? -error.code.rawValue, call: error.operation)
        self.init(cause: cause, address: address)
    }
}
