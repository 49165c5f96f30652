internal import IncrementProtocol
internal import Logging
internal import ProxyProtocol
internal import SocketAddresses
internal import SystemCalls

/// The operational work for the connections of one loop or thread: admission, counters, timeouts, the connection log,
/// the drain, proxies and the heartbeat.
///
/// A model reports the events of each connection, and identifies the connection by number and descriptor. The model
/// reports messages only if `measures` is set. In a blocking model, each client has its own operations, made with
/// `init(sharing:)`. The counters of these operations belong to one client, so only one thread writes them. All clients
/// share everything else.
final class Operations: Sendable {
    let configuration: ServerConfiguration
    let log: ConnectionLog
    let counters: ServerCounters
    let admission: Admission
    /// The numbers of buffered bytes at which a connection pauses and resumes reading.
    let waterMarks: WaterMarks
    /// Whether the server measures messages, latencies and iterations.
    let measures: Bool
    private let proxies: [CIDRBlock]
    private let isSwept: Bool
    private let state: Monitor<State>
    private let startTime: ContinuousClock.Instant

    private struct State {
        var rejections: RejectionLog
        var timeouts: TimeoutPolicy
        var rejected: [RejectionReason: Int] = [:]
        var closed: [CloseReason: Int] = [:]
        /// For each connection whose proxy header is incomplete, the parser and the deadline of the header.
        var headers: [UInt32: (parser: ProxyHeaderParser, deadline: Duration)] = [:]
        /// For each connection that a proxy forwards, the address of the client.
        var clients: [UInt32: SocketAddress] = [:]
        var schedule: Schedule
    }

    /// Makes the operations of a loop, or of the thread that accepts.
    ///
    /// - Parameters:
    ///   - readSize: the number of bytes by which the high-water mark is below the limit; the model reads at most this
    ///     many bytes at once.
    ///   - isLoop: whether one thread waits for all connections at once.
    init(_ configuration: ServerConfiguration, _ admission: Admission, readSize: Int, isLoop: Bool, _ logger: Logger) {
        self.configuration = configuration
        self.admission = admission
        log = ConnectionLog(logger: logger)
        waterMarks = WaterMarks(limit: configuration.maxBufferedBytes, readSize: readSize)
        measures = configuration.measures
        counters = ServerCounters(ofLoop: isLoop && configuration.measures)
        proxies = configuration.trustedProxies
        isSwept = configuration.sweepInterval != nil
        startTime = .now
        state = Monitor(
            State(
                rejections: RejectionLog(logger: logger), timeouts: TimeoutPolicy(configuration.limits),
                schedule: Schedule(
                    heartbeat: configuration.heartbeat?.interval,
                    sweep: configuration.sweepInterval.map { isLoop ? $0 / Schedule.sweepParts : $0 },
                    tick: isLoop && configuration.measures ? Schedule.tickInterval : nil)))
    }

    /// Makes operations that have their own counters and share everything else with other operations.
    init(sharing other: Operations) {
        configuration = other.configuration
        admission = other.admission
        log = other.log
        waterMarks = other.waterMarks
        measures = other.measures
        proxies = other.proxies
        state = other.state
        isSwept = other.isSwept
        startTime = other.startTime
        counters = ServerCounters(ofLoop: false)
    }

    /// The number of open connections.
    var openCount: Int { counters.accepted.value - counters.closed.value }

    /// The time since the server was made.
    var now: Duration { startTime.duration(to: .now) }

    /// Returns a server's metrics, which are sums over all its operations.
    ///
    /// - Parameters:
    ///   - all: the operations of each loop, or of the thread that accepts.
    ///   - sharing: operations that `init(sharing:)` made from an element of `all`.
    static func metrics(_ all: [Operations], sharing: [Operations] = []) -> ServerMetrics {
        var metrics = ServerMetrics()
        for operations in all + sharing { operations.counters.add(to: &metrics) }
        for operations in all {
            let (rejected, closed) = operations.state.withLock { ($0.rejected, $0.closed) }
            metrics.rejectedConnections.merge(rejected, uniquingKeysWith: +)
            metrics.closedConnections.merge(closed, uniquingKeysWith: +)
        }
        return metrics
    }
}

// MARK: - Admission

extension Operations {
    /// Acquires a slot for an accepted connection; if no slot is free, counts and logs a rejection.
    ///
    /// - Returns: whether the connection has a slot; if not, the caller closes it.
    func admit() -> Bool {
        if admission.acquireSlot() { return true }
        reject(.limit, "the limit of \(configuration.maxConnections ?? 0) connections is reached")
        return false
    }

    /// Numbers, counts and logs an admitted connection, and makes its session.
    ///
    /// A connection from a trusted proxy is logged later, after the proxy's header has named the client.
    func open(_ descriptor: Int32) -> (number: UInt32, session: ServerSession) {
        counters.accepted.add(1)
        let number = admission.nextNumber()
        guard log.isVerbose || !proxies.isEmpty else { return (number, ServerSession()) }
        let peer = StreamSocket.remoteAddress(of: descriptor)
        guard let peer, proxies.contains(where: { $0.contains(peer.ip) }) else {
            if log.isVerbose { log.accepted(number, from: peer) }
            return (number, ServerSession())
        }
        let deadline = now + Closure.headerTimeout
        state.withLock { $0.headers[number] = (ProxyHeaderParser(), deadline) }
        return (number, ServerSession(awaitsProxyHeader: true))
    }

    /// Counts rejected connections, and logs them at most once a second.
    func reject(_ reason: RejectionReason, _ detail: String, count: Int = 1) {
        let now = now
        state.withLock { state in
            state.rejected[reason, default: 0] += count
            state.rejections.record(reason, detail, count: count, at: now)
        }
    }

    /// Releases the slot and the buffered bytes of a connection, and logs the close.
    ///
    /// Call this function before closing the socket, because the client may connect again as soon as the socket is
    /// closed.
    ///
    /// - Parameter bufferedByteCount: the number last passed to `bufferChanged`.
    func close(_ number: UInt32, bufferedByteCount: Int) {
        if bufferedByteCount > 0 { _ = bufferChanged(from: bufferedByteCount, to: 0, number, -1) }
        admission.releaseSlot()
        counters.closed.add(1)
        if isSwept {
            state.withLock { state in
                state.timeouts.forget(number)
                state.headers[number] = nil
                state.clients[number] = nil
            }
        }
        log.closed(number)
    }

    /// Counts and logs a connection that the server closes because of a limit.
    ///
    /// If `CloseReason.resets` is true for the reason, closing the socket will send a reset.
    private func close(_ number: UInt32, _ descriptor: Int32, because closure: Closure) {
        let client = state.withLock { state in
            state.closed[closure.reason, default: 0] += 1
            return state.clients[number]
        }
        log.closed(number, of: StreamSocket.remoteAddress(of: descriptor), forwarding: client, because: closure)
        if closure.reason.resets { StreamSocket.resetWhenClosed(descriptor) }
    }
}

// MARK: - Bytes

extension Operations {
    /// The result of parsing a proxy's header.
    enum HeaderProgress {
        /// More bytes are needed.
        case incomplete
        /// The header is complete. The value is the number of the bytes that belong to it.
        case complete(Int)
        /// The header is invalid; the caller closes the connection.
        case invalid
    }

    /// Parses bytes of a connection that awaits a proxy's header.
    func receiveHeader(_ bytes: Span<UInt8>, _ number: UInt32, _ descriptor: Int32) -> HeaderProgress {
        guard let header = state.withLock({ $0.headers[number] }) else { return .invalid }
        var parser = header.parser
        switch parser.receive(bytes) {
        case .incomplete:
            state.withLock { [parser] in $0.headers[number] = (parser, header.deadline) }
            return .incomplete
        case .malformed(let error):
            close(number, descriptor, because: .invalidHeader(error))
            return .invalid
        case .complete(let header, let count):
            state.withLock { state in
                state.headers[number] = nil
                state.clients[number] = header.source
            }
            if log.isVerbose {
                log.accepted(number, from: StreamSocket.remoteAddress(of: descriptor), forwarding: header.source)
            }
            return .complete(count)
        }
    }

    /// Counts a change in the number of reply bytes that are buffered for a connection.
    ///
    /// - Returns: `false` if the buffered bytes of all connections would exceed their limit. In that case, the change
    ///   is not counted, and the caller closes the connection.
    func bufferChanged(from old: Int, to new: Int, _ number: UInt32, _ descriptor: Int32) -> Bool {
        guard admission.addBuffered(new - old) else {
            close(number, descriptor, because: .overMemoryLimit(admission.bufferLimit))
            return false
        }
        counters.buffered.add(new - old)
        counters.peakBuffered.raise(to: new)
        return true
    }

    /// Records the latency of a reply and the number of closed messages, if `measures` is set.
    ///
    /// - Parameter before: the session before it received the bytes.
    func replied(to bytes: Span<UInt8>, _ before: ServerSession) {
        // The server does not reply to a proxy's header, nor to discarded bytes.
        guard measures, !bytes.isEmpty, before.phase == .serving || before.phase == .draining else { return }
        counters.replied(messageCount: before.messageCount(closedBy: bytes))
    }

    /// The time at which a drain that begins now times out.
    var drainDeadline: Duration { now + configuration.drainTimeout }

    /// Sends FIN after all bytes that have been sent so far.
    ///
    /// If reply bytes are still buffered, a later sweep sends FIN.
    ///
    /// All models, including the libuv models, call `shutdown` directly, because `uv_shutdown` would send FIN one
    /// iteration later. Bytes that arrive before that iteration would get no reply.
    func shutDown(
        _ descriptor: Int32, _ session: inout ServerSession, bufferedByteCount: Int
    ) -> ServerSession.Decision {
        if bufferedByteCount > 0 { return .keep }
        do throws(SystemCallError) { try StreamSocket.shutdown(.write, on: descriptor) } catch { return .close }
        session.didShutDown()
        return .keep
    }

    /// Sends FIN on a connection that the caller is about to close, so that the client can read all replies that the
    /// kernel has accepted.
    static func sendFinalFIN(_ descriptor: Int32) { try? StreamSocket.shutdown(.write, on: descriptor) }
}

// MARK: - Periodic work

extension Operations {
    /// Decides during a sweep whether to keep or close a connection, by its timeouts or by the rules of a drain.
    ///
    /// If the session decides to send FIN, this function sends it.
    ///
    /// - Parameters:
    ///   - bufferedByteCount: the number of reply bytes that the kernel has not accepted.
    ///   - receivedByteCount: the number of bytes that the model has read but not yet replied to.
    /// - Returns: `close` if the caller must close the connection, otherwise `keep`.
    func sweep(
        _ number: UInt32, _ descriptor: Int32, _ session: inout ServerSession, bufferedByteCount: Int,
        receivedByteCount: Int = 0
    ) -> ServerSession.Decision {
        let state = TCPState(of: descriptor)
        guard session.phase == .draining || session.phase == .discarding else {
            return exceedsTimeout(number, descriptor, isInMessage: session.isInMessage, state) ? .close : .keep
        }
        let decision = session.sweep(
            bufferedByteCount: bufferedByteCount,
            unreadByteCount: receivedByteCount + StreamSocket.unreadByteCount(on: descriptor),
            state.map(PeerActivity.init))
        return decision == .shutDown
            ? shutDown(descriptor, &session, bufferedByteCount: bufferedByteCount) : decision
    }

    /// Evaluates the timeouts of a connection; if the connection has exceeded one of them, counts and logs this.
    ///
    /// - Parameter isInMessage: whether a message of the client is open.
    /// - Returns: whether to close the connection.
    func exceedsTimeout(_ number: UInt32, _ descriptor: Int32, isInMessage: Bool, _ kernel: TCPState?) -> Bool {
        let now = now
        let closure = state.withLock { state -> Closure? in
            if let header = state.headers[number] { return header.deadline <= now ? .missingHeader : nil }
            return kernel.flatMap { state.timeouts.evaluate(number, $0, isInMessage: isInMessage, now: now) }
        }
        guard let closure else { return false }
        close(number, descriptor, because: closure)
        return true
    }

    /// The time until `tick` has work to do; `nil` if nothing is scheduled.
    var untilNextTick: Duration? {
        let now = now
        return state.withLock { state in
            [state.schedule.next, state.rejections.nextReport].compactMap { $0 }.min().map { max($0 - now, .zero) }
        }
    }

    /// Performs the periodic work that is due.
    ///
    /// - Returns: whether to sweep the next part of the connections.
    func tick() -> Bool {
        let now = now
        let due = state.withLock { state in
            state.rejections.report(at: now)
            return state.schedule.take(now)
        }
        if due.heartbeat { configuration.heartbeat?.beat() }
        if let lateness = due.lateness { counters.ticked(late: lateness) }
        return due.sweep
    }

    /// Logs the rejections that have not been reported yet.
    func finish() { state.withLock { $0.rejections.reportAll() } }
}

extension PeerActivity {
    fileprivate init(_ state: TCPState) {
        self.init(
            sinceReceived: state.sinceReceived, sinceAcknowledged: state.sinceAcknowledged,
            hasShutDown: state.peerHasShutDown, hasAcknowledgedShutdown: state.finIsAcknowledged)
    }
}
