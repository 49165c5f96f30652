internal import IncrementProtocol
internal import Logging
internal import SocketAddresses
internal import Synchronization
internal import SystemCalls

// One thread, and a list of sockets: wait until some of them are ready, then accept, read and write what can be done
// without blocking. A poller (`SystemCalls/Pollers/Poller.swift`) hides which system call waits: `add` a descriptor with
// an interest, `modify` it, `remove` it, `wait`. All that a library would do is done by hand: the table of connections,
// the queues of unsent replies, and who closes what when. Each of these models breaks where one reply takes long to
// compute, and at the speed of one processor.

extension ServerModel {
    /// One thread that waits with `select`, the oldest of the calls.
    ///
    /// Each wait copies two sets of bits into the kernel and out again, and both sides scan them up to the highest
    /// descriptor: a message costs what is connected, not what is ready. The sets end at descriptor 1024, where C programs
    /// that do not check write beyond the set; this model rejects such a client.
    public static let select = ServerModel(
        name: "select", summary: "one thread, the select system call; serves descriptors below 1024",
        capacity: .descriptors(below: SelectPoller.descriptorLimit ?? 1024), sources: readinessSources("SelectPoller")
    ) { ReadinessServer(waitingThrough: SelectPoller.self, $0, $1) }

    /// One thread that waits with `poll`: a list replaces the sets, so there is no highest descriptor, but the whole list
    /// still enters the kernel at each wait.
    public static let poll = ServerModel(
        name: "poll", summary: "one thread, the poll system call", sources: readinessSources("PollPoller")
    ) { ReadinessServer(waitingThrough: PollPoller.self, $0, $1) }

    /// One thread that waits with `epoll`: the kernel keeps the list, and a wait costs what is ready.
    public static let epoll = ServerModel(
        name: "epoll", summary: "one thread, the epoll system calls, no library", sources: readinessSources("EpollPoller")
    ) { ReadinessServer(waitingThrough: EpollPoller.self, $0, $1) }

    private static func readinessSources(_ poller: String) -> [String] {
        ["Server/Servers/Models/ReadinessServer", "Server/SystemCalls/Pollers/\(poller)"]
    }
}

// MARK: - The server

/// Runs a `ReadinessLoop` on the thread that calls `run`.
final class ReadinessServer: Server {
    private let configuration: ServerConfiguration
    private let operations: Operations
    private let listener = Monitor<SharedListener?>(nil)
    private let wakeUp = AtomicLazyReference<SharedWakeUp>()
    private let stops = Atomic<Int>(0)
    private let serve: @Sendable (SharedListener, SharedWakeUp, () -> Int) throws(SystemCallError) -> Void

    /// Makes a server whose loop is compiled for one poller; inlined, so that the type is known where the loop is made.
    @inline(__always)
    init<Waiting: Poller & ~Copyable>(
        waitingThrough poller: Waiting.Type, _ configuration: ServerConfiguration, _ logger: Logger
    ) {
        self.configuration = configuration
        let readSize = max(1, min(128 * 1024, configuration.maxBufferedBytes / 2))
        let operations = Operations(
            configuration, Admission(configuration), readSize: readSize, isLoop: true, logger)
        self.operations = operations
        serve = { listener, wakeUp, stopCount throws(SystemCallError) in
            var loop = try ReadinessLoop<Waiting>(try Waiting(), listener, wakeUp, operations, readSize: readSize)
            try loop.run(stopCount)
        }
    }

    func start() throws(ServerError) -> SocketAddress {
        let listener = try SharedListener.open(configuration, isNonBlocking: true)
        do throws(SystemCallError) {
            let wakeUp = self.wakeUp.storeIfNil(SharedWakeUp(try WakeUp()))
            // A stop may have come before there was anything to wake.
            if stops.load(ordering: .acquiring) > 0 { wakeUp.wakeUp.signal() }
            self.listener.withLock { $0 = listener }
            return try listener.socket.localAddress
        } catch { throw ServerError(error, address: configuration.address) }
    }

    func run() throws(ServerError) -> ServerMetrics {
        // The loop owns the listener, and closes it when it drains.
        guard let listener = listener.withLock({ $0.take() }), let wakeUp = wakeUp.load() else {
            throw ServerError.notStarted
        }
        do throws(SystemCallError) {
            try serve(listener, wakeUp) { stops.load(ordering: .acquiring) }
        } catch { throw ServerError(error) }
        return metrics
    }

    var metrics: ServerMetrics { operations.metrics }

    func stop() {
        stops.add(1, ordering: .releasing)
        wakeUp.load()?.wakeUp.signal()
    }
}

/// A wake-up that `stop` and `run` share; closed with its last reference.
final class SharedWakeUp: Sendable {
    let wakeUp: WakeUp
    init(_ wakeUp: consuming WakeUp) { self.wakeUp = wakeUp }
}

// MARK: - The loop

/// One client: a row of a table indexed by descriptor, eight bytes small.
struct ReadinessConnection {
    var session = ServerSession.closed
    /// What the poller waits for: `.writable` is part of it exactly while unsent reply bytes are queued.
    var interest: Interest = .readable
    /// The connection's number in the log.
    var number: UInt32 = 0
}

/// Waits for all sockets, and serves those that are ready; a local value of the thread that runs it.
struct ReadinessLoop<Waiting: Poller & ~Copyable>: ~Copyable {
    private var poller: Waiting
    private var listener: SharedListener?
    private let wakeUp: SharedWakeUp
    private let timer: OneShotTimer
    private var timerIsSet = false
    private let operations: Operations
    private let counters: ServerCounters
    private var connections: [ReadinessConnection] = []
    /// Reply bytes that the kernel has not taken, by descriptor.
    private var unsent: [Int32: ByteQueue] = [:]
    private var input: ReusableBuffer
    private var output: ReusableBuffer
    private var reserve = ReserveDescriptor()
    private var part = Schedule.Part()
    private var stops = 0

    init(
        _ poller: consuming Waiting, _ listener: SharedListener, _ wakeUp: SharedWakeUp, _ operations: Operations,
        readSize: Int
    ) throws(SystemCallError) {
        let timer = try OneShotTimer()
        var poller = poller
        for descriptor in [listener.socket.rawValue, wakeUp.wakeUp.rawValue, timer.rawValue] {
            try poller.add(descriptor, .readable)
        }
        self.poller = poller
        self.timer = timer
        self.listener = listener
        self.wakeUp = wakeUp
        self.operations = operations
        counters = operations.counters
        input = ReusableBuffer(capacity: readSize)
        output = ReusableBuffer(capacity: readSize)
        setTimer()
    }

    /// Serves until stopped, then drains.
    ///
    /// - Parameter stopCount: how many times the server has been told to stop.
    mutating func run(_ stopCount: () -> Int) throws(SystemCallError) {
        while stops == 0 { try serveReady(stopCount, timeout: nil) }
        let deadline = operations.now + operations.configuration.drainTimeout
        var nextSweep = Duration.zero
        while stops == 1, openCount > 0, operations.now < deadline {
            if operations.now >= nextSweep {
                sweep(connections.indices)
                nextSweep = operations.now + ServerSession.drainInterval
            }
            try serveReady(stopCount, timeout: ServerSession.drainInterval)
        }
        closeAll()
        operations.finish()
    }

    private var openCount: Int { counters.accepted.value - counters.closed.value }

    /// Waits until something is ready, and serves it.
    @inline(__always)
    private mutating func serveReady(_ stopCount: () -> Int, timeout: Duration?) throws(SystemCallError) {
        let count = try poller.wait(timeout: timeout)
        if operations.measures { counters.iterationBegan() }
        for index in 0..<count { try serve(poller.ready(at: index), stopCount) }
        if operations.measures { counters.iterationEnded() }
    }

    @inline(__always)
    private mutating func serve(_ ready: ReadyDescriptor, _ stopCount: () -> Int) throws(SystemCallError) {
        let descriptor = ready.descriptor
        // The table grows with the clients' descriptors; those of the listener, the wake-up and the timer have no row, or
        // a closed one.
        guard descriptor >= 0, Int(descriptor) < connections.count else { return try serveOwn(descriptor, stopCount) }
        let connection = connections[Int(descriptor)]
        if connection.session.phase == .serving, connection.interest == .readable {
            return read(descriptor, connection)
        }
        if connection.session.phase == .closed { return try serveOwn(descriptor, stopCount) }
        if ready.readiness.contains(.writable) { flush(descriptor) }
        if ready.readiness.contains(.readable), connections[Int(descriptor)].session.mayRead {
            read(descriptor, connections[Int(descriptor)])
        }
    }

    /// Serves the listener, the wake-up or the timer.
    private mutating func serveOwn(_ descriptor: Int32, _ stopCount: () -> Int) throws(SystemCallError) {
        switch descriptor {
        case listener?.socket.rawValue: try acceptQueued()
        case wakeUp.wakeUp.rawValue:
            wakeUp.wakeUp.clear()
            let requested = stopCount()
            if requested > 0, stops == 0 { try beginDrain() }
            stops = requested
        case timer.rawValue:
            timer.clear()
            if operations.tick(), stops == 0 { sweep(part.range(of: connections.count)) }
            timerIsSet = false
            setTimer()
        default: return
        }
    }

    private mutating func setTimer() {
        guard !timerIsSet, let delay = operations.untilNextTick else { return }
        timer.start(after: delay)
        timerIsSet = true
    }
}

// MARK: - Accept and close

extension ReadinessLoop where Waiting: ~Copyable {
    private mutating func acceptQueued() throws(SystemCallError) {
        // Bounded, so that a storm of new clients does not keep the others waiting.
        for _ in 0..<1024 {
            guard let listener else { return }
            switch try listener.socket.accept(isNonBlocking: true) {
            case .connection(let socket): begin(socket.release())
            case .wouldBlock: return
            case .noDescriptor(let error):
                guard reserve.rejectConnection(from: listener.socket) else { return }
                reject(.descriptors, "\(error)")
            }
        }
    }

    private mutating func begin(_ descriptor: Int32) {
        if let limit = Waiting.descriptorLimit, Int(descriptor) >= limit {
            reject(.descriptorNumber, "the model watches only descriptors below \(limit)")
            return StreamSocket.close(descriptor)
        }
        guard operations.admit() else {
            setTimer()
            return StreamSocket.close(descriptor)
        }
        while connections.count <= Int(descriptor) { connections.append(ReadinessConnection()) }
        let (number, session) = operations.open(descriptor)
        connections[Int(descriptor)] = ReadinessConnection(session: session, number: number)
        do throws(SystemCallError) { try poller.add(descriptor, .readable) } catch {
            reject(.failure, "\(error)")
            return close(descriptor)
        }
        if session.phase == .serving { greet(descriptor) }
    }

    private mutating func greet(_ descriptor: Int32) {
        let session = connections[Int(descriptor)].session
        output.fill { session.greet(into: &$0) }
        send(descriptor, isBehindUnsent: false)
    }

    private mutating func reject(_ reason: RejectionReason, _ detail: String) {
        operations.reject(reason, detail)
        setTimer()
    }

    private mutating func close(_ descriptor: Int32) {
        guard connections[Int(descriptor)].session.didClose() else { return }
        let connection = connections[Int(descriptor)]
        connections[Int(descriptor)] = ReadinessConnection()
        if connection.interest.contains(.writable), let queue = unsent.removeValue(forKey: descriptor) {
            _ = operations.bufferChanged(from: queue.count, to: 0, connection.number, descriptor)
        }
        operations.close(connection.number)
        try? poller.remove(descriptor)
        StreamSocket.close(descriptor)
    }

    /// Does what the session has decided.
    private mutating func carryOut(_ decision: ServerSession.Decision, _ descriptor: Int32) {
        if decision == .close { return close(descriptor) }
        updateInterest(descriptor)
    }
}

// MARK: - Read and write

extension ReadinessLoop where Waiting: ~Copyable {
    @inline(__always)
    private mutating func read(_ descriptor: Int32, _ connection: ReadinessConnection) {
        let result: IOResult
        do throws(SystemCallError) {
            result = try input.fill { output throws(SystemCallError) in
                try StreamSocket.receive(on: descriptor, into: &output)
            }
        } catch { return close(descriptor) }
        switch result {
        case .bytes: reply(descriptor, connection)
        case .wouldBlock: return
        case .end:
            let count = unsentByteCount(descriptor)
            carryOut(connections[Int(descriptor)].session.endOfStream(bufferedByteCount: count), descriptor)
        }
    }

    /// Lets the session compute the reply to what was read, and sends it.
    @inline(__always)
    private mutating func reply(_ descriptor: Int32, _ connection: ReadinessConnection) {
        var session = connection.session
        var next = ServerSession.Reply.send
        input.withBytes { bytes in
            output.fill { output in
                next = session.receive(
                    bytes, into: &output, unreadByteCount: StreamSocket.unreadByteCount(on: descriptor))
            }
        }
        if session != connection.session { connections[Int(descriptor)].session = session }
        guard next == .send else { return replyLast(descriptor, connection, next) }
        counters.received.add(input.count)
        if output.count > 0 { send(descriptor, isBehindUnsent: connection.interest.contains(.writable)) }
        if operations.measures { measure(connection.session) }
    }

    /// The session does not just send.
    private mutating func replyLast(
        _ descriptor: Int32, _ connection: ReadinessConnection, _ next: ServerSession.Reply
    ) {
        switch next {
        case .send, .discard: return
        case .sendThenShutDown:
            counters.received.add(input.count)
            StreamSocket.cork(descriptor)
            if output.count > 0 { send(descriptor, isBehindUnsent: connection.interest.contains(.writable)) }
            if operations.measures { measure(connection.session) }
            let row = Int(descriptor)
            guard unsent[descriptor] == nil, connections[row].session.phase == .draining else { return }
            carryOut(operations.shutDown(descriptor, &connections[row].session), descriptor)
        case .parseHeader:
            let progress = input.withBytes { operations.receiveHeader($0, connection.number, descriptor) }
            switch progress {
            case .incomplete: return
            case .invalid: close(descriptor)
            case .complete(let count):
                connections[Int(descriptor)].session.proxyHeaderEnded()
                greet(descriptor)
                input.removeFirst(count)
                if input.count > 0 { reply(descriptor, connections[Int(descriptor)]) }
            }
        }
    }

    private func measure(_ session: ServerSession) {
        counters.replied(messageCount: input.withBytes { session.messageCount(closedBy: $0) })
    }

    /// Sends the output, and queues what the kernel does not take.
    @inline(__always)
    private mutating func send(_ descriptor: Int32, isBehindUnsent: Bool) {
        if isBehindUnsent { return queue(descriptor, from: 0) }
        let result: IOResult
        do throws(SystemCallError) {
            result = try output.withBytes { bytes throws(SystemCallError) in
                try StreamSocket.send(bytes, on: descriptor)
            }
        } catch { return close(descriptor) }
        var sent = 0
        if case .bytes(let count) = result { sent = count }
        counters.sent.add(sent)
        if sent < output.count { queue(descriptor, from: sent) }
    }

    private mutating func queue(_ descriptor: Int32, from offset: Int) {
        let queue = unsent[descriptor] ?? ByteQueue()
        unsent[descriptor] = queue
        let old = queue.count
        output.withBytes { bytes in queue.append(bytes.extracting(offset..<bytes.count)) }
        bufferChanged(descriptor, from: old, to: queue.count)
    }

    /// Sends what is queued.
    private mutating func flush(_ descriptor: Int32) {
        guard let queue = unsent[descriptor] else { return }
        let old = queue.count
        do throws(SystemCallError) {
            while queue.count > 0 {
                let result = try queue.withBytes { bytes throws(SystemCallError) in
                    try StreamSocket.send(bytes, on: descriptor)
                }
                guard case .bytes(let count) = result else { break }
                queue.removeFirst(count)
                counters.sent.add(count)
            }
        } catch { return close(descriptor) }
        if queue.count == 0 { unsent[descriptor] = nil }
        bufferChanged(descriptor, from: old, to: queue.count)
    }

    private mutating func bufferChanged(_ descriptor: Int32, from old: Int, to new: Int) {
        let row = Int(descriptor)
        guard operations.bufferChanged(from: old, to: new, connections[row].number, descriptor) else {
            unsent[descriptor] = nil
            _ = operations.bufferChanged(from: old, to: 0, connections[row].number, descriptor)
            return close(descriptor)
        }
        carryOut(connections[row].session.bufferChanged(to: new, operations.waterMarks), descriptor)
    }

    private func unsentByteCount(_ descriptor: Int32) -> Int {
        connections[Int(descriptor)].interest.contains(.writable) ? unsent[descriptor]?.count ?? 0 : 0
    }

    private mutating func updateInterest(_ descriptor: Int32) {
        let row = Int(descriptor)
        var wanted: Interest = connections[row].session.mayRead ? .readable : []
        if unsent[descriptor] != nil { wanted.insert(.writable) }
        guard wanted != connections[row].interest else { return }
        connections[row].interest = wanted
        do throws(SystemCallError) { try poller.modify(descriptor, wanted) } catch { close(descriptor) }
    }
}

// MARK: - Sweep and drain

extension ReadinessLoop where Waiting: ~Copyable {
    private mutating func sweep(_ rows: Range<Int>) {
        for row in rows where connections[row].session.phase != .closed {
            let descriptor = Int32(row)
            let decision = operations.sweep(
                connections[row].number, descriptor, &connections[row].session,
                bufferedByteCount: unsentByteCount(descriptor))
            if decision == .close { close(descriptor) }
        }
    }

    /// Accepts the clients that the kernel has queued, and no more after them.
    private mutating func beginDrain() throws(SystemCallError) {
        // Those on an inherited socket belong to the next process.
        if operations.configuration.inheritedListener == nil { try acceptQueued() }
        if let listener { try poller.remove(listener.socket.rawValue) }
        listener = nil
        operations.beginDrain(openCount)
        for row in connections.indices where connections[row].session.phase != .closed {
            if connections[row].session.beginDrain() == .close { close(Int32(row)) }
        }
    }

    /// Closes what is left: after a drain that has timed out, behind what the kernel has taken.
    private mutating func closeAll() {
        for row in connections.indices where connections[row].session.phase != .closed {
            if stops == 1 { try? StreamSocket.shutdown(.write, on: Int32(row)) }
            close(Int32(row))
        }
    }
}
