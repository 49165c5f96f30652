internal import IncrementProtocol
internal import SystemCalls

// One thread serves a list of sockets. It waits until some sockets are ready, and then accepts, reads and writes
// without blocking. A poller (`SystemCalls/Pollers/Poller.swift`) makes the system call that waits. Its function `add`
// registers a descriptor with an interest, which is to read, to write, or both. `modify` changes the interest, and
// `remove` removes the descriptor. `wait` waits for ready descriptors, and `ready(at:)` then returns each of them. The
// code does by hand what a library would do: it keeps a table of connections and queues of unsent replies, and decides
// when to close a descriptor. The models have the limits of one thread: a reply that takes long to compute delays every
// client, and one thread uses only one processor.
//
// - Wait: `serveReady` calls `poller.wait`, which makes the system call `select`, `poll` or `epoll_pwait`.
// - Accept: `acceptQueued` accepts until the kernel's queue is empty, but at most 1024 connections per event.
// - Read: `read` calls `recv` once for each event. If the socket has more bytes, the next wait reports the socket
//   again.
// - Compute: `reply` asks the session (`ServerSession`) for the reply.
// - Write: `send` makes the system call of the same name, and queues the bytes that the kernel does not accept. `flush`
//   sends the queued bytes once the poller reports that the socket is writable. If a client has too many queued bytes,
//   the session pauses reading, and `updateInterest` stops waiting for the client's bytes.
// - Close: when the client has sent FIN and no reply is queued, or when a call has failed, `close` removes the
//   descriptor from the poller and the table, and closes it.

extension ServerModel {
    /// One thread that waits with `select`, which is older than `poll` and `epoll`.
    ///
    /// Each wait (`SelectPoller.wait`) copies two bit sets into the kernel and back, and both the kernel and the server
    /// scan the sets up to the highest descriptor. The cost of a wait therefore grows with the highest descriptor, not
    /// with the number of ready connections. The sets have room for descriptors below 1024; this model rejects a client
    /// with a higher descriptor.
    public static let select = ServerModel(
        name: "select", summary: "one thread, the select system call; serves descriptors below 1024",
        family: .readiness,
        capacity: .descriptors(below: SelectPoller.descriptorLimit ?? 1024), sources: readinessSources("SelectPoller")
    ) { SingleLoopServer(waitingThrough: SelectPoller.self, $0, $1) }

    /// One thread that waits with `poll`.
    ///
    /// A list of descriptors replaces the sets of `select`, so a descriptor may have any number. But each wait
    /// (`PollPoller.wait`) copies the whole list into the kernel, and both the kernel and the server search the list.
    /// The cost of a wait therefore grows with the number of connections. A change of interest costs no system call.
    public static let poll = ServerModel(
        name: "poll", summary: "one thread, the poll system call", family: .readiness,
        sources: readinessSources("PollPoller")
    ) { SingleLoopServer(waitingThrough: PollPoller.self, $0, $1) }

    /// One thread that waits with `epoll`.
    ///
    /// The kernel keeps the list of descriptors, so the cost of a wait (`EpollPoller.wait`) grows only with the number
    /// of ready descriptors. In exchange, each `add`, `modify` and `remove` is a system call (`epoll_ctl`). The mode is
    /// level-triggered: each wait reports a socket again for as long as the socket has unread bytes.
    public static let epoll = ServerModel(
        name: "epoll", summary: "one thread, the epoll system calls, no library", family: .readiness,
        sources: readinessSources("EpollPoller")
    ) { SingleLoopServer(waitingThrough: EpollPoller.self, $0, $1) }

    static func readinessSources(_ poller: String) -> [String] {
        ["Server/Servers/Models/ReadinessLoop", "Server/SystemCalls/Pollers/\(poller)"]
    }
}

// MARK: - The loop

/// The state of one client: a row of eight bytes in a table that is indexed by descriptor.
struct ReadinessConnection {
    var session = ServerSession.closed
    /// The events that the poller waits for; they include `.writable` exactly while unsent reply bytes are queued.
    var interest: Interest = .readable
    /// The connection's number in the log.
    var number: UInt32 = 0
}

/// Waits for all sockets and serves the ready sockets.
///
/// The loop is a local value of the thread that runs it.
struct ReadinessLoop<Waiting: Poller & ~Copyable>: ~Copyable {
    var poller: Waiting
    var listener: SharedListener?
    let wakeUp: WakeUp
    var timer: OneShotTimer
    /// The timer that ends a pause in accepting.
    var acceptTimer: OneShotTimer
    let operations: Operations
    let counters: ServerCounters
    var connections: [ReadinessConnection] = []
    /// Reply bytes that the kernel has not accepted, by descriptor.
    var unsent: [Int32: ByteQueue] = [:]
    var input: ReusableBuffer
    var output: ReusableBuffer
    var acceptor = Acceptor()
    var part = Schedule.Part()
    /// The number of requested stops that the loop has seen.
    var stops = 0
    /// The number of requested stops.
    let stopCount: () -> Int

    init(
        _ poller: consuming Waiting, _ listener: SharedListener, _ wakeUp: WakeUp, _ operations: Operations,
        readSize: Int, stopCount: @escaping () -> Int
    ) throws(SystemCallError) {
        let timer = try OneShotTimer()
        let acceptTimer = try OneShotTimer()
        var poller = poller
        for descriptor in [listener.socket.rawValue, wakeUp.rawValue, timer.rawValue, acceptTimer.rawValue] {
            try poller.add(descriptor, .readable)
        }
        self.poller = poller
        self.timer = timer
        self.acceptTimer = acceptTimer
        self.listener = listener
        self.wakeUp = wakeUp
        self.operations = operations
        self.stopCount = stopCount
        counters = operations.counters
        input = ReusableBuffer(capacity: readSize)
        output = ReusableBuffer(capacity: readSize)
        setTimer()
    }

    /// Serves until the server is stopped, then drains.
    mutating func run() throws(SystemCallError) {
        while stops == 0 { try serveReady(timeout: nil) }
        try drain()
        operations.finish()
    }

    /// Waits until descriptors are ready, and serves them.
    @inline(__always)
    mutating func serveReady(timeout: Duration?) throws(SystemCallError) {
        let count = try poller.wait(timeout: timeout)
        if operations.measures { counters.iterationBegan() }
        for index in 0..<count { try serve(poller.ready(at: index)) }
        if operations.measures { counters.iterationEnded() }
    }

    @inline(__always)
    mutating func serve(_ ready: ReadyDescriptor) throws(SystemCallError) {
        let descriptor = ready.descriptor
        // The table has a row for each descriptor up to the highest descriptor of a client. The rows of the listener,
        // the wake-up and the timers are unused, so the phase of their sessions is `closed`.
        guard descriptor >= 0, Int(descriptor) < connections.count else { return try serveOwn(descriptor) }
        let connection = connections[Int(descriptor)]
        // This is the usual case: no reply is queued, so the socket is ready because bytes have arrived.
        if connection.session.phase == .serving, connection.interest == .readable {
            return read(descriptor, connection)
        }
        if connection.session.phase == .closed { return try serveOwn(descriptor) }
        if ready.readiness.contains(.writable) { flush(descriptor) }
        if ready.readiness.contains(.readable), connections[Int(descriptor)].session.mayRead {
            read(descriptor, connections[Int(descriptor)])
        }
    }

    /// Serves the listener, the wake-up or a timer.
    mutating func serveOwn(_ descriptor: Int32) throws(SystemCallError) {
        switch descriptor {
        case listener?.socket.rawValue: try acceptQueued()
        case wakeUp.rawValue:
            wakeUp.clear()
            let requested = stopCount()
            if requested > 0, stops == 0 { beginDrain() }
            stops = requested
        case timer.rawValue:
            timer.clear()
            if operations.tick(), stops == 0 { sweep(part.range(of: connections.count)) }
            setTimer()
        case acceptTimer.rawValue:
            acceptTimer.clear()
            if let listener { poller.resume(listener.socket.rawValue, &acceptTimer) }
        default: return
        }
    }
}

// MARK: - Accept and close

extension ReadinessLoop where Waiting: ~Copyable {
    /// Accepts queued connections, but at most 1024.
    ///
    /// Without this limit, many new clients could delay the connected clients.
    mutating func acceptQueued() throws(SystemCallError) {
        for _ in 0..<1024 {
            guard let listener else { return }
            switch try acceptor.next(from: listener.socket, isNonBlocking: true) {
            case .connection(let socket): begin(socket.release())
            case .wouldBlock: return
            case .rejected(let error): reject(.descriptors, "\(error)")
            case .pause(let duration, let error):
                operations.log.cannotAccept(error)
                return poller.pause(listener.socket.rawValue, for: duration, &acceptTimer)
            }
        }
    }

    mutating func begin(_ descriptor: Int32) {
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

    mutating func greet(_ descriptor: Int32) {
        let session = connections[Int(descriptor)].session
        output.fill { session.greet(into: &$0) }
        send(descriptor, isBehindUnsent: false)
    }

    mutating func reject(_ reason: RejectionReason, _ detail: String) {
        operations.reject(reason, detail)
        setTimer()
    }

    mutating func close(_ descriptor: Int32) {
        guard connections[Int(descriptor)].session.didClose() else { return }
        let connection = connections[Int(descriptor)]
        connections[Int(descriptor)] = ReadinessConnection()
        let queue = unsent.isEmpty ? nil : unsent.removeValue(forKey: descriptor)
        operations.close(connection.number, bufferedByteCount: queue?.count ?? 0)
        try? poller.remove(descriptor)
        StreamSocket.close(descriptor)
    }

    /// Performs the session's decision.
    mutating func carryOut(_ decision: ServerSession.Decision, _ descriptor: Int32) {
        if decision == .close { return close(descriptor) }
        updateInterest(descriptor)
    }
}

// MARK: - Read and write

extension ReadinessLoop where Waiting: ~Copyable {
    @inline(__always)
    mutating func read(_ descriptor: Int32, _ connection: ReadinessConnection) {
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

    /// Computes the reply to the received bytes with the session, and sends it.
    @inline(__always)
    mutating func reply(_ descriptor: Int32, _ connection: ReadinessConnection) {
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
        if operations.measures { input.withBytes { operations.replied(to: $0, connection.session) } }
    }

    /// Carries out the session's decisions about a reply, except `send`, which the caller carries out.
    mutating func replyLast(_ descriptor: Int32, _ connection: ReadinessConnection, _ next: ServerSession.Reply) {
        switch next {
        case .send, .discard: return
        case .sendThenShutDown:
            counters.received.add(input.count)
            StreamSocket.cork(descriptor)
            if output.count > 0 { send(descriptor, isBehindUnsent: connection.interest.contains(.writable)) }
            if operations.measures { input.withBytes { operations.replied(to: $0, connection.session) } }
            let row = Int(descriptor)
            guard connections[row].session.phase == .draining else { return }
            let count = unsent[descriptor]?.count ?? 0
            carryOut(
                operations.shutDown(descriptor, &connections[row].session, bufferedByteCount: count), descriptor)
        case .parseHeader: parseHeader(descriptor, connection)
        }
    }

    /// Sends the output, and queues the bytes that the kernel does not accept.
    @inline(__always)
    mutating func send(_ descriptor: Int32, isBehindUnsent: Bool) {
        if isBehindUnsent { return queue(descriptor, from: 0) }
        let result: IOResult
        do throws(SystemCallError) {
            result = try output.withBytes { all throws(SystemCallError) in try StreamSocket.send(all, on: descriptor) }
        } catch { return close(descriptor) }
        var sent = 0
        if case .bytes(let count) = result { sent = count }
        counters.sent.add(sent)
        if sent < output.count { queue(descriptor, from: sent) }
    }

    /// Queues the output, starting at an offset.
    ///
    /// If this would bring the buffered bytes of all connections above their limit, the function closes the connection
    /// instead.
    mutating func queue(_ descriptor: Int32, from offset: Int) {
        let queue = unsent[descriptor] ?? ByteQueue()
        unsent[descriptor] = queue
        let count = queue.count + output.count - offset
        let number = connections[Int(descriptor)].number
        guard operations.bufferChanged(from: queue.count, to: count, number, descriptor) else {
            return close(descriptor)
        }
        output.withBytes { bytes in queue.append(bytes.extracting(droppingFirst: offset)) }
        carryOut(connections[Int(descriptor)].session.bufferChanged(to: count, operations.waterMarks), descriptor)
    }

    /// Sends the queued bytes.
    mutating func flush(_ descriptor: Int32) {
        guard let queue = unsent[descriptor] else { return }
        do throws(SystemCallError) {
            while queue.count > 0 {
                let result = try queue.withBytes { bytes throws(SystemCallError) in
                    try StreamSocket.send(bytes, on: descriptor)
                }
                guard case .bytes(let count) = result else { break }
                counters.sent.add(count)
                let number = connections[Int(descriptor)].number
                _ = operations.bufferChanged(from: queue.count, to: queue.count - count, number, descriptor)
                queue.removeFirst(count)
            }
        } catch { return close(descriptor) }
        if queue.count == 0 { unsent[descriptor] = nil }
        carryOut(connections[Int(descriptor)].session.bufferChanged(to: queue.count, operations.waterMarks), descriptor)
    }

    mutating func updateInterest(_ descriptor: Int32) {
        let row = Int(descriptor)
        var wanted: Interest = connections[row].session.mayRead ? .readable : []
        if unsent[descriptor] != nil { wanted.insert(.writable) }
        guard wanted != connections[row].interest else { return }
        connections[row].interest = wanted
        do throws(SystemCallError) { try poller.modify(descriptor, wanted) } catch { close(descriptor) }
    }
}
