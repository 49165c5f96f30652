internal import IncrementProtocol
internal import Logging
internal import SystemCalls

// The server accepts a client, and one thread serves it with blocking calls until the conversation is done. The code
// reads like the conversation, and the kernel's scheduler does the work of an event loop. The three models differ only
// in the thread that serves the client:
//
// - `sequential`: the thread that accepts. This is the simplest model, and the cheapest for one client: a message costs
//   one receive and one send. A second client waits in the kernel's queue for as long as the first client is connected,
//   so one silent client stops the service.
// - `threads`: a new thread. A client delays no other client. Each client needs a stack, and with several busy clients
//   each message needs a context switch. When the system cannot start another thread, the server rejects the client.
// - `thread-pool`: one of a fixed number of threads, which take clients from a queue. The number of threads and the
//   memory are limited, however many clients connect. If every thread serves a silent client, all other clients wait in
//   the queue. When the queue is full, the server rejects further clients.
//
// The steps:
//
// - Accept: `accept` calls `BlockingAcceptor.next`, which waits for the next client in `accept4`.
// - Serve: `dispatch` chooses the thread. This thread calls `BlockingWorkers.serve`, which calls
//   `BlockingConversation.serve`.
// - Read: `receive` calls `recv`, which waits for bytes or for the client's FIN.
// - Compute: `reply` asks the session (`ServerSession`) for the reply.
// - Write: `send` makes the system call of the same name, which waits for room in the socket's send buffer. The call
//   waits at most 100 ms, so that the thread notices a stop; `BlockingWorkers.serve` sets this timeout. If bytes
//   remain, `sendRest` repeats the call.
// - Close: when the client has sent FIN, or when a call has failed, `BlockingWorkers.serve` sends FIN and closes the
//   socket.

extension ServerModel {
    /// One client at a time.
    public static let sequential = blocking(
        SequentialDispatch.self, "sequential", "one client at a time, the others wait in the backlog", capacity: .one)

    /// A thread per client.
    public static let threads = blocking(
        ThreadsDispatch.self, "threads", "a thread per client, blocking calls", capacity: .unbounded)

    /// A fixed number of threads and a bounded queue.
    public static let threadPool = blocking(
        ThreadPoolDispatch.self, "thread-pool", "a fixed number of threads that serve clients from a bounded queue",
        capacity: .poolThreads)

    private static func blocking<Dispatch: ClientDispatch>(
        _ dispatch: Dispatch.Type, _ name: String, _ summary: String, capacity: Capacity
    ) -> ServerModel {
        let dispatches = ["\(SequentialDispatch.self)", "\(ThreadsDispatch.self)", "\(ThreadPoolDispatch.self)"]
        return ServerModel(
            name: name, summary: summary, family: .blocking, capacity: capacity,
            sources: ["Server/Servers/Models/BlockingModels"], unusedTypes: dispatches.filter { $0 != "\(dispatch)" }
        ) { BlockingServer<Dispatch>($0, $1) }
    }
}

extension BlockingServer {
    /// Accepts one client after the other until the server is stopped, then closes the listener.
    func accept(from acceptor: consuming BlockingAcceptor, _ dispatch: Dispatch) throws(SystemCallError) {
        while let client = try acceptor.next() { dispatch.dispatch(client) }
    }
}

/// The conversation with one client, which one thread holds with blocking calls.
struct BlockingConversation: ~Copyable {
    let workers: BlockingWorkers
    let client: BlockingWorkers.Client
    let operations: Operations
    let counters: ServerCounters
    /// The connection's number in the log.
    let number: UInt32
    /// The client's socket.
    let descriptor: Int32
    var input: ReusableBuffer
    var output: ReusableBuffer
    /// The number of reply bytes that count as buffered while a send waits.
    var bufferedByteCount = 0
    /// The time at which the drain times out; `nil` if no stop has been requested.
    var deadline: Duration?

    init(_ number: UInt32, _ descriptor: Int32, _ client: BlockingWorkers.Client, _ workers: BlockingWorkers) {
        self.workers = workers
        self.client = client
        operations = client.operations
        counters = operations.counters
        self.number = number
        self.descriptor = descriptor
        input = ReusableBuffer(capacity: workers.readSize)
        output = ReusableBuffer(capacity: workers.readSize)
    }

    /// Serves the client until the conversation is done.
    @inline(__always)
    mutating func serve(_ session: consuming ServerSession) throws(SystemCallError) {
        if session.phase == .serving { guard try greet(session) else { return } }
        while true {
            guard case .bytes = try receive() else {
                // The client has sent FIN, or a stop has shut down the read side.
                if mayReadAgain(&session) { continue }
                return
            }
            // While the server drains or measures, `replyTracked` does more than `reply`.
            guard try workers.tracksMessages ? replyTracked(&session) : reply(&session) else { return }
        }
    }

    mutating func greet(_ session: ServerSession) throws(SystemCallError) -> Bool {
        output.fill { session.greet(into: &$0) }
        return try send()
    }

    /// Waits for bytes from the client.
    @inline(__always)
    private mutating func receive() throws(SystemCallError) -> IOResult {
        let descriptor = descriptor
        return try input.fill { output throws(SystemCallError) in
            try StreamSocket.receive(on: descriptor, into: &output)
        }
    }

    /// Computes the reply to the received bytes with the session, and sends it.
    ///
    /// - Returns: whether to continue with the connection.
    @inline(__always)
    mutating func reply(_ session: inout ServerSession) throws(SystemCallError) -> Bool {
        let descriptor = descriptor
        var next = ServerSession.Reply.send
        input.withBytes { bytes in
            output.fill { output in
                next = session.receive(
                    bytes, into: &output, unreadByteCount: StreamSocket.unreadByteCount(on: descriptor))
            }
        }
        guard next == .send else { return try replyLast(next, &session) }
        counters.received.add(input.count)
        return try send()
    }

    /// Sends the output, and waits until the kernel has accepted all of it.
    ///
    /// - Returns: whether all of it was sent.
    @inline(__always)
    mutating func send() throws(SystemCallError) -> Bool {
        if output.count == 0 { return true }
        let descriptor = descriptor
        let result = try output.withBytes { bytes throws(SystemCallError) in
            try StreamSocket.send(bytes, on: descriptor)
        }
        guard result == .bytes(output.count) else { return try sendRest(after: result) }
        counters.sent.add(output.count)
        return true
    }
}

/// Serves each client on the thread that accepts; the server accepts no other client meanwhile.
struct SequentialDispatch: ClientDispatch {
    private let workers: BlockingWorkers

    init(_ workers: BlockingWorkers) { self.workers = workers }

    func dispatch(_ client: consuming StreamSocket) { workers.serve(client) }

    func finish() {}
}

/// Serves each client on a separate thread.
struct ThreadsDispatch: ClientDispatch {
    private let workers: BlockingWorkers
    private let threads = ThreadGroup()

    init(_ workers: BlockingWorkers) { self.workers = workers }

    func dispatch(_ client: consuming StreamSocket) {
        let descriptor = client.release()
        do throws(SystemCallError) {
            try threads.start { [workers] in workers.serve(StreamSocket(adopting: descriptor)) }
        } catch {
            workers.reject(
                StreamSocket(adopting: descriptor), .threads, "the system cannot start another thread (\(error))")
        }
    }

    func finish() { threads.joinAll() }
}

/// Queues each client for the threads of a pool.
struct ThreadPoolDispatch: ClientDispatch {
    private let workers: BlockingWorkers
    private let threads = ThreadGroup()
    private let queue = Monitor(Queue())

    private struct Queue {
        var waiting: [Int32] = []
        /// The number of threads that do not serve a client.
        var idleCount = 0
        var isClosed = false

        /// What an idle thread does next.
        enum Next { case serve(Int32), end }

        /// Takes the next client; returns `nil` if the thread has to wait.
        mutating func takeNext() -> Next? {
            guard !waiting.isEmpty else { return isClosed ? .end : nil }
            idleCount -= 1
            return .serve(waiting.removeFirst())
        }
    }

    init(_ workers: BlockingWorkers) throws(SystemCallError) {
        self.workers = workers
        let count = max(1, workers.operations.configuration.poolThreads)
        queue.withLock { $0.idleCount = count }
        for _ in 0..<count {
            do throws(SystemCallError) { try threads.start { [queue] in Self.work(workers, queue) } } catch {
                // A smaller pool can still serve clients, but a pool without threads cannot serve any client.
                if threads.count == 0 { throw error }
                workers.operations.log.logger.warning("cannot start a pool thread", metadata: ["error": "\(error)"])
                queue.withLock { $0.idleCount -= 1 }
            }
        }
    }

    func dispatch(_ client: consuming StreamSocket) {
        let limit = workers.operations.configuration.poolQueueLimit
        let descriptor = client.release()
        let isQueued = queue.withLock { queue in
            // The limit does not apply to clients that an idle thread is about to take.
            if queue.waiting.count >= limit + queue.idleCount { return false }
            queue.waiting.append(descriptor)
            return true
        }
        if isQueued { return queue.notify() }
        workers.reject(StreamSocket(adopting: descriptor), .queue, "the queue of \(limit) clients is full")
    }

    func finish() {
        queue.withLock { $0.isClosed = true }
        queue.notifyAll()
        threads.joinAll()
    }

    /// Serves the clients in the queue one after the other, until the queue is closed and empty.
    ///
    /// Every thread of the pool runs this function.
    private static func work(_ workers: BlockingWorkers, _ queue: Monitor<Queue>) {
        while case .serve(let client) = queue.wait(until: { $0.takeNext() }) {
            workers.serve(StreamSocket(adopting: client))
            queue.withLock { $0.idleCount += 1 }
        }
    }
}
