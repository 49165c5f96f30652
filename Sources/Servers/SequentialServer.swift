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
    private let listener = Mutex<SharedListener?>(nil)
    /// The listening descriptor, or -1.
    private let listening = Atomic<Int32>(-1)
    private let stops = Atomic<Int>(0)
    /// The client that is being served, or -1.
    private let current = Atomic<Int32>(-1)
    /// How many calls of `stop` may be using the two descriptors, which are not closed meanwhile.
    private let stopping = Atomic<Int>(0)

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
            listening.store(listener.socket.rawValue, ordering: .releasing)
            self.listener.withLock { $0 = listener }
            // A stop that came before there was anything to wake.
            if isStopping { listener.socket.shutdown() }
            return try listener.socket.localAddress
        } catch { throw ServerError(error, address: configuration.address) }
    }

    /// Serves on the calling thread until the server has stopped.
    public func run() throws(ServerError) -> ServerSummary {
        guard let listener = listener.withLock({ $0.take() }) else { throw ServerError.notStarted }
        defer { withdraw(listening) }
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
        let stops = self.stops.add(1, ordering: .acquiringAndReleasing).newValue
        stopping.add(1, ordering: .sequentiallyConsistent)
        let (listening, current) = (
            listening.load(ordering: .sequentiallyConsistent), current.load(ordering: .sequentiallyConsistent)
        )
        if listening >= 0 { shutDown(listening, .both) }
        if current >= 0 { shutDown(current, stops == 1 ? .read : .both) }
        stopping.subtract(1, ordering: .acquiringAndReleasing)
    }

    private var isStopping: Bool { stops.load(ordering: .acquiring) > 0 }

    /// Wakes the call that waits at a descriptor: the end is read once all that has come was, or at once.
    private func shutDown(_ descriptor: Int32, _ side: StreamSocket.Side) {
        let socket = StreamSocket(adopting: descriptor)
        try? socket.shutdown(side)
        _ = socket.release()
    }

    private func serve(
        _ socket: consuming StreamSocket, _ conversation: inout BlockingConversation, _ summary: inout ServerSummary
    ) {
        try? socket.setSendTimeout(SequentialServer.sendTimeout)
        current.store(socket.rawValue, ordering: .releasing)
        var deadline: ContinuousClock.Instant?
        if !isStopping {
            let outcome = conversation.serve(socket) { [self] in mayWait(&deadline) }
            summary.add(outcome)
        }
        withdraw(current)
    }

    /// Makes a descriptor safe to close: nobody else begins to use it, and those that have are waited for.
    private func withdraw(_ descriptor: borrowing Atomic<Int32>) {
        descriptor.store(-1, ordering: .sequentiallyConsistent)
        while stopping.load(ordering: .sequentiallyConsistent) > 0 {}
    }

    /// Whether to go on waiting for a client that takes no bytes: without end, until the server is stopped.
    private func mayWait(_ deadline: inout ContinuousClock.Instant?) -> Bool {
        let stops = self.stops.load(ordering: .acquiring)
        if stops == 0 { return true }
        let end = deadline ?? ContinuousClock.now.advanced(by: configuration.drainTimeout)
        deadline = end
        return stops == 1 && ContinuousClock.now < end
    }
}

extension ServerSummary {
    /// Adds what one conversation amounted to.
    mutating func add(_ outcome: BlockingConversation.Outcome) {
        acceptedConnections += 1
        receivedBytes += outcome.receivedBytes
        sentBytes += outcome.sentBytes
        peakBufferedBytes = max(peakBufferedBytes, outcome.peakBufferedBytes)
    }
}
