public import Logging
public import SocketAddresses
internal import Synchronization
internal import SystemCalls

// One client at a time: accept, serve with blocking calls until the client is done, and only then accept the next.
// Nothing could be simpler, and nothing is cheaper for one client: a receive and a send for each message, no
// waiting for several things at once. The model breaks with the second client: it waits in the backlog for as
// long as the first is connected, however little that one has to say. A silent client stops the service.

/// The server of one client at a time.
public final class SequentialServer: Server {
    /// The model's name and description.
    public static let model = ServerModel(
        name: "sequential", summary: "one client at a time, the others wait in the backlog",
        servesClientsSimultaneously: false)

    private let configuration: ServerConfiguration
    private let logger: Logger
    private let state = Mutex(State())

    private struct State {
        var listener: SharedListener?
        /// The client that is being served: `stop` shuts it down, and nobody closes it meanwhile.
        var current: Int32?
        var stops = 0
        var deadline: ContinuousClock.Instant?
    }

    /// How often a send that waits for its client looks whether the server is stopping.
    private static let sendTimeout: Duration = .milliseconds(100)

    /// Makes a server that holds no resource yet.
    public init(configuration: ServerConfiguration, logger: Logger) {
        self.configuration = configuration
        self.logger = logger
    }

    /// Binds and listens.
    public func start() throws(ServerError) -> SocketAddress {
        do throws(SystemCallError) {
            let listener = SharedListener(
                try ListeningSocket(
                    address: configuration.address, backlog: configuration.backlog, isNonBlocking: false))
            state.withLock { state in
                state.listener = listener
                if state.stops > 0 { listener.socket.shutdown() }
            }
            return try listener.socket.localAddress
        } catch { throw ServerError(error, address: configuration.address) }
    }

    /// Serves on the calling thread until the server has stopped.
    public func run() throws(ServerError) -> ServerSummary {
        guard let listener = state.withLock({ $0.listener }) else { throw ServerError.notStarted }
        defer { state.withLock { $0.listener = nil } }
        var conversation = BlockingConversation(maxBufferedBytes: configuration.maxBufferedBytes)
        var summary = ServerSummary()
        var reserve = ReserveDescriptor()
        var refusals = RefusalLog()
        let start = ContinuousClock.now
        while !isStopping {
            do throws(SystemCallError) {
                switch try listener.socket.accept(isNonBlocking: false) {
                case .connection(let socket): serve(socket, &conversation, &summary)
                case .wouldBlock: continue
                case .noDescriptor(let error):
                    guard reserve.turnAway(from: listener.socket) else { continue }
                    summary.refusedConnections += 1
                    refusals.note("\(error)", at: start.duration(to: .now), to: logger)
                }
            } catch {
                // A listener that has been shut down by `stop` fails to accept.
                if !isStopping { throw ServerError(error) }
            }
        }
        return summary
    }

    /// Drains and stops; the second call stops at once.
    ///
    /// Callable from any thread.
    ///
    /// What the client in service has sent before is answered; the clients in the backlog are not served.
    public func stop() {
        state.withLock { state in
            state.stops += 1
            if state.stops == 1 { state.deadline = ContinuousClock.now.advanced(by: configuration.drainTimeout) }
            state.listener?.socket.shutdown()
            if let current = state.current { shutDown(current, isDrain: state.stops == 1) }
        }
    }

    private var isStopping: Bool { state.withLock { $0.stops > 0 } }

    /// Wakes the call that waits for a client: the end is read once all that has come was, or at once.
    private func shutDown(_ descriptor: Int32, isDrain: Bool) {
        let socket = StreamSocket(adopting: descriptor)
        try? socket.shutdown(isDrain ? .read : .both)
        _ = socket.release()
    }

    private func serve(
        _ socket: consuming StreamSocket, _ conversation: inout BlockingConversation, _ summary: inout ServerSummary
    ) {
        try? socket.setSendTimeout(SequentialServer.sendTimeout)
        let descriptor = socket.rawValue
        let isRefused = state.withLock { state in
            if state.stops == 0 { state.current = descriptor }
            return state.stops > 0
        }
        if isRefused { return }
        let outcome = conversation.serve(socket) { [self] in
            state.withLock { $0.stops < 2 && ($0.deadline.map { ContinuousClock.now < $0 } ?? true) }
        }
        // From here on nobody else touches the descriptor, and it may be closed.
        state.withLock { $0.current = nil }
        summary.acceptedConnections += 1
        summary.receivedBytes += outcome.receivedBytes
        summary.sentBytes += outcome.sentBytes
        summary.peakBufferedBytes = max(summary.peakBufferedBytes, outcome.peakBufferedBytes)
    }
}
