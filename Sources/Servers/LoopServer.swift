internal import LibUV
internal import Logging
internal import SocketAddresses
internal import Synchronization

/// The life of a server on one loop: what `LibUVServer` and `LibUVEagerServer` share.
final class LoopServer: Sendable {
    private let configuration: ServerConfiguration
    private let path: WritePath
    private let logger: Logger
    private let service = Mutex<LoopService?>(nil)
    private let stopper = AtomicLazyReference<UVAsync.Gate>()
    private let stops = Atomic<Int>(0)

    init(configuration: ServerConfiguration, path: WritePath, logger: Logger) {
        self.configuration = configuration
        self.path = path
        self.logger = logger
    }

    func start() throws(ServerError) -> SocketAddress {
        do throws(UVError) {
            let service = try LoopService(configuration: configuration, path: path, logger: logger) { [self] in
                stops.load(ordering: .acquiring)
            }
            let address = try service.start()
            self.service.withLock { $0 = service }
            let stopper = self.stopper.storeIfNil(service.stopper)
            // A stop that came before there was anything to stop.
            if stops.load(ordering: .acquiring) > 0 { stopper.send() }
            return address
        } catch { throw ServerError(error, address: configuration.address) }
    }

    func run() throws(ServerError) -> ServerSummary {
        guard let service = service.withLock({ $0.take() }) else { throw ServerError.notStarted }
        do throws(UVError) { return try service.run() } catch { throw ServerError(error) }
    }

    func stop() {
        stops.add(1, ordering: .releasing)
        stopper.load()?.send()
    }
}

extension ServerError {
    init(_ error: UVError, address: SocketAddress? = nil) {
        self.init(
            call: error.operation, code: error.systemCode ?? error.code, message: error.message, address: address)
    }
}
