internal import LibUV
internal import Logging
internal import SocketAddresses
internal import Synchronization

/// The life of a server on one loop: what `LibUVServer` and `LibUVEagerServer` share.
final class LoopServer: Sendable {
    private let configuration: ServerConfiguration
    private let path: WritePath
    private let logger: Logger
    private let state = Mutex(State())

    private struct State {
        var service: LoopService?
        /// Calls of `stop` before there was a service to stop.
        var earlyStops = 0
    }

    init(configuration: ServerConfiguration, path: WritePath, logger: Logger) {
        self.configuration = configuration
        self.path = path
        self.logger = logger
    }

    func start() throws(ServerError) -> SocketAddress {
        do throws(UVError) {
            let service = try LoopService(configuration: configuration, path: path, logger: logger)
            let address = try service.start()
            let earlyStops = state.withLock { state in
                state.service = service
                return state.earlyStops
            }
            for _ in 0..<earlyStops { service.stop() }
            return address
        } catch { throw ServerError(error, address: configuration.address) }
    }

    func run() throws(ServerError) -> ServerSummary {
        guard let service = state.withLock({ $0.service }) else {
            throw ServerError.notStarted
        }
        defer { state.withLock { $0.service = nil } }
        do throws(UVError) { return try service.run() } catch { throw ServerError(error) }
    }

    func stop() {
        let service = state.withLock { state in
            if state.service == nil { state.earlyStops += 1 }
            return state.service
        }
        service?.stop()
    }
}

extension ServerError {
    init(_ error: UVError, address: SocketAddress? = nil) {
        self.init(
            call: error.operation, code: error.systemCode ?? error.code, message: error.message, address: address)
    }
}
