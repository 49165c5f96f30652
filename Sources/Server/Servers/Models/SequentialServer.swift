internal import IncrementProtocol
internal import SystemCalls

// The server accepts a client, serves it with blocking calls until the conversation is done, and only then accepts the
// next client. This is the simplest model, and the cheapest for one client: a message costs one receive and one send.
// The limit of the model is one client: a second client waits in the kernel's backlog for as long as the first client
// is connected. One silent client therefore stops the service.
//
// - Accept: `BlockingAcceptor.next` calls `accept4`, which waits for the next client.
// - Serve: `SequentialDispatch` serves the client on the same thread, with `BlockingConversation.serve`.
// - Read: `receive` calls `recv`, which waits for bytes.
// - Compute: `reply` asks the session.
// - Write: `send` makes the system call of the same name, which waits at most 100 ms for room in the socket's send
//   buffer. Then `sendRest` repeats the call.
// - Close: `BlockingWorkers.serve` sends FIN and closes the socket.

extension ServerModel {
    /// One client at a time.
    public static let sequential = ServerModel(
        name: "sequential", summary: "one client at a time, the others wait in the backlog", family: .blocking,
        capacity: .one, sources: ["Server/Servers/Models/SequentialServer"]
    ) { BlockingServer<SequentialDispatch>($0, $1) }
}

extension BlockingServer {
    /// Accepts one client after the other until the server is stopped, then closes the listener.
    ///
    /// The models `sequential`, `threads` and `thread-pool` differ only in their dispatch.
    func accept(from acceptor: consuming BlockingAcceptor, _ dispatch: Dispatch) throws(SystemCallError) {
        while let client = try acceptor.next() { dispatch.dispatch(client) }
    }
}

/// Serves each client on the thread that accepts; the server accepts no other client meanwhile.
struct SequentialDispatch: ClientDispatch {
    private let workers: BlockingWorkers

    init(_ workers: BlockingWorkers) { self.workers = workers }

    func dispatch(_ client: consuming StreamSocket) { workers.serve(client) }

    func finish() {}
}

/// The conversation with one client, in blocking calls on one thread.
///
/// The models `threads` and `thread-pool` use the same conversation.
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

    /// Serves the client until the connection is done.
    @inline(__always)
    mutating func serve(_ session: consuming ServerSession) throws(SystemCallError) {
        if session.phase == .serving { guard try greet(session) else { return } }
        while true {
            guard case .bytes = try receive() else {
                if waitsForMore(&session) { continue }
                return
            }
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

    /// Sends the output, and waits until the client has accepted all of it.
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
