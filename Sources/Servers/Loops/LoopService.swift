internal import LibUV
internal import Logging
internal import SocketAddresses
internal import Synchronization

/// One libuv loop that serves the protocol: its listener, its limits, and its end.
///
/// Everything but its stopper belongs to the loop's thread.
// @unchecked Sendable: handed from the thread that starts it to the one that runs it, and used by one at a time.
final class LoopService: @unchecked Sendable {
    let loop: UVLoop
    /// Above this many waiting bytes a client's connection is not read: one more read then stays within the limit.
    let pauseThreshold: Int
    private(set) var isDraining = false

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

    private let listener: UVTCPListener
    private let configuration: ServerConfiguration
    private let serving: any ConnectionServing
    private let budget: ConnectionBudget
    private let logger: Logger
    private var summary = ServerSummary()
    private var openConnections = 0
    private var refusals = RefusalLog()
    /// Clients that the listener had turned away when that was last said.
    private var shedReported = 0
    private var stopsSeen = 0
    /// Connections whose end has been sent, with the loop's time at which they are closed at the latest.
    private var lingering: [(stream: UVStream, deadline: Duration)] = []

    /// How long a client has to close its side once this side has ended.
    private static let closeGrace: Duration = .milliseconds(250)

    /// Makes the loop and its handles.
    init(
        configuration: ServerConfiguration, serving: any ConnectionServing, budget: ConnectionBudget, logger: Logger
    ) throws(UVError) {
        let readBufferSize = max(1, min(128 * 1024, configuration.maxBufferedBytes / 2))
        loop = try UVLoop(configuration: .init(readBufferSize: readBufferSize))
        listener = try UVTCPListener(on: loop)
        pauseThreshold = max(0, configuration.maxBufferedBytes - readBufferSize)
        self.configuration = configuration
        self.serving = serving
        self.budget = budget
        self.logger = logger
        var look: () -> Void = {}
        let wakeUp = try UVAsync(on: loop) { _ in look() }
        wakeUp.unref()
        stopper = Stopper(wakeUp.sender)
        look = { [unowned self] in stopsChanged() }
    }

    /// Binds and listens.
    func start(at address: SocketAddress, sharesPort: Bool) throws(UVError) -> SocketAddress {
        try listener.bind(to: address, sharesPort: sharesPort)
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
        let counts = loop.byteCounts
        summary.receivedBytes = Int(clamping: counts.read)
        summary.sentBytes = Int(clamping: counts.written)
        summary.refusedConnections += listener.shedConnections
        try loop.close()
        return summary
    }

    /// Drains when told to stop, and closes all at once when told again.
    private func stopsChanged() {
        let stops = stopper.stops.load(ordering: .acquiring)
        if stops > 0, stopsSeen == 0 { drain() }
        if stops > 1 { closeConnections() }
        stopsSeen = stops
    }
}

// MARK: - Connections

extension LoopService {
    private func accept(from listener: UVTCPListener) {
        let stream: UVTCPStream
        do throws(UVError) { stream = try listener.accept() } catch { return refused("\(error)") }
        guard budget.take() else {
            stream.close()
            return refused("the limit of \(budget.limit ?? 0) connections is reached")
        }
        do throws(UVError) {
            openConnections += 1
            summary.acceptedConnections += 1
            try serving.begin(stream, for: self)
        } catch {
            // A connection that broke before its greeting: the peer's fault, and nobody else's concern.
            logger.debug("connection failed at once", metadata: ["error": "\(error)"])
            stream.close()
        }
    }

    /// The listener has no descriptor for a client, or another failure.
    ///
    /// What it has turned away it counts itself, and reports once a second.
    private func acceptFailed(_ error: UVError, on listener: UVTCPListener) {
        refusals.note("\(error)", count: listener.shedConnections - shedReported, at: loop.now, to: logger)
        shedReported = listener.shedConnections
    }

    private func refused(_ reason: String) {
        summary.refusedConnections += 1
        refusals.note(reason, at: loop.now, to: logger)
    }

    /// A connection holds its place in the budget no more: another may have it, on whichever loop.
    func placeIsFree() { budget.giveBack() }

    func connectionClosed() { openConnections -= 1 }

    func noteBuffered(_ byteCount: Int) { summary.peakBufferedBytes = max(summary.peakBufferedBytes, byteCount) }
}

// MARK: - The end

extension LoopService {
    /// Accepts no more, and ends each connection once what it has sent is answered.
    private func drain() {
        isDraining = true
        listener.close()
        loop.updateTime()
        endIdle()
        guard openConnections > 0 else { return }
        do throws(UVError) {
            let timeout = loop.now + configuration.drainTimeout
            let timer = try UVTimer(on: loop)
            let pace = Duration.milliseconds(10)
            try timer.start(after: pace, repeating: pace) { [self] timer in
                if loop.now >= timeout { closeConnections() }
                endIdle()
                closeLingering()
                if openConnections == 0 { timer.close() }
            }
        } catch { closeConnections() }
    }

    /// Ends this side of each connection that has sent nothing that is not answered yet, behind its answers.
    private func endIdle() {
        loop.walk { handle in
            guard let stream = handle as? UVTCPStream, stream.isWritable, stream.unreadByteCount == 0,
                serving.unansweredByteCount(of: stream) == 0
            else { return }
            do throws(UVError) {
                try stream.shutdown { [self] result in sent(result, on: stream) }
            } catch { stream.close() }
        }
    }

    /// This side has ended.
    ///
    /// What still comes is read and dropped, so that no reset overtakes the answers.
    private func sent(_ result: Result<Void, UVError>, on stream: UVTCPStream) {
        guard case .success = result else { return stream.close() }
        lingering.append((stream, loop.now + LoopService.closeGrace))
        // Already reading, unless the client was slow to take its answers.
        try? stream.resumeReading()
    }

    private func closeLingering() {
        let now = loop.now
        for (stream, deadline) in lingering where deadline <= now { stream.close() }
        lingering.removeAll { $0.deadline <= now || $0.stream.isClosing }
    }

    private func closeConnections() {
        loop.walk { handle in if handle is UVTCPStream { handle.close() } }
    }
}
