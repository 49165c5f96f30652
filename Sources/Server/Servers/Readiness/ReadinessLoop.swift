internal import IncrementProtocol
internal import Logging
internal import ProxyProtocol
internal import SystemCalls

/// The loop of a readiness server, with all its state: a local value of the thread that runs it.
struct ReadinessLoop<Waiting: Poller & ~Copyable>: ~Copyable {
    var poller: Waiting
    var listener: SharedListener?
    let wakeUp: SharedWakeUp
    let configuration: ServerConfiguration
    let log: ConnectionLog
    let meter: ServerMeter

    var connections: [ReadinessConnection] = []
    /// Answers that the kernel has not taken, by descriptor.
    var pending: [Int32: ByteQueue] = [:]
    var heldCount = 0
    var openCount = 0
    var input: ReusableBuffer
    var output: ReusableBuffer
    var reserve = ReserveDescriptor()
    var refusals: RefusalLog
    var summary = ServerSummary()
    var stops = 0
    /// Connections whose side has ended, with the time at which it did.
    var lingering: [(descriptor: Int32, end: ContinuousClock.Instant)] = []
    let startTime = ContinuousClock.now
    var clock = ReadinessClock()
    var watch: LimitWatch
    var forwarded: ForwardedConnections
    /// The next row to look at.
    var nextRow = 0

    /// Makes a loop over a poller that waits for the listener and the wake-up.
    init(
        poller: consuming Waiting, listener: SharedListener, wakeUp: SharedWakeUp,
        configuration: ServerConfiguration, logger: Logger, meter: ServerMeter
    ) {
        self.poller = poller
        self.listener = listener
        self.wakeUp = wakeUp
        self.configuration = configuration
        log = ConnectionLog(logger: logger)
        refusals = RefusalLog(logger: logger)
        self.meter = meter
        watch = LimitWatch(configuration.limits)
        forwarded = ForwardedConnections(proxies: TrustedProxies(configuration.trustedProxies))
        let bufferSize = max(1, min(128 * 1024, configuration.maxBufferedBytes))
        input = ReusableBuffer(capacity: bufferSize)
        output = ReusableBuffer(capacity: bufferSize)
    }

    /// Serves until stopped.
    ///
    /// - Parameter stopCount: how many times the server has been told to stop.
    mutating func run(stopCount: () -> Int) throws(SystemCallError) -> ServerSummary {
        if configuration.measures { clock.ticked(meter) }
        while stops == 0 {
            if configuration.measures { try serveMeasured(stopCount) } else { try serveReady(stopCount, within: nil) }
        }
        let deadline = ContinuousClock.now.advanced(by: configuration.drainTimeout)
        while stops == 1, openCount > 0, ContinuousClock.now < deadline {
            endQuiet()
            try serveReady(stopCount, within: DrainRules.interval)
            closeLingering()
        }
        closeAll(inOrder: stops == 1)
        refusals.reportAll()
        if configuration.measures { meter.setByteCounts(received: summary.receivedBytes, sent: summary.sentBytes) }
        return summary
    }

    /// Waits for something to be ready, and serves it.
    @inline(__always)
    mutating func serveReady(_ stopCount: () -> Int, within limit: Duration?) throws(SystemCallError) {
        let count = try poller.wait(timeout: limit)
        for index in 0..<count { try serve(poller.ready(at: index), stopCount) }
    }

    /// The same, and measures it.
    @inline(never)
    mutating func serveMeasured(_ stopCount: () -> Int) throws(SystemCallError) {
        let count = try poller.wait(timeout: nil)
        clock.roundBegin = MonotonicTime.nanoseconds()
        for index in 0..<count { try serve(poller.ready(at: index), stopCount) }
        meter.roundEnded(nanoseconds: Int(clamping: MonotonicTime.nanoseconds() &- clock.roundBegin))
        meter.setByteCounts(received: summary.receivedBytes, sent: summary.sentBytes)
    }

    /// The time since the server began.
    var now: Duration { startTime.duration(to: .now) }

    @inline(__always)
    mutating func serve(_ ready: ReadyDescriptor, _ stopCount: () -> Int) throws(SystemCallError) {
        let descriptor = ready.descriptor
        // The table grows with the descriptors; those of the listener and the wake-up have free rows or none.
        guard descriptor >= 0, Int(descriptor) < connections.count else { return try serveOwn(descriptor, stopCount) }
        let connection = connections[Int(descriptor)]
        if connection.phase == .serving, !connection.hasPending, ready.readiness.contains(.readable) {
            return read(descriptor, connection, limit: .max)
        }
        if connection.phase == .free { return try serveOwn(descriptor, stopCount) }
        serveSlowly(descriptor, ready.readiness)
    }

    /// A connection that has answers waiting, or is ending.
    mutating func serveSlowly(_ descriptor: Int32, _ readiness: Interest) {
        if readiness.contains(.writable) { flush(descriptor) }
        let connection = connections[Int(descriptor)]
        guard readiness.contains(.readable), connection.phase != .free else { return }
        // An ending connection is reported readable where it has failed: then a read tells.
        let room = configuration.maxBufferedBytes - (pending[descriptor]?.count ?? 0)
        if room > 0 { read(descriptor, connection, limit: room) }
    }

    /// The listener, the wake-up or a timer is ready.
    mutating func serveOwn(_ descriptor: Int32, _ stopCount: () -> Int) throws(SystemCallError) {
        if descriptor == listener?.socket.rawValue { return try acceptWaiting() }
        guard descriptor == wakeUp.wakeUp.rawValue else { return timePassed(descriptor) }
        wakeUp.wakeUp.clear()
        let requested = stopCount()
        if requested > 0, stops == 0 { try drain() }
        stops = requested
    }
}

// MARK: - Bytes

extension ReadinessLoop where Waiting: ~Copyable {
    @inline(__always)
    mutating func read(_ descriptor: Int32, _ connection: ReadinessConnection, limit: Int) {
        let result: IOResult
        do throws(SystemCallError) {
            result = try input.fill(limit: limit) { output throws(SystemCallError) in
                try StreamSocket.receive(on: descriptor, into: &output)
            }
        } catch { return close(descriptor) }
        switch result {
        case .bytes:
            if connection.phase == .serving { return answer(descriptor, connection) }
            if connection.phase == .draining { return answerWhileDraining(descriptor, connection) }
            if connection.phase == .awaitingHeader { readHeader(descriptor) }
        case .wouldBlock: return
        case .end: ended(descriptor)
        }
    }

    @inline(__always)
    mutating func answer(_ descriptor: Int32, _ connection: ReadinessConnection) {
        summary.receivedBytes &+= input.count
        var machine = connection.machine
        input.withBytes { bytes in _ = output.fill { machine.receive(bytes, into: &$0) } }
        if machine != connection.machine { connections[Int(descriptor)].machine = machine }
        if output.count > 0 { send(descriptor, behindPending: connection.hasPending) }
        if configuration.measures { measure(from: connection.machine) }
    }

    @inline(never)
    mutating func measure(from machine: ServerMachine) {
        let count = input.withBytes { machine.messageCount(closedBy: $0) }
        meter.answered(messages: count, sinceNanoseconds: clock.roundBegin)
    }

    /// Answers; the end goes with an answer behind which nothing more has come.
    mutating func answerWhileDraining(_ descriptor: Int32, _ connection: ReadinessConnection) {
        var machine = connection.machine
        let closed = input.withBytes { machine.messageCount(closedBy: $0) }
        summary.receivedBytes &+= input.count
        input.withBytes { bytes in _ = output.fill { machine.receive(bytes, into: &$0) } }
        connections[Int(descriptor)].machine = machine
        let isLast = !machine.isInMessage && StreamSocket.unreadByteCount(on: descriptor) == 0
        if isLast { StreamSocket.cork(descriptor) }
        if output.count > 0 { send(descriptor, behindPending: connection.hasPending) }
        if configuration.measures { meter.answered(messages: closed, sinceNanoseconds: clock.roundBegin) }
        let row = connections[Int(descriptor)]
        if isLast, row.phase == .draining, !row.hasPending { endThisSide(descriptor) }
    }

    /// Sends the output, and keeps what the kernel does not take.
    @inline(__always)
    mutating func send(_ descriptor: Int32, behindPending: Bool) {
        if behindPending { return queue(descriptor, from: 0) }
        let result: IOResult
        do throws(SystemCallError) {
            result = try output.withBytes { bytes throws(SystemCallError) in
                try StreamSocket.send(bytes, on: descriptor)
            }
        } catch { return close(descriptor) }
        var sent = 0
        if case .bytes(let count) = result { sent = count }
        summary.sentBytes &+= sent
        if sent < output.count { queue(descriptor, from: sent) }
    }

    mutating func queue(_ descriptor: Int32, from offset: Int) {
        if let limit = configuration.maxBufferedTotal, heldCount + output.count - offset > limit {
            return end(descriptor, because: .heldBeyond(limit))
        }
        let queue = pending[descriptor] ?? ByteQueue()
        pending[descriptor] = queue
        connections[Int(descriptor)].hasPending = true
        output.withBytes { bytes in queue.append(bytes.extracting(offset..<bytes.count)) }
        summary.peakBufferedBytes = max(summary.peakBufferedBytes, queue.count)
        heldChanged(by: output.count - offset)
        updateInterest(descriptor)
    }

    mutating func heldChanged(by difference: Int) {
        heldCount += difference
        meter.heldChanged(by: difference)
    }

    /// Sends what was kept.
    mutating func flush(_ descriptor: Int32) {
        guard let queue = pending[descriptor] else { return }
        do throws(SystemCallError) {
            while queue.count > 0 {
                let result = try queue.withBytes { bytes throws(SystemCallError) in
                    try StreamSocket.send(bytes, on: descriptor)
                }
                guard case .bytes(let count) = result else { break }
                queue.removeFirst(count)
                heldChanged(by: -count)
                summary.sentBytes &+= count
            }
        } catch { return close(descriptor) }
        if queue.count > 0 { return updateInterest(descriptor) }
        pending[descriptor] = nil
        connections[Int(descriptor)].hasPending = false
        if connections[Int(descriptor)].phase == .ending { return close(descriptor) }
        updateInterest(descriptor)
    }

    /// The client is done: what it sent is answered in full before this side closes.
    mutating func ended(_ descriptor: Int32) {
        if !connections[Int(descriptor)].hasPending { return close(descriptor) }
        connections[Int(descriptor)].phase = .ending
        updateInterest(descriptor)
    }

    mutating func updateInterest(_ descriptor: Int32) {
        let row = Int(descriptor)
        let wanted = connections[row].wanted(
            pendingCount: pending[descriptor]?.count ?? 0, limit: configuration.maxBufferedBytes)
        guard wanted != connections[row].interest else { return }
        connections[row].interest = wanted
        do throws(SystemCallError) { try poller.modify(descriptor, wanted) } catch { close(descriptor) }
    }
}
