internal import IncrementProtocol
internal import Logging
internal import SystemCalls

/// The loop of a readiness server, with all its state: a local value of the thread that runs it.
struct ReadinessLoop<Waiting: Poller & ~Copyable>: ~Copyable {
    private var poller: Waiting
    private var listener: SharedListener?
    private let wakeUp: SharedWakeUp
    private let configuration: ServerConfiguration
    private let logger: Logger

    private var connections: [ReadinessConnection] = []
    /// Answers that the kernel has not taken, by descriptor.
    private var pending: [Int32: ByteQueue] = [:]
    private var openCount = 0
    private var input: ReusableBuffer
    private var output: ReusableBuffer
    private var reserve = ReserveDescriptor()
    private var refusals = RefusalLog()
    private var summary = ServerSummary()
    private var stops = 0
    /// Connections whose end has been sent, with the time at which they are closed at the latest.
    private var lingering: [(descriptor: Int32, deadline: ContinuousClock.Instant)] = []
    private let startTime = ContinuousClock.now

    /// How long a client has to close its side once this side has ended.
    private static var closeGrace: Duration { .milliseconds(250) }

    /// Makes a loop over a poller that waits for the listener and the wake-up.
    init(
        poller: consuming Waiting, listener: SharedListener, wakeUp: SharedWakeUp,
        configuration: ServerConfiguration, logger: Logger
    ) {
        self.poller = poller
        self.listener = listener
        self.wakeUp = wakeUp
        self.configuration = configuration
        self.logger = logger
        let bufferSize = max(1, min(128 * 1024, configuration.maxBufferedBytes))
        input = ReusableBuffer(capacity: bufferSize)
        output = ReusableBuffer(capacity: bufferSize)
    }

    /// Serves until stopped.
    ///
    /// - Parameter stopCount: how many times the server has been told to stop.
    mutating func run(stopCount: () -> Int) throws(SystemCallError) -> ServerSummary {
        defer { closeAll() }
        while stops == 0 {
            let count = try poller.wait(timeout: nil)
            for index in 0..<count { try serve(poller.ready(at: index), stopCount) }
        }
        let deadline = ContinuousClock.now.advanced(by: configuration.drainTimeout)
        while stops == 1, openCount > 0, ContinuousClock.now < deadline {
            let count = try poller.wait(timeout: .milliseconds(10))
            for index in 0..<count { try serve(poller.ready(at: index), stopCount) }
            closeLingering()
        }
        return summary
    }

    @inline(__always)
    private mutating func serve(_ ready: ReadyDescriptor, _ stopCount: () -> Int) throws(SystemCallError) {
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
    private mutating func serveSlowly(_ descriptor: Int32, _ readiness: Interest) {
        if readiness.contains(.writable) { flush(descriptor) }
        let connection = connections[Int(descriptor)]
        guard readiness.contains(.readable), connection.phase != .free else { return }
        // An ending connection is reported readable where it has failed: then a read tells.
        let room = configuration.maxBufferedBytes - (pending[descriptor]?.count ?? 0)
        if room > 0 { read(descriptor, connection, limit: room) }
    }

    /// The listener or the wake-up is ready.
    private mutating func serveOwn(_ descriptor: Int32, _ stopCount: () -> Int) throws(SystemCallError) {
        if descriptor == listener?.socket.rawValue { return try acceptWaiting() }
        guard descriptor == wakeUp.wakeUp.rawValue else { return }
        wakeUp.wakeUp.clear()
        let requested = stopCount()
        if requested > 0, stops == 0 { try drain() }
        stops = requested
    }
}

// MARK: - Bytes

extension ReadinessLoop where Waiting: ~Copyable {
    @inline(__always)
    private mutating func read(_ descriptor: Int32, _ connection: ReadinessConnection, limit: Int) {
        let result: IOResult
        do throws(SystemCallError) {
            result = try input.fill(limit: limit) { output throws(SystemCallError) in
                try StreamSocket.receive(on: descriptor, into: &output)
            }
        } catch { return close(descriptor) }
        switch result {
        case .bytes:
            if connection.phase == .serving { return answer(descriptor, connection) }
            if connection.phase == .draining { finishReading(descriptor, after: connection) }
        case .wouldBlock: if connection.phase == .draining, !connection.hasPending { endThisSide(descriptor) }
        case .end: ended(descriptor)
        }
    }

    /// Answers what was read, and reads on: a connection that drains ends where nothing more has come.
    private mutating func finishReading(_ descriptor: Int32, after connection: ReadinessConnection) {
        answer(descriptor, connection)
        let connection = connections[Int(descriptor)]
        if connection.phase == .draining, !connection.hasPending { read(descriptor, connection, limit: .max) }
    }

    @inline(__always)
    private mutating func answer(_ descriptor: Int32, _ connection: ReadinessConnection) {
        summary.receivedBytes &+= input.count
        var machine = connection.machine
        input.withBytes { bytes in _ = output.fill { machine.receive(bytes, into: &$0) } }
        if machine != connection.machine { connections[Int(descriptor)].machine = machine }
        if output.count > 0 { send(descriptor, behindPending: connection.hasPending) }
    }

    /// Sends the output, and keeps what the kernel does not take.
    @inline(__always)
    private mutating func send(_ descriptor: Int32, behindPending: Bool) {
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

    private mutating func queue(_ descriptor: Int32, from offset: Int) {
        let queue = pending[descriptor] ?? ByteQueue()
        pending[descriptor] = queue
        connections[Int(descriptor)].hasPending = true
        output.withBytes { bytes in queue.append(bytes.extracting(offset..<bytes.count)) }
        summary.peakBufferedBytes = max(summary.peakBufferedBytes, queue.count)
        updateInterest(descriptor)
    }

    /// Sends what was kept.
    private mutating func flush(_ descriptor: Int32) {
        guard let queue = pending[descriptor] else { return }
        do throws(SystemCallError) {
            while queue.count > 0 {
                let result = try queue.withBytes { bytes throws(SystemCallError) in
                    try StreamSocket.send(bytes, on: descriptor)
                }
                guard case .bytes(let count) = result else { break }
                queue.removeFirst(count)
                summary.sentBytes &+= count
            }
        } catch { return close(descriptor) }
        if queue.count > 0 { return updateInterest(descriptor) }
        pending[descriptor] = nil
        connections[Int(descriptor)].hasPending = false
        switch connections[Int(descriptor)].phase {
        case .ending: close(descriptor)
        case .draining:
            updateInterest(descriptor)
            read(descriptor, connections[Int(descriptor)], limit: .max)
        case .serving, .lingering, .free: updateInterest(descriptor)
        }
    }

    /// The client is done: what it sent is answered in full before this side closes.
    private mutating func ended(_ descriptor: Int32) {
        if !connections[Int(descriptor)].hasPending { return close(descriptor) }
        connections[Int(descriptor)].phase = .ending
        updateInterest(descriptor)
    }

    private mutating func updateInterest(_ descriptor: Int32) {
        let row = Int(descriptor)
        let wanted = connections[row].wanted(
            pendingCount: pending[descriptor]?.count ?? 0, limit: configuration.maxBufferedBytes)
        guard wanted != connections[row].interest else { return }
        connections[row].interest = wanted
        do throws(SystemCallError) { try poller.modify(descriptor, wanted) } catch { close(descriptor) }
    }
}

// MARK: - Connections

extension ReadinessLoop where Waiting: ~Copyable {
    private mutating func acceptWaiting() throws(SystemCallError) {
        // Bounded, so that a storm of clients does not keep the others waiting.
        for _ in 0..<1024 {
            guard let listener else { return }
            switch try listener.socket.accept(isNonBlocking: true) {
            case .connection(let socket): begin(socket.release())
            case .wouldBlock: return
            case .noDescriptor(let error):
                guard reserve.turnAway(from: listener.socket) else { return }
                refuse("\(error)")
            }
        }
    }

    private mutating func begin(_ descriptor: Int32) {
        if let limit = configuration.maxConnections, openCount >= limit {
            return refuse(descriptor, "the limit of \(limit) connections is reached")
        }
        if let limit = Waiting.descriptorLimit, Int(descriptor) >= limit {
            return refuse(descriptor, "the model watches descriptors below \(limit) only")
        }
        do throws(SystemCallError) { try poller.add(descriptor, .readable) } catch {
            return refuse(descriptor, "\(error)")
        }
        while connections.count <= Int(descriptor) { connections.append(ReadinessConnection()) }
        var connection = ReadinessConnection()
        connection.phase = .serving
        connection.interest = .readable
        connections[Int(descriptor)] = connection
        openCount += 1
        summary.acceptedConnections += 1
        output.fill { connection.machine.greet(into: &$0) }
        send(descriptor, behindPending: false)
    }

    private mutating func refuse(_ descriptor: Int32, _ reason: String) {
        _ = StreamSocket(adopting: descriptor)
        refuse(reason)
    }

    private mutating func refuse(_ reason: String) {
        summary.refusedConnections += 1
        refusals.note(reason, at: startTime.duration(to: .now), to: logger)
    }

    private mutating func close(_ descriptor: Int32) {
        guard connections[Int(descriptor)].phase != .free else { return }
        connections[Int(descriptor)] = ReadinessConnection()
        pending[descriptor] = nil
        openCount -= 1
        try? poller.remove(descriptor)
        _ = StreamSocket(adopting: descriptor)
    }
}

// MARK: - The end

extension ReadinessLoop where Waiting: ~Copyable {
    /// Accepts no more, and ends each connection once what it has sent is answered.
    private mutating func drain() throws(SystemCallError) {
        if let listener { try poller.remove(listener.socket.rawValue) }
        listener = nil
        for row in connections.indices where connections[row].phase == .serving {
            connections[row].phase = .draining
            if !connections[row].hasPending { read(Int32(row), connections[row], limit: .max) }
        }
    }

    /// Ends this side.
    ///
    /// What still comes is read and dropped, so that no reset overtakes the answers.
    private mutating func endThisSide(_ descriptor: Int32) {
        let socket = StreamSocket(adopting: descriptor)
        let isEnded: Bool
        do throws(SystemCallError) {
            try socket.shutdown(.write)
            isEnded = true
        } catch { isEnded = false }
        _ = socket.release()
        guard isEnded else { return close(descriptor) }
        connections[Int(descriptor)].phase = .lingering
        lingering.append((descriptor, ContinuousClock.now.advanced(by: Self.closeGrace)))
        updateInterest(descriptor)
    }

    /// Closes what has lingered long enough.
    ///
    /// No connection is accepted any more, so that no number is used twice.
    private mutating func closeLingering() {
        let now = ContinuousClock.now
        for entry in lingering where entry.deadline <= now { close(entry.descriptor) }
        lingering.removeAll { $0.deadline <= now }
    }

    private mutating func closeAll() {
        for row in connections.indices where connections[row].phase != .free { close(Int32(row)) }
    }
}
