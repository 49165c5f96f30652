internal import IncrementProtocol
internal import Logging
internal import SocketAddresses
internal import SystemCalls

// One thread serves all clients through a ring of `io_uring`. The readiness models ask the kernel which sockets are
// ready, and then make a system call for each of them. This model passes requests to the kernel, and the kernel itself
// accepts, receives and sends. Usually, an iteration makes one system call, which submits all requests and waits for
// results, however many clients there are. In exchange, the server must not use a buffer that the kernel owns, and can
// close a socket only after all requests for the socket have ended. The model has the limits of `epoll`'s loop: a reply
// that takes long to compute delays every client, and one thread uses one processor. Many systems and container
// runtimes deny `io_uring` (docs/models.md).
//
// A ring is two queues in memory that the process shares with the kernel; SystemCalls/Rings/IORing.swift makes them:
//
//     server   -- requests: accept, receive, send (SQE) -->    kernel
//     server   <-- completions: results of requests (CQE) --   kernel
//
// Usually, a request has one completion. A multishot request has many completions: each of them except the last has
// `hasMore`. A multishot request ends if it fails, if it is cancelled, at the end of the stream, if the pool has no
// buffer (ENOBUFS), or if the queue of completions is full. If the loop still needs the request, `accepted` or
// `received` makes it again. A send does not wait for the client, so it ends while it is submitted. It counts as
// failed, and has a completion, only if the kernel has not accepted all bytes.
//
// - Wait: `iterate` calls `ring.wait`, which makes the system call `io_uring_enter`. This call submits the requests of
//   the previous iteration and waits for the first completion. If there is deferred work, `iterate` calls `ring.submit`
//   instead, which does not wait.
// - Accept: one multishot request accepts every connection. `begin` admits each connection, or closes it at the limit.
// - Read: one multishot request for each connection receives all its bytes. The kernel takes a buffer from the ring's
//   pool only when bytes have arrived, so an idle client needs no buffer. If the pool is empty, bytes stay in the
//   socket.
// - Compute: `reply` asks the session for the reply, and stores the reply in the ring's reply area.
// - Write: `sendFirst` makes a request to send the reply. After a partial send, `finishSends` queues the rest, and
//   `flush` sends it once the socket is writable. If a client has too many queued bytes, the session pauses reading:
//   `updateReading` cancels the request to receive. The loop keeps the bytes that the kernel has already received,
//   until the session resumes reading.
// - Close: `close` ends the session, and cancels the connection's requests if there are any. The socket is closed when
//   these requests have completed and the last reply has been submitted.
//
// A message usually takes two iterations:
//
//     iteration 1   `iterate`: completion of a receive   ->  `replyAtOnce`, `reply`, `sendFirst`: request to send
//     iteration 2   `wait` submits the request, and the kernel sends   ->  `finishSends`: the reply area is free
//
// The loop learns only after the next wait whether a send was partial. If the loop made a second send on the same
// socket before this wait, the client could receive the second reply without the end of the first. So while `hasSent`
// is true for a socket, the loop makes no second send on the socket, does not flush the socket's queue, sends no FIN,
// and does not close the socket. `postpone` defers this work to the beginning of the next iteration, where `doDeferred`
// does it.
//
// The reply area always has room for the reply to each received buffer: a buffer that the loop returns to the pool
// holds new bytes only after the next wait. Only greetings and replies to kept bytes need spare room
// (`ring.hasSpareRoom`).
//
// Bytes wait in two queues: `unsent` has replies for a socket that is not writable, and `unanswered` has received bytes
// that have no reply yet because the session has paused reading.

extension ServerModel {
    /// One thread that passes requests to the kernel through a ring of `io_uring`.
    ///
    /// It needs Linux 6.1, and a system that permits `io_uring`.
    public static let ioUring = ServerModel(
        name: "io-uring", summary: "one thread, requests in a ring that it shares with the kernel (io_uring)",
        family: .readiness, sources: ["Server/Servers/Models/RingServer", "Server/SystemCalls/Rings/IORing"],
        isAvailable: { (try? IORing(bufferCount: 1, bufferSize: 1, spareReplyBytes: 0)) != nil }
    ) { RingLoop.server($0, $1) }
}

/// One client: a row in a table that is indexed by descriptor.
struct RingConnection {
    /// The requests, the queued bytes and the deferred work of a connection.
    ///
    /// Usually, only `isReceiving` is set.
    struct State: OptionSet {
        let rawValue: UInt16

        // Requests in the kernel. `isReceiving` is set while there is a request to receive. When the requests are
        // cancelled, `isCancelling` is set, too. The last completion of the request to receive clears both flags.
        // If only a request to poll was cancelled, the connection is closing, and its row is reset.

        /// A request receives the client's bytes.
        static let isReceiving = State(rawValue: 1)
        /// The connection's requests are being cancelled.
        static let isCancelling = State(rawValue: 2)
        /// A request waits until the socket is writable.
        static let isPolling = State(rawValue: 4)

        // Queued bytes. With these flags, the loop does not need to look up the queues for usual messages.

        /// `unsent` has reply bytes for the socket.
        static let hasUnsent = State(rawValue: 8)
        /// `unanswered` has received bytes.
        static let hasUnanswered = State(rawValue: 16)

        // Work that the loop still has to do.

        /// The connection is in `deferred`.
        static let isDeferred = State(rawValue: 32)
        /// FIN must be sent after the last reply.
        static let shutsDown = State(rawValue: 64)
        /// The client has sent FIN; `endIfComplete` reports this to the session.
        static let hasEnded = State(rawValue: 128)
        /// The session has closed; the socket stays open until its requests have completed.
        static let isClosing = State(rawValue: 256)
    }

    var session = ServerSession.closed
    var state: State = []
    /// The connection's number in the log.
    var number: UInt32 = 0
    /// The last iteration that has sent a reply on this connection, or 0.
    var lastSendIteration: UInt32 = 0
    /// The position of the last reply in the reply area.
    var replyStart: UInt32 = 0
    var replyCount: UInt32 = 0

    /// Records that an iteration sends a reply.
    @inline(__always)
    mutating func noteSend(_ reply: Range<Int>, in iteration: UInt32) {
        lastSendIteration = iteration
        replyStart = UInt32(truncatingIfNeeded: reply.lowerBound)
        replyCount = UInt32(truncatingIfNeeded: reply.upperBound &- reply.lowerBound)
    }
}

/// Passes requests to the kernel, and serves their results.
///
/// The loop is a local value of the thread that runs it.
struct RingLoop: ~Copyable {
    var ring: IORing
    /// The number of the iteration, which begins again at 0 after 2³² iterations.
    var iteration: UInt32 = 1
    /// The number of bytes of the replies that this iteration sends.
    var sentByteCount = 0
    /// Whether the next iteration must not wait.
    ///
    /// This is the case if `deferred` or `due` contains work, or if the ring has copied completions.
    var mustNotWait = false
    let measures: Bool
    let counters: ServerCounters
    var connections = FixedTable(repeating: RingConnection(), count: 64)
    /// Connections to serve again at the beginning of the next iteration, when all sends of the current iteration have
    /// completed.
    var deferred: [Int32] = []
    /// The rows that the next iteration sweeps.
    var due: Range<Int>?
    let operations: Operations
    /// Reply bytes that the kernel has not accepted, by descriptor.
    var unsent: [Int32: ByteQueue] = [:]
    /// Received bytes that have no reply yet, because the session has paused reading, by descriptor.
    var unanswered: [Int32: ByteQueue] = [:]
    /// A copy of the bytes to which `answerInput` replies.
    ///
    /// They come from a buffer of the ring or from `unanswered`.
    var input: ReusableBuffer
    /// The completions of this iteration that have not been served.
    ///
    /// Only a drain needs this range: a reply is not the last one if the ring has more bytes of the client. The range
    /// is valid while `serve` or `finishSends` runs.
    var unserved = 0..<0
    var listener: SharedListener?
    let wakeUp: WakeUp
    var timer: OneShotTimer
    /// Ends a pause of the listener.
    var acceptTimer: OneShotTimer
    var isAccepting = false
    /// Whether the last request to accept has failed.
    ///
    /// After a failure, the loop waits until the listener is readable, because another request could fail immediately,
    /// for example without a free descriptor.
    var acceptFailed = false
    var acceptor = Acceptor()
    var part = Schedule.Part()
    /// The number of requested stops that the loop has seen.
    var stops = 0
    /// The number of requested stops.
    let stopCount: () -> Int
}

// MARK: - Wait

extension RingLoop {
    /// Serves until the server is stopped, then drains.
    mutating func run() throws(SystemCallError) {
        while stops == 0 { try iterate(timeout: nil) }
        try drain()
        operations.finish()
    }

    /// Submits the requests, waits for completions, and serves them.
    @inline(__always)
    mutating func iterate(timeout: Duration?) throws(SystemCallError) {
        let found = mustNotWait ? try ring.submit() : try ring.wait(timeout: timeout)
        if measures { counters.iterationBegan() }
        let count = try finishSends(found)
        var index = 0
        while index < count {
            let completion = ring.completion(at: index)
            index &+= 1
            if completion.kind == .receive, replyAtOnce(completion) { continue }
            unserved = index..<count
            try serve(completion)
        }
        ring.removeCompletions(count)
        if measures { counters.iterationEnded() }
    }

    /// Begins the next iteration, and finishes the sends of the previous iteration, all of which have ended.
    ///
    /// - Returns: the number of completions to serve.
    @inline(__always)
    mutating func finishSends(_ count: Int) throws(SystemCallError) -> Int {
        iteration &+= 1
        // All sends have ended, and each partial send has a completion. If the only completion belongs to another kind
        // of request, no send was partial.
        if count == 1, !mustNotWait, ring.completion(at: 0).kind != .send {
            releaseReplies()
            return 1
        }
        return try finishAllSends(count)
    }

    /// Counts the sent bytes, and makes the reply area available again.
    @inline(__always)
    mutating func releaseReplies() {
        counters.sent.add(sentByteCount)
        sentByteCount = 0
        ring.emptyReplies()
    }

    /// Queues the bytes that the kernel has not accepted, and does the deferred work.
    ///
    /// The loop calls this function before it sends anything else, because a later reply must not overtake these bytes.
    @inline(never)
    mutating func finishAllSends(_ found: Int) throws(SystemCallError) -> Int {
        let count = try ring.collectOverflow(found)
        unserved = 0..<count
        for index in 0..<count {
            let completion = ring.completion(at: index)
            if completion.kind == .send { sentPartly(completion) }
        }
        releaseReplies()
        // If the ring has copied completions, the next iteration must call `submit` and not `wait`.
        mustNotWait = count > found
        if !deferred.isEmpty { doDeferred() }
        if let rows = due.take() { sweep(rows) }
        return count
    }

    /// Whether this iteration has made a request that sends a reply on the connection.
    ///
    /// If so, the loop waits for the next iteration before it makes a second send on the socket, flushes the socket's
    /// queue, sends FIN or closes the socket.
    func hasSent(_ descriptor: Int32) -> Bool { connections[Int(descriptor)].lastSendIteration == iteration }

    /// Serves a completion that `replyAtOnce` has not served.
    @inline(never)
    mutating func serve(_ completion: IORing.Completion) throws(SystemCallError) {
        switch completion.kind {
        case .receive: received(completion)
        case .accept: try accepted(completion)
        case .event: try becameReady(completion.descriptor)
        // `finishSends` has handled the sends, and a completed cancellation needs no work.
        case .send, .cancel: return
        }
    }

    /// Serves the wake-up, a timer, a shared listener, or a client's socket that is writable.
    ///
    /// A request to poll completes only once, so the loop makes a new request for each of its own descriptors.
    mutating func becameReady(_ descriptor: Int32) throws(SystemCallError) {
        switch descriptor {
        case wakeUp.rawValue:
            wakeUp.clear()
            let requested = stopCount()
            if requested > 0, stops == 0 { beginDrain() }
            stops = requested
            ring.poll(descriptor, .readable)
        case timer.rawValue:
            timer.clear()
            if operations.tick(), stops == 0 { sweepNext(part.range(of: connections.count)) }
            setTimer()
            ring.poll(descriptor, .readable)
        case acceptTimer.rawValue:
            acceptTimer.clear()
            accept()
            ring.poll(descriptor, .readable)
        case listener?.socket.rawValue:
            isAccepting = false
            acceptFailed = false
            try acceptQueued()
        default: becameWritable(descriptor)
        }
    }
}

// MARK: - Accept

extension RingLoop {
    /// Accepts connections, unless the listener pauses.
    mutating func accept() {
        guard let listener, !isAccepting, !acceptTimer.isStarted else { return }
        isAccepting = true
        // An inherited socket is non-blocking, because other processes use it, too. A request to accept from such a
        // socket fails if no client is in the queue, so the loop first waits until the socket is readable.
        if operations.configuration.inheritedListener == nil, !acceptFailed {
            return ring.accept(listener.socket.rawValue)
        }
        ring.poll(listener.socket.rawValue, .readable)
    }

    /// Admits a connection, and makes a new request to accept if the last request has ended.
    ///
    /// After an error, for example without a free descriptor, the loop accepts with system calls, whose errors tell
    /// whether to pause.
    mutating func accepted(_ completion: IORing.Completion) throws(SystemCallError) {
        if completion.result >= 0 { begin(completion.result) }
        guard !completion.hasMore else { return }
        isAccepting = false
        acceptFailed = completion.result < 0
        if acceptFailed { try acceptQueued() } else { accept() }
    }

    /// Accepts pending connections, at most 1024, with a system call for each connection.
    ///
    /// The limit prevents many new clients from delaying the connected clients.
    mutating func acceptQueued() throws(SystemCallError) {
        for _ in 0..<1024 {
            guard let listener, listener.socket.isReadyToAccept else { break }
            switch try acceptor.next(from: listener.socket, isNonBlocking: false) {
            case .connection(let socket): begin(socket.release())
            case .wouldBlock: return accept()
            case .rejected(let error): reject(.descriptors, "\(error)")
            case .pause(let duration, let error):
                operations.log.cannotAccept(error)
                return acceptTimer.start(after: duration)
            }
        }
        accept()
    }

    /// Admits an accepted connection, greets its client, and begins to receive.
    ///
    /// At the limit on open connections, the function closes the connection instead.
    mutating func begin(_ descriptor: Int32) {
        guard operations.admit() else {
            setTimer()
            return StreamSocket.close(descriptor)
        }
        makeRow(descriptor)
        let (number, session) = operations.open(descriptor)
        connections[Int(descriptor)] = RingConnection(session: session, number: number)
        if session.phase == .serving { greet(descriptor) }
        updateReading(descriptor)
        // If a drain has begun since the kernel accepted the connection, this connection is drained, too.
        if stops == 0 { return }
        ListeningSocket.removeFilter(of: descriptor)
        if connections[Int(descriptor)].session.beginDrain() == .close { close(descriptor) }
    }

    /// Enlarges the table until it has a row for the descriptor.
    mutating func makeRow(_ descriptor: Int32) {
        if Int(descriptor) < connections.count { return }
        var larger = FixedTable(
            repeating: RingConnection(), count: max(Int(descriptor), connections.count + connections.count / 8) + 64)
        for row in 0..<connections.count { larger[row] = connections[row] }
        connections = larger
    }

    /// Sends the greeting, or queues it if the reply area has no spare room.
    mutating func greet(_ descriptor: Int32) {
        let session = connections[Int(descriptor)].session
        if ring.hasSpareRoom(for: 1) {
            return send(ring.reply(limit: 1) { session.greet(into: &$0) }, descriptor)
        }
        guard let queue = unsentQueue(withRoomFor: 1, descriptor) else { return }
        var greeting = ReusableBuffer(capacity: 1)
        greeting.fill { session.greet(into: &$0) }
        greeting.withBytes { queue.append($0) }
        postpone(descriptor)
    }

    mutating func reject(_ reason: RejectionReason, _ detail: String) {
        operations.reject(reason, detail)
        setTimer()
    }
}

// MARK: - Read

extension RingLoop {
    /// Replies to received bytes if nothing else is under way on the connection.
    ///
    /// - Returns: `true` if the loop has served the completion; `false` if `received` must serve it.
    @inline(__always)
    mutating func replyAtOnce(_ completion: IORing.Completion) -> Bool {
        let connection = connections[Int(completion.descriptor)]
        guard completion.isUsual, connection.session.phase == .serving, connection.state == .isReceiving else {
            return false
        }
        reply(completion, connection)
        return true
    }

    /// Computes the reply to the received bytes with the session, and sends it.
    @inline(__always)
    mutating func reply(_ completion: IORing.Completion, _ connection: RingConnection) {
        let (row, count) = (Int(completion.descriptor), Int(completion.result))
        var session = connection.session
        // The kernel sees that the buffer is free, and uses it again, only when the loop waits or submits requests.
        ring.recycle(completion.buffer)
        let reply = ring.reply(to: completion.buffer, count: count) { bytes, output in
            _ = session.receive(bytes, into: &output, unreadByteCount: 0)
        }
        if session != connection.session { connections[row].session = session }
        counters.received.add(count)
        if measures {
            ring.withBytes(of: completion.buffer, count: count) { operations.replied(to: $0, connection.session) }
        }
        if reply.isEmpty { return }
        // The iteration may have several completions of the connection.
        if connection.lastSendIteration == iteration { return extendOrQueue(reply, completion.descriptor) }
        sendFirst(reply, completion.descriptor)
    }

    /// Serves received bytes, the end of the stream, or an error.
    mutating func received(_ completion: IORing.Completion) {
        let (descriptor, row) = (completion.descriptor, Int(completion.descriptor))
        if completion.result > 0 {
            input.fill { output in
                ring.withBytes(of: completion.buffer, count: Int(completion.result)) { bytes in
                    copyBytes(from: bytes, into: &output)
                }
            }
        }
        if completion.hasBuffer { ring.recycle(completion.buffer) }
        if !completion.hasMore {
            connections[row].state.subtract([.isReceiving, .isCancelling])
        }
        if connections[row].session.phase == .closed { return closeSocketIfUnused(descriptor) }
        switch completion.result {
        case 1...: serveInput(descriptor)
        case 0:
            // Requests that send replies to earlier bytes may not have been submitted yet, so a later iteration
            // handles the end of the stream.
            connections[row].state.insert(.hasEnded)
            return postpone(descriptor)
        case -Errno.noBuffers, -Errno.cancelled: break
        default: return close(descriptor)
        }
        updateReading(descriptor)
    }

    /// Replies to the bytes in `input`, or keeps them until the session resumes reading.
    mutating func serveInput(_ descriptor: Int32) {
        let connection = connections[Int(descriptor)]
        if connection.session.phase == .closed || connection.session.phase == .flushing { return }
        // The kept bytes have arrived earlier, so the client gets the reply to them first.
        if !connection.session.mayRead || connection.state.contains(.hasUnanswered) { return keepInput(descriptor) }
        answerInput(descriptor)
    }

    /// Computes the reply to the bytes in `input` with the session, and sends it.
    mutating func answerInput(_ descriptor: Int32) {
        let connection = connections[Int(descriptor)]
        // For the session, bytes that the ring has received count as unread, like the bytes in the kernel.
        let receivedLater = connection.session.phase == .draining ? receivedByteCount(descriptor) : 0
        var session = connection.session
        var next = ServerSession.Reply.send
        let reply = ring.reply(limit: input.count) { output in
            input.withBytes { bytes in
                next = session.receive(
                    bytes, into: &output,
                    unreadByteCount: receivedLater + StreamSocket.unreadByteCount(on: descriptor))
            }
        }
        connections[Int(descriptor)].session = session
        switch next {
        case .discard: return
        case .parseHeader: return parseHeader(descriptor, connection)
        case .sendThenShutDown:
            StreamSocket.cork(descriptor)
            connections[Int(descriptor)].state.insert(.shutsDown)
            postpone(descriptor)
        case .send: break
        }
        counters.received.add(input.count)
        if !reply.isEmpty { send(reply, descriptor) }
        if operations.measures { input.withBytes { operations.replied(to: $0, connection.session) } }
    }

    /// Parses bytes of a proxy's header, and greets the client when the header is complete.
    mutating func parseHeader(_ descriptor: Int32, _ connection: RingConnection) {
        switch input.withBytes({ operations.receiveHeader($0, connection.number, descriptor) }) {
        case .incomplete: return
        case .invalid: close(descriptor)
        case .complete(let count):
            connections[Int(descriptor)].session.proxyHeaderEnded()
            greet(descriptor)
            input.removeFirst(count)
            if input.count > 0 { serveInput(descriptor) }
        }
    }

    /// Keeps the bytes in `input` until the session resumes reading.
    mutating func keepInput(_ descriptor: Int32) {
        guard bufferedByteCountChanges(by: input.count, descriptor) else { return close(descriptor) }
        let queue = unanswered[descriptor] ?? ByteQueue()
        unanswered[descriptor] = queue
        input.withBytes { queue.append($0) }
        connections[Int(descriptor)].state.insert(.hasUnanswered)
    }

    /// Replies to kept bytes until the session pauses reading or the reply area has no spare room.
    mutating func replyToUnanswered(_ descriptor: Int32) {
        while let queue = unanswered[descriptor], connections[Int(descriptor)].session.mayRead {
            guard ring.hasSpareRoom(for: input.capacity) else { return postpone(descriptor) }
            queue.withBytes { bytes in
                input.fill { output in copyBytes(from: bytes, into: &output) }
            }
            _ = bufferedByteCountChanges(by: -input.count, descriptor)
            queue.removeFirst(input.count)
            if queue.count == 0 {
                unanswered[descriptor] = nil
                connections[Int(descriptor)].state.remove(.hasUnanswered)
            }
            answerInput(descriptor)
        }
    }

    /// Makes or cancels the request to receive, according to the session.
    mutating func updateReading(_ descriptor: Int32) {
        let connection = connections[Int(descriptor)]
        if connection.session.phase == .closed { return }
        guard connection.session.mayRead else {
            if connection.state.contains(.isReceiving), !connection.state.contains(.isCancelling) { cancel(descriptor) }
            return
        }
        // `doDeferred` first replies to the kept bytes, and then calls this function again.
        if connection.state.contains(.hasUnanswered) { return postpone(descriptor) }
        if !connection.state.isDisjoint(with: [.isReceiving, .hasEnded]) { return }
        connections[Int(descriptor)].state.insert(.isReceiving)
        ring.receive(descriptor)
    }
}

// MARK: - Write

extension RingLoop {
    /// Makes a request that sends a reply, or queues the reply behind earlier replies.
    mutating func send(_ reply: Range<Int>, _ descriptor: Int32) {
        let row = Int(descriptor)
        if connections[row].state.contains(.hasUnsent) { return queue(reply, descriptor) }
        // At most one request sends on a socket in an iteration: if the first send were partial, a second send would
        // leave a gap in the bytes.
        if hasSent(descriptor) { return extendOrQueue(reply, descriptor) }
        sendFirst(reply, descriptor)
    }

    /// Makes a request that sends the first reply of this iteration on a connection.
    @inline(__always)
    mutating func sendFirst(_ reply: Range<Int>, _ descriptor: Int32) {
        connections[Int(descriptor)].noteSend(reply, in: iteration)
        sentByteCount &+= reply.upperBound &- reply.lowerBound
        ring.send(reply, on: descriptor)
    }

    /// Sends a further reply of this iteration on a connection.
    ///
    /// If the loop has made no other request since the previous reply, and this reply directly follows the previous
    /// reply in the reply area, the loop extends the request that sends the previous reply. Otherwise, this reply waits
    /// for the next iteration.
    mutating func extendOrQueue(_ reply: Range<Int>, _ descriptor: Int32) {
        guard ring.extendSend(by: reply, on: descriptor) else {
            postpone(descriptor)
            return queue(reply, descriptor)
        }
        connections[Int(descriptor)].replyCount += UInt32(truncatingIfNeeded: reply.count)
        sentByteCount += reply.count
    }

    /// Queues a reply.
    mutating func queue(_ reply: Range<Int>, _ descriptor: Int32) {
        guard let queue = unsentQueue(withRoomFor: reply.count, descriptor) else { return }
        ring.withReply(reply) { queue.append($0) }
        updateBackPressure(descriptor)
    }

    /// Returns the queue of unsent bytes.
    ///
    /// - Returns: `nil` if the buffered bytes would exceed the limit for all connections. In this case, the function
    ///   has closed the connection.
    mutating func unsentQueue(withRoomFor count: Int, _ descriptor: Int32) -> ByteQueue? {
        guard bufferedByteCountChanges(by: count, descriptor) else {
            close(descriptor)
            return nil
        }
        let queue = unsent[descriptor] ?? ByteQueue()
        unsent[descriptor] = queue
        connections[Int(descriptor)].state.insert(.hasUnsent)
        return queue
    }

    /// Queues the rest of a reply before the bytes that are queued already.
    mutating func sentPartly(_ completion: IORing.Completion) {
        let (descriptor, row) = (completion.descriptor, Int(completion.descriptor))
        let connection = connections[row]
        precondition(connection.lastSendIteration == iteration &- 1, "a send outlived its iteration")
        let count = Int(max(0, completion.result))
        let restCount = Int(connection.replyCount) - count
        sentByteCount -= restCount
        if connection.session.phase == .closed { return }
        if completion.result < 0, completion.result != -Errno.wouldBlock { return close(descriptor) }
        guard bufferedByteCountChanges(by: restCount, descriptor) else { return close(descriptor) }
        let end = Int(connection.replyStart) + Int(connection.replyCount)
        let rest = ByteQueue()
        ring.withReply(end - restCount..<end) { rest.append($0) }
        if let later = unsent[descriptor] { later.withBytes { rest.append($0) } }
        unsent[descriptor] = rest
        connections[row].state.insert(.hasUnsent)
        awaitWritable(descriptor)
        updateBackPressure(descriptor)
    }

    mutating func awaitWritable(_ descriptor: Int32) {
        if connections[Int(descriptor)].state.contains(.isPolling) { return }
        connections[Int(descriptor)].state.insert(.isPolling)
        ring.poll(descriptor, .writable)
    }

    mutating func becameWritable(_ descriptor: Int32) {
        guard Int(descriptor) < connections.count else { return }
        connections[Int(descriptor)].state.remove(.isPolling)
        if connections[Int(descriptor)].session.phase == .closed { return closeSocketIfUnused(descriptor) }
        flush(descriptor)
    }

    /// Sends the queued bytes directly with `send`, not through the ring.
    mutating func flush(_ descriptor: Int32) {
        guard let queue = unsent[descriptor], !connections[Int(descriptor)].state.contains(.isPolling) else { return }
        if hasSent(descriptor) { return postpone(descriptor) }
        do throws(SystemCallError) {
            while queue.count > 0 {
                let result = try queue.withBytes { bytes throws(SystemCallError) in
                    try IORing.sendAtOnce(bytes, on: descriptor)
                }
                guard case .bytes(let count) = result else { break }
                counters.sent.add(count)
                _ = bufferedByteCountChanges(by: -count, descriptor)
                queue.removeFirst(count)
            }
        } catch { return close(descriptor) }
        if queue.count == 0 {
            unsent[descriptor] = nil
            connections[Int(descriptor)].state.remove(.hasUnsent)
        } else {
            awaitWritable(descriptor)
        }
        updateBackPressure(descriptor)
    }

    /// The number of bytes that are buffered for a connection: unsent replies, and received bytes without a reply.
    func bufferedByteCount(_ descriptor: Int32) -> Int {
        let state = connections[Int(descriptor)].state
        return (state.contains(.hasUnsent) ? unsent[descriptor]?.count ?? 0 : 0)
            + (state.contains(.hasUnanswered) ? unanswered[descriptor]?.count ?? 0 : 0)
    }

    /// Counts bytes that the caller is about to add to a queue, or to remove from it.
    ///
    /// - Returns: `false` if the buffered bytes would exceed the limit for all connections.
    func bufferedByteCountChanges(by change: Int, _ descriptor: Int32) -> Bool {
        let count = bufferedByteCount(descriptor)
        let number = connections[Int(descriptor)].number
        return operations.bufferChanged(from: count, to: count + change, number, descriptor)
    }

    /// Lets the session pause or resume reading after the number of unsent bytes has changed.
    ///
    /// Received bytes without a reply do not count here. They get their reply only after the session has resumed
    /// reading, so if they counted, the session might never resume reading.
    mutating func updateBackPressure(_ descriptor: Int32) {
        let count = unsent[descriptor]?.count ?? 0
        carryOut(connections[Int(descriptor)].session.bufferChanged(to: count, operations.waterMarks), descriptor)
    }
}

// MARK: - Close

extension RingLoop {
    /// Ends the session, drops all queued bytes, and closes the socket as soon as no request uses it.
    mutating func close(_ descriptor: Int32) {
        let row = Int(descriptor)
        guard connections[row].session.didClose() else { return }
        operations.close(connections[row].number, bufferedByteCount: bufferedByteCount(descriptor))
        unsent[descriptor] = nil
        unanswered[descriptor] = nil
        // These flags must stay set, because the kernel and `deferred` still refer to the row.
        connections[row].state.formIntersection([.isReceiving, .isPolling, .isCancelling, .isDeferred])
        connections[row].state.insert(.isClosing)
        closeSocketIfUnused(descriptor)
    }

    /// Closes the socket of a closed connection if no request uses the socket; otherwise cancels the requests.
    ///
    /// After the socket has closed, the next client may get the same descriptor. This client must not receive an
    /// earlier client's reply that has not been submitted, nor the completions of the earlier client's requests.
    mutating func closeSocketIfUnused(_ descriptor: Int32) {
        let row = Int(descriptor)
        guard connections[row].state.contains(.isClosing) else { return }
        if !connections[row].state.isDisjoint(with: [.isReceiving, .isPolling]) {
            if !connections[row].state.contains(.isCancelling) { cancel(descriptor) }
        } else if hasSent(descriptor) {
            postpone(descriptor)
        } else {
            connections[row] = RingConnection()
            StreamSocket.close(descriptor)
        }
    }

    /// Cancels the requests of a connection.
    ///
    /// The cancelled requests include the request that waits until the socket is writable. When this request completes,
    /// `flush` makes it again if bytes are still queued.
    mutating func cancel(_ descriptor: Int32) {
        connections[Int(descriptor)].state.insert(.isCancelling)
        ring.cancel(descriptor)
    }

    /// Performs the session's decision.
    mutating func carryOut(_ decision: ServerSession.Decision, _ descriptor: Int32) {
        if decision == .close { return close(descriptor) }
        updateReading(descriptor)
    }
}

// MARK: - Deferred work

extension RingLoop {
    /// Serves the connection again when all sends of the iteration have completed.
    ///
    /// | caller | work of `doDeferred` |
    /// |---|---|
    /// | `extendOrQueue`, `greet`, `flush` | `flush`: queued replies follow the send |
    /// | `updateReading`, `replyToUnanswered` | `replyToUnanswered`: kept bytes get their reply |
    /// | `answerInput`, `shutDown` | `shutDown`: FIN follows the last reply |
    /// | `received`, `endIfComplete` | `endIfComplete`: the end of the stream follows all bytes |
    /// | `closeSocketIfUnused` | `closeSocketIfUnused`: the last reply has been submitted |
    mutating func postpone(_ descriptor: Int32) {
        if connections[Int(descriptor)].state.contains(.isDeferred) { return }
        connections[Int(descriptor)].state.insert(.isDeferred)
        deferred.append(descriptor)
        mustNotWait = true
    }

    /// Does the deferred work of each connection.
    ///
    /// The order matters: queued replies, replies to kept bytes, FIN, the end of the stream, and then new bytes.
    mutating func doDeferred() {
        let descriptors = deferred
        deferred.removeAll(keepingCapacity: true)
        for descriptor in descriptors {
            connections[Int(descriptor)].state.remove(.isDeferred)
            if connections[Int(descriptor)].session.phase == .closed {
                closeSocketIfUnused(descriptor)
                continue
            }
            flush(descriptor)
            replyToUnanswered(descriptor)
            if connections[Int(descriptor)].state.contains(.shutsDown) { shutDown(descriptor) }
            endIfComplete(descriptor)
            updateReading(descriptor)
        }
    }

    /// Sends FIN after the last reply, unless the client has sent more bytes meanwhile.
    mutating func shutDown(_ descriptor: Int32) {
        // FIN must not precede the last reply.
        if hasSent(descriptor) { return postpone(descriptor) }
        let row = Int(descriptor)
        connections[row].state.remove(.shutsDown)
        guard connections[row].session.phase == .draining, receivedByteCount(descriptor) == 0,
            StreamSocket.unreadByteCount(on: descriptor) == 0
        else { return StreamSocket.uncork(descriptor) }
        let count = unsent[descriptor]?.count ?? 0
        carryOut(operations.shutDown(descriptor, &connections[row].session, bufferedByteCount: count), descriptor)
    }

    /// Tells the session that the client has sent FIN, once the loop has replied to all earlier bytes.
    mutating func endIfComplete(_ descriptor: Int32) {
        let row = Int(descriptor)
        guard connections[row].state.contains(.hasEnded), unanswered[descriptor] == nil,
            connections[row].session.phase != .flushing
        else { return }
        if hasSent(descriptor) { return postpone(descriptor) }
        let count = unsent[descriptor]?.count ?? 0
        if connections[row].session.endOfStream(bufferedByteCount: count) == .close { close(descriptor) }
    }
}

// MARK: - Timers and drain

extension RingLoop {
    /// Starts the timer for the next periodic work, unless the timer is already running.
    mutating func setTimer() {
        if !timer.isStarted, let delay = operations.untilNextTick { timer.start(after: delay) }
    }

    mutating func sweepNext(_ rows: Range<Int>) {
        due = rows
        mustNotWait = true
    }

    mutating func sweep(_ rows: Range<Int>) {
        let received = stops > 0 ? receivedByteCounts() : [:]
        for row in rows where connections[row].session.phase != .closed {
            let descriptor = Int32(row)
            if hasSent(descriptor) { continue }
            let decision = operations.sweep(
                connections[row].number, descriptor, &connections[row].session,
                bufferedByteCount: unsent[descriptor]?.count ?? 0, receivedByteCount: received[descriptor] ?? 0)
            if decision == .close { close(descriptor) }
        }
    }

    /// Serves and sweeps until all connections have closed, the drain times out, or a second stop is requested.
    mutating func drain() throws(SystemCallError) {
        let deadline = operations.drainDeadline
        var nextSweep = Duration.zero
        while stops == 1, operations.openCount > 0, operations.now < deadline {
            if operations.now >= nextSweep {
                sweepNext(0..<connections.count)
                nextSweep = operations.now + ServerSession.drainInterval
            }
            try iterate(timeout: ServerSession.drainInterval)
        }
        try closeAll()
    }

    /// Accepts all clients in the kernel's queue, then stops listening and begins the drain.
    ///
    /// While the loop accepts these clients, no further client enters the queue, so new clients cannot delay the drain.
    mutating func beginDrain() {
        if let listener { ring.cancel(listener.socket.rawValue) }
        // The queue of an inherited socket belongs to the next process, so the loop accepts no client from it. If this
        // process opened the socket, the loop accepts all clients in its queue and then shuts the socket down. The
        // kernel then refuses further clients, even if another reference to the listener delays the closing of its
        // descriptor.
        if operations.configuration.inheritedListener == nil, let listener {
            ListeningSocket.closeQueue(of: listener.socket.rawValue)
            // If the listener stayed blocking, the last call to accept would wait for a further client.
            if (try? listener.socket.setNonBlocking()) != nil {
                while let number = ListeningSocket.acceptWaiting(on: listener.socket.rawValue, isNonBlocking: false) {
                    begin(number)
                }
            }
            listener.socket.shutdown()
        }
        listener = nil
        operations.log.draining(operations.openCount)
        for row in 0..<connections.count where connections[row].session.phase != .closed {
            if connections[row].session.beginDrain() == .close { close(Int32(row)) }
        }
    }

    /// Closes the remaining connections.
    ///
    /// If the drain has timed out, the kernel first sends the bytes that it has accepted on each connection, and then
    /// FIN.
    mutating func closeAll() throws(SystemCallError) {
        // Submits the last replies, which must precede FIN.
        try iterate(timeout: .milliseconds(1))
        _ = try ring.submit()
        for row in 0..<connections.count where connections[row].session.phase != .closed {
            if stops == 1 { Operations.sendFinalFIN(Int32(row)) }
            close(Int32(row))
        }
        // The kernel completes the cancelled requests during the next waits.
        let deadline = operations.now + .seconds(1)
        while operations.now < deadline,
            (0..<connections.count).contains(where: { connections[$0].state.contains(.isClosing) })
        { try iterate(timeout: .milliseconds(1)) }
        for row in 0..<connections.count where connections[row].state.contains(.isClosing) {
            StreamSocket.close(Int32(row))
        }
    }

    /// The completions that have not been served, including those that have arrived since the wait.
    var arrived: Range<Int> { unserved.lowerBound..<max(unserved.upperBound, ring.completionCount) }

    /// The number of bytes that the ring has received from a client and that have no reply yet.
    mutating func receivedByteCount(_ descriptor: Int32) -> Int {
        var count = unanswered[descriptor]?.count ?? 0
        for index in arrived {
            let completion = ring.completion(at: index)
            if completion.kind == .receive, completion.descriptor == descriptor {
                count += Int(max(0, completion.result))
            }
        }
        return count
    }

    /// The numbers of bytes that the ring has received and that have no reply yet, by descriptor.
    mutating func receivedByteCounts() -> [Int32: Int] {
        var counts = unanswered.mapValues(\.count)
        for index in arrived {
            let completion = ring.completion(at: index)
            if completion.kind == .receive {
                counts[completion.descriptor, default: 0] += Int(max(0, completion.result))
            }
        }
        return counts
    }
}

// MARK: - Set-up

extension RingLoop {
    /// Makes a server that runs the loop on the thread that calls `run`.
    ///
    /// - Parameters:
    ///   - completionCount: the number of completions for which the ring has room.
    ///   - faults: results that replace those of the kernel, in tests.
    static func server(
        _ configuration: ServerConfiguration, _ logger: Logger, completionCount: Int = 4096,
        faults: IORing.Faults? = nil
    ) -> any Server {
        // The kernel can fill all buffers with the bytes of one client before the session pauses reading, so the
        // buffers are small.
        let bufferSize = max(16, configuration.readSize / 128)
        // An iteration has spare room for replies to 16 pieces of kept bytes, and for 1024 greetings.
        let spareReplyBytes = 16 * bufferSize + 1024
        let makeRing = { @Sendable () throws(SystemCallError) -> IORing in
            try IORing(
                requestCount: min(1024, completionCount), completionCount: completionCount, bufferCount: 1024,
                bufferSize: bufferSize, spareReplyBytes: spareReplyBytes, faults: faults)
        }
        return SingleLoopServer(
            configuration, logger, isNonBlocking: false, check: { () throws(SystemCallError) in _ = try makeRing() }
        ) { listener, wakeUp, operations, stopCount throws(SystemCallError) in
            var loop = try RingLoop(
                try makeRing(), listener, wakeUp, operations, bufferSize: bufferSize, stopCount)
            try loop.run()
        }
    }

    init(
        _ ring: consuming IORing, _ listener: SharedListener, _ wakeUp: WakeUp, _ operations: Operations,
        bufferSize: Int, _ stopCount: @escaping () -> Int
    ) throws(SystemCallError) {
        let timer = try OneShotTimer()
        let acceptTimer = try OneShotTimer()
        self.ring = ring
        self.timer = timer
        self.acceptTimer = acceptTimer
        self.listener = listener
        self.wakeUp = wakeUp
        self.operations = operations
        self.stopCount = stopCount
        counters = operations.counters
        measures = operations.measures
        input = ReusableBuffer(capacity: bufferSize)
        for descriptor in [wakeUp.rawValue, self.timer.rawValue, self.acceptTimer.rawValue] {
            self.ring.poll(descriptor, .readable)
        }
        accept()
        setTimer()
    }
}
