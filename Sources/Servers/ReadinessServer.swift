internal import Logging
internal import SocketAddresses
internal import Synchronization
internal import SystemCalls

/// One thread that waits for many sockets through a `Poller`, and reads and writes what is ready.
///
/// The server of every readiness model: the models differ in the system call behind the poller, and in nothing else.
final class ReadinessServer<Waiting: Poller & ~Copyable>: Sendable {
    private let configuration: ServerConfiguration
    private let logger: Logger
    private let state = Mutex(State())

    private struct State {
        var listener: SharedListener?
        var wakeUp: SharedWakeUp?
        var stops = 0
    }

    init(configuration: ServerConfiguration, logger: Logger) {
        self.configuration = configuration
        self.logger = logger
    }

    func start() throws(ServerError) -> SocketAddress {
        do throws(SystemCallError) {
            let listener = SharedListener(
                try ListeningSocket(address: configuration.address, backlog: configuration.backlog, isNonBlocking: true)
            )
            let wakeUp = SharedWakeUp(try WakeUp())
            state.withLock { state in
                state.listener = listener
                state.wakeUp = wakeUp
                if state.stops > 0 { wakeUp.wakeUp.signal() }
            }
            return try listener.socket.localAddress
        } catch { throw ServerError(error, address: configuration.address) }
    }

    func run() throws(ServerError) -> ServerSummary {
        let (listener, wakeUp) = state.withLock { state in
            // The loop owns the listener from here on, and closes it when it drains.
            defer { state.listener = nil }
            return (state.listener, state.wakeUp)
        }
        guard let listener, let wakeUp else { throw ServerError.notStarted }
        do throws(SystemCallError) {
            var poller = try Waiting()
            try poller.add(listener.socket.rawValue, .readable)
            try poller.add(wakeUp.wakeUp.rawValue, .readable)
            var loop = ReadinessLoop<Waiting>(
                poller: poller, listener: listener, wakeUp: wakeUp, configuration: configuration, logger: logger)
            return try loop.run { [self] in state.withLock { $0.stops } }
        } catch { throw ServerError(error) }
    }

    func stop() {
        state.withLock { state in
            state.stops += 1
            state.wakeUp?.wakeUp.signal()
        }
    }
}

/// A listening socket that is handed from `start` to `run`; closed with its last reference.
final class SharedListener: Sendable {
    let socket: ListeningSocket
    init(_ socket: consuming ListeningSocket) { self.socket = socket }
}

/// A wake-up that `stop` and `run` share; closed with its last reference.
final class SharedWakeUp: Sendable {
    let wakeUp: WakeUp
    init(_ wakeUp: consuming WakeUp) { self.wakeUp = wakeUp }
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
