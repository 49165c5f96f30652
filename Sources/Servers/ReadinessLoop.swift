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
    private var openCount = 0
    private var input: ReusableBuffer
    private var output: ReusableBuffer
    private var reserve = ReserveDescriptor()
    private var refusals = RefusalLog()
    private var summary = ServerSummary()
    private var stops = 0
    private var drainDeadline: ContinuousClock.Instant?
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
        while !isDone {
            let count = try poller.wait(timeout: drainDeadline == nil ? nil : .milliseconds(10))
            for index in 0..<count { try serve(poller.ready(at: index), stopCount) }
            if drainDeadline != nil { try expire() }
        }
        return summary
    }

    private var isDone: Bool { stops > 1 || (stops == 1 && openCount == 0) }

    @inline(__always)
    private mutating func serve(_ ready: ReadyDescriptor, _ stopCount: () -> Int) throws(SystemCallError) {
        let descriptor = ready.descriptor
        // The table grows with the descriptors; those of the listener and the wake-up have free rows or none.
        guard descriptor >= 0, Int(descriptor) < connections.count, connections[Int(descriptor)].phase != .free else {
            return try serveOwn(descriptor, stopCount)
        }
        if ready.readiness.contains(.writable), connections[Int(descriptor)].pending != nil {
            flush(descriptor)
        }
        if ready.readiness.contains(.readable) { read(descriptor) }
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
    private mutating func read(_ descriptor: Int32) {
        let row = Int(descriptor)
        let room = configuration.maxBufferedBytes &- connections[row].pendingCount
        let result: IOResult
        do throws(SystemCallError) {
            result = try input.fill(limit: room) { output throws(SystemCallError) in
                try StreamSocket.receive(on: descriptor, into: &output)
            }
        } catch { return close(descriptor) }
        switch result {
        case .bytes:
            if connections[row].phase == .serving { answer(descriptor) }
        case .wouldBlock: break
        case .end: ended(descriptor)
        }
    }

    @inline(__always)
    private mutating func answer(_ descriptor: Int32) {
        let row = Int(descriptor)
        summary.receivedBytes &+= input.count
        var machine = connections[row].machine
        input.withBytes { bytes in _ = output.fill { machine.receive(bytes, into: &$0) } }
        connections[row].machine = machine
        if output.count > 0 { send(descriptor) }
    }

    /// Sends the output, and keeps what the kernel does not take.
    @inline(__always)
    private mutating func send(_ descriptor: Int32) {
        if connections[Int(descriptor)].pending != nil { return queue(descriptor, from: 0) }
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
        let row = Int(descriptor)
        let pending = connections[row].pending ?? ByteQueue()
        connections[row].pending = pending
        output.withBytes { bytes in pending.append(bytes.extracting(offset..<bytes.count)) }
        summary.peakBufferedBytes = max(summary.peakBufferedBytes, pending.count)
        updateInterest(descriptor)
    }

    /// Sends what was kept.
    private mutating func flush(_ descriptor: Int32) {
        let row = Int(descriptor)
        guard let pending = connections[row].pending else { return }
        do throws(SystemCallError) {
            while pending.count > 0 {
                let result = try pending.withBytes { bytes throws(SystemCallError) in
                    try StreamSocket.send(bytes, on: descriptor)
                }
                guard case .bytes(let count) = result else { break }
                pending.removeFirst(count)
                summary.sentBytes &+= count
            }
        } catch { return close(descriptor) }
        if pending.count > 0 { return updateInterest(descriptor) }
        connections[row].pending = nil
        switch connections[row].phase {
        case .ending: close(descriptor)
        case .draining: endThisSide(descriptor)
        case .serving, .lingering, .free: updateInterest(descriptor)
        }
    }

    /// The client is done: what it sent is answered in full before this side closes.
    private mutating func ended(_ descriptor: Int32) {
        if connections[Int(descriptor)].pendingCount == 0 { return close(descriptor) }
        connections[Int(descriptor)].phase = .ending
        updateInterest(descriptor)
    }

    private mutating func updateInterest(_ descriptor: Int32) {
        let row = Int(descriptor)
        let wanted = connections[row].wanted(limit: configuration.maxBufferedBytes)
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
        send(descriptor)
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
        openCount -= 1
        try? poller.remove(descriptor)
        _ = StreamSocket(adopting: descriptor)
    }
}

// MARK: - The end

extension ReadinessLoop where Waiting: ~Copyable {
    /// Accepts no more, and ends each connection once its answers have been sent.
    private mutating func drain() throws(SystemCallError) {
        if let listener { try poller.remove(listener.socket.rawValue) }
        listener = nil
        drainDeadline = ContinuousClock.now.advanced(by: configuration.drainTimeout)
        for row in connections.indices where connections[row].phase == .serving {
            connections[row].phase = .draining
            if connections[row].pendingCount == 0 { endThisSide(Int32(row)) } else { updateInterest(Int32(row)) }
        }
    }

    /// Ends this side. What still comes is read and dropped, so that no reset overtakes the answers.
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
        connections[Int(descriptor)].deadline = ContinuousClock.now.advanced(by: Self.closeGrace)
        updateInterest(descriptor)
    }

    /// Closes what has lingered long enough, and everything once the drain has taken its time.
    private mutating func expire() throws(SystemCallError) {
        let now = ContinuousClock.now
        if let drainDeadline, now >= drainDeadline { return closeAll() }
        for row in connections.indices {
            if let deadline = connections[row].deadline, now >= deadline { close(Int32(row)) }
        }
    }

    private mutating func closeAll() {
        for row in connections.indices where connections[row].phase != .free { close(Int32(row)) }
    }
}
