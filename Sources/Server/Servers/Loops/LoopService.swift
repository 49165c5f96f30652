internal import LibUV
internal import Logging
internal import SocketAddresses
internal import Synchronization
internal import SystemCalls

/// One libuv loop that serves the protocol: its listener, its limits, and its end.
///
/// Everything but its stopper and its meter belongs to the loop's thread.
// @unchecked Sendable: handed from the thread that starts it to the one that runs it, and used by one at a time.
final class LoopService: @unchecked Sendable {
    let loop: UVLoop
    /// Above this many waiting bytes a client's connection is not read: one more read then stays within the limit.
    let pauseThreshold: Int
    /// Whether the bytes that wait for clients are counted.
    let countsHeld: Bool
    /// Whether an answer needs more than to be sent: the loop drains, or measures.
    private(set) var isAttentive: Bool
    private(set) var isDraining = false
    /// Whether the connections are being looked at: `written` then means that.
    var isAttending = false

    let meter = ServerMeter()
    /// Tells the loop to stop.
    let stopper: Stopper

    /// Tells a loop to stop; for any thread, and signal handlers.
    final class Stopper: Sendable {
        fileprivate let stops = Atomic<Int>(0)
        private let gate: UVAsync.Gate
        fileprivate init(_ gate: UVAsync.Gate) { self.gate = gate }

        /// Drains the loop's connections, the second time closes them at once.
        func stop() {
            stops.add(1, ordering: .releasing)
            gate.send()
        }
    }

    let configuration: ServerConfiguration
    let serving: any ConnectionServing
    let log: ConnectionLog
    let listener: UVTCPListener
    private let budget: ConnectionBudget
    private var loopMeter: LoopMeter?
    private var summary = ServerSummary()
    private(set) var openConnections = 0
    private var refusals: RefusalLog
    private var refusalTimer: UVTimer?
    /// Bytes that were a proxy's, or came after this side had ended.
    private var droppedByteCount = 0
    /// Clients that the listener had turned away when that was last said.
    private var shedReported = 0
    private var stopsSeen = 0
    let proxies: TrustedProxies
    /// Connections whose proxy has not sent its header, with the loop's time by which it must have.
    var awaitedHeaders: [UInt32: (stream: UVTCPStream, deadline: Duration)] = [:]
    /// Whose connections proxies forward.
    var clients: [UInt32: SocketAddress] = [:]
    var watch: LimitWatch
    /// Connections that are still to be looked at in this turn.
    var unattended: [UVTCPStream] = []
    /// Connections whose side has ended, with the loop's time at which it did.
    var lingering: [(stream: UVStream, end: Duration)] = []

    /// Makes the loop and its handles.
    init(
        configuration: ServerConfiguration, serving: any ConnectionServing, budget: ConnectionBudget, logger: Logger
    ) throws(UVError) {
        let readBufferSize = max(1, min(128 * 1024, configuration.maxBufferedBytes / 2))
        loop = try UVLoop(configuration: .init(readBufferSize: readBufferSize))
        listener = try UVTCPListener(on: loop)
        pauseThreshold = max(0, configuration.maxBufferedBytes - readBufferSize)
        countsHeld = configuration.maxBufferedTotal != nil || configuration.measures
        isAttentive = configuration.measures
        self.configuration = configuration
        self.serving = serving
        self.budget = budget
        log = ConnectionLog(logger: logger)
        refusals = RefusalLog(logger: logger)
        watch = LimitWatch(configuration.limits)
        proxies = TrustedProxies(configuration.trustedProxies)
        var look: () -> Void = {}
        let wakeUp = try UVAsync(on: loop) { _ in look() }
        wakeUp.unref()
        stopper = Stopper(wakeUp.sender)
        look = { [unowned self] in stopsChanged() }
        if configuration.measures { loopMeter = try LoopMeter(of: loop, meter) }
        try startWatching()
        try startHeartbeat()
        try startAwaitingHeaders()
    }

    /// Binds and listens.
    func start(at address: SocketAddress, sharesPort: Bool) throws(UVError) -> SocketAddress {
        try listener.bind(to: address, sharesPort: sharesPort)
        return try listen()
    }

    /// Listens, where the listener has its socket.
    func listen() throws(UVError) -> SocketAddress {
        // Linux hands the option down to the connections that are accepted.
        try listener.setNoDelay(true)
        try listener.listen(backlog: configuration.backlog) { [unowned self] listener, error in
            if let error { acceptFailed(error, on: listener) } else { accept(from: listener) }
        }
        return try listener.localAddress
    }

    /// Closes a loop that is not going to run.
    func abandon() { _ = try? loop.close() }

    /// Serves until stopped; all is closed when it returns.
    func run() throws(UVError) -> ServerSummary {
        try loop.run()
        refusals.reportAll()
        loopMeter?.publish()
        let counts = loop.byteCounts
        summary.receivedBytes = Int(clamping: counts.read) - droppedByteCount
        summary.sentBytes = Int(clamping: counts.written)
        summary.refusedConnections += listener.shedConnections
        try loop.close()
        return summary
    }

    /// Drains when told to stop, and closes all at once when told again.
    private func stopsChanged() {
        let stops = stopper.stops.load(ordering: .acquiring)
        if stops > 0, stopsSeen == 0 {
            isDraining = true
            isAttentive = true
            if stops == 1 { acceptQueued() }
            listener.close()
            log.draining(openConnections)
            drain()
        }
        if stops > 1 { closeConnections() }
        stopsSeen = stops
    }
}

// MARK: - Connections

extension LoopService {
    private func accept(from listener: UVTCPListener) {
        let stream: UVTCPStream
        do throws(UVError) { stream = try listener.accept() } catch { return refused(.failure, "\(error)") }
        begin(stream)
    }

    /// Takes the clients that are connected and wait for the listener, which would reset them when it closes.
    ///
    /// Those at a socket that was handed over belong to the next process.
    private func acceptQueued() {
        guard configuration.inheritedListener == nil else { return }
        while let number = listener.withSystemCalls({ ListeningSocket.acceptWaiting(on: $0) }) {
            do throws(UVError) {
                let stream = try UVTCPStream(on: loop)
                do throws(UVError) { try stream.adopt(descriptor: number) } catch {
                    stream.close()
                    throw error
                }
                begin(stream)
            } catch {
                _ = StreamSocket(adopting: number)
                return refused(.failure, "\(error)")
            }
        }
    }

    private func begin(_ stream: UVTCPStream) {
        if let limit = LastDescriptors.limit(reachedBy: stream) {
            refused(.descriptors, "the limit of \(limit) descriptors is reached")
            return stream.close()
        }
        guard budget.take() else {
            refused(.limit, "the limit of \(budget.limit ?? 0) connections is reached")
            return stream.close()
        }
        let number = budget.nextNumber()
        do throws(UVError) {
            openConnections += 1
            summary.acceptedConnections += 1
            meter.connectionAccepted()
            let isForwarded = !proxies.isEmpty && proxies.contains(try? stream.remoteAddress)
            if log.tellsAll, !isForwarded { log.accepted(number, from: try? stream.remoteAddress) }
            try serving.begin(stream, number: number, isForwarded: isForwarded, for: self)
        } catch {
            // A connection that broke before its greeting: the peer's fault, and nobody else's concern.
            log.logger.debug("connection failed at once", metadata: ["error": "\(error)", "connection": "\(number)"])
            stream.close()
        }
    }

    /// The listener has no descriptor for a client, or another failure.
    ///
    /// What it has turned away it counts itself, and reports once a second.
    private func acceptFailed(_ error: UVError, on listener: UVTCPListener) {
        let count = listener.shedConnections - shedReported
        shedReported = listener.shedConnections
        note(.descriptors, "\(error)", count: count)
    }

    private func refused(_ reason: RefusalReason, _ detail: String) {
        summary.refusedConnections += 1
        note(reason, detail)
    }

    private func note(_ reason: RefusalReason, _ detail: String, count: Int = 1) {
        meter.connectionsRefused(reason, count: count)
        refusals.note(reason, detail, count: count, at: loop.now)
        guard refusals.hasUnreported, refusalTimer == nil, let timer = try? UVTimer(on: loop) else { return }
        // What the second's report does not tell, the next one does, though nobody is refused any more.
        refusalTimer = timer
        timer.unref()
        try? timer.start(after: .seconds(1)) { [unowned self] timer in
            timer.close()
            refusalTimer = nil
            refusals.report(at: loop.now)
        }
    }

    /// A connection holds its place in the budget no more: another may have it, on whichever loop.
    func placeIsFree() { budget.giveBack() }

    func connectionClosed(_ number: UInt32) {
        openConnections -= 1
        meter.connectionClosed()
        watch.forget(number)
        if !proxies.isEmpty {
            awaitedHeaders[number] = nil
            clients[number] = nil
        }
        log.closed(number)
    }

    func noteBuffered(_ byteCount: Int) { summary.peakBufferedBytes = max(summary.peakBufferedBytes, byteCount) }

    /// Counts bytes that wait, or wait no more.
    ///
    /// - Returns: whether all that wait are within the limit; those that would be beyond it are not counted.
    func hold(_ difference: Int) -> Bool {
        guard budget.hold(difference) else { return false }
        meter.heldChanged(by: difference)
        return true
    }

    /// Bytes have come that are no client's to be answered: a proxy's header, or what follows the end of this side.
    func dropped(_ byteCount: Int) {
        droppedByteCount += byteCount
        loopMeter?.droppedByteCount = droppedByteCount
    }

    /// An answer is about to be computed, while the loop drains or measures.
    func willAnswer() { loopMeter?.willAnswer() }

    /// The answer has been given to the kernel, or queued.
    func hasAnswered(messages count: Int) { loopMeter?.hasAnswered(messages: count) }
}
