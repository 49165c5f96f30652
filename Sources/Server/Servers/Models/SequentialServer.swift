internal import IncrementProtocol
internal import SystemCalls

// One client at a time: accept, serve with blocking calls until the client is done, and only then accept the next.
// Nothing is simpler, and nothing is cheaper for one client: one receive and one send per message, and no waiting for
// several things at once. The model breaks with the second client, which waits in the kernel's backlog for as long as
// the first one is connected. A silent client therefore stops the service.

extension ServerModel {
    /// One client at a time.
    public static let sequential = ServerModel(
        name: "sequential", summary: "one client at a time, the others wait in the backlog", family: .blocking,
        capacity: .one,
        sources: ["Server/Servers/Models/SequentialServer"]
    ) { BlockingServer<SequentialDispatch>($0, $1) }
}

/// Serves each client on the thread that accepts (`BlockingServer.run`), so that no other one is accepted meanwhile.
struct SequentialDispatch: ClientDispatch {
    private let workers: BlockingWorkers

    init(_ workers: BlockingWorkers) { self.workers = workers }

    func dispatch(_ client: consuming StreamSocket) { workers.serve(client) }

    func finish() {}
}

/// One client, served with blocking calls on one thread; the threads of `threads` and `thread-pool` run it too.
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
    /// Reply bytes that are counted as buffered while a send waits.
    var bufferedByteCount = 0
    /// The time at which the drain times out; `nil` before a stop.
    var deadline: Duration?

    init(
        _ number: UInt32, _ descriptor: Int32, _ client: BlockingWorkers.Client, _ workers: BlockingWorkers
    ) {
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
            if workers.tracksMessages {
                guard try replyTracked(&session) else { return }
            } else {
                guard try reply(&session) else { return }
            }
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
    /// - Returns: whether the connection goes on.
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

    /// Sends the output, however long the client takes to accept it.
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
