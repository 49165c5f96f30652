internal import IncrementProtocol
internal import Synchronization
internal import SystemCalls

// One client at a time: accept, serve with blocking calls until the client is done, and only then accept the next.
// Nothing is simpler, and nothing is cheaper for one client: one receive and one send per message, and no waiting for
// several things at once. The model breaks with the second client, which waits in the backlog for as long as the first is
// connected, however little that one has to say: a silent client stops the service.

extension ServerModel {
    /// One client at a time.
    public static let sequential = ServerModel(
        name: "sequential", summary: "one client at a time, the others wait in the backlog", capacity: .one,
        sources: ["Server/Servers/Models/SequentialServer"]
    ) { BlockingServer<SequentialDispatch>($0, $1) }
}

/// Serves each client on the thread that accepts.
struct SequentialDispatch: ClientDispatch {
    private let workers: BlockingWorkers

    init(_ workers: BlockingWorkers) { self.workers = workers }

    func dispatch(_ client: consuming StreamSocket) { workers.serve(client) }

    func finish() {}
}

// MARK: - Accept

extension BlockingServer {
    /// Accepts clients until the server is stopped.
    func accept(from listener: borrowing ListeningSocket, _ dispatch: Dispatch) throws(SystemCallError) {
        var reserve = ReserveDescriptor()
        // The kernel reserves a descriptor before it waits for a client: only a waiting client shows that one is lacking.
        var mayLackDescriptor = false
        while workers.stopCount == 0 {
            do throws(SystemCallError) {
                if let wakeUp = wakeUp.load() {
                    // An inherited listener does not block, and `stop` cannot shut it down.
                    try listener.waitForConnection(orFor: wakeUp.wakeUp)
                } else if mayLackDescriptor {
                    try listener.waitForConnection()
                }
                switch try listener.accept(isNonBlocking: false) {
                case .connection(let client):
                    mayLackDescriptor = false
                    if workers.operations.admit() { dispatch.dispatch(client) }
                case .wouldBlock: continue
                case .noDescriptor(let error):
                    if mayLackDescriptor, reserve.rejectConnection(from: listener) {
                        workers.operations.reject(.descriptors, "\(error)")
                    }
                    mayLackDescriptor = true
                }
            } catch {
                // A listener that `stop` has shut down fails to accept.
                if workers.stopCount == 0 { throw error }
            }
        }
    }
}

// MARK: - Serve

/// One client, served with blocking calls on a thread of its own: `sequential`, `threads` and `thread-pool`.
struct BlockingConversation: ~Copyable {
    private let workers: BlockingWorkers
    private let entry: BlockedDescriptors.Entry
    private let operations: Operations
    private let counters: ServerCounters
    private let number: UInt32
    private var session: ServerSession
    private var input: ReusableBuffer
    private var output: ReusableBuffer
    /// Reply bytes that are counted as buffered while a send waits.
    private var bufferedByteCount = 0
    /// When the drain times out, once the server has been told to stop.
    private var deadline: Duration?

    init(with descriptor: Int32, at entry: BlockedDescriptors.Entry, _ workers: BlockingWorkers) {
        self.workers = workers
        self.entry = entry
        operations = entry.operations
        counters = operations.counters
        (number, session) = operations.open(descriptor)
        entry.number.store(number, ordering: .relaxed)
        input = ReusableBuffer(capacity: workers.readSize)
        output = ReusableBuffer(capacity: workers.readSize)
    }

    /// Serves the client until the connection is done.
    mutating func serve(_ socket: borrowing StreamSocket) {
        do throws(SystemCallError) {
            if session.phase == .serving, try !greet(socket) { return }
            while true {
                let result = try input.fill { output throws(SystemCallError) in
                    try StreamSocket.receive(on: socket.rawValue, into: &output)
                }
                if case .bytes = result {
                    if try !reply(socket) { return }
                } else if !waitsForMore(socket) {
                    return
                }
            }
        } catch {
            // The peer has reset the connection.
        }
    }

    private mutating func greet(_ socket: borrowing StreamSocket) throws(SystemCallError) -> Bool {
        output.fill { [session] in session.greet(into: &$0) }
        return try send(socket)
    }

    /// Lets the session compute the reply to what was read, and sends it.
    ///
    /// - Returns: whether to go on.
    @inline(__always)
    private mutating func reply(_ socket: borrowing StreamSocket) throws(SystemCallError) -> Bool {
        let needsAttention = workers.needsAttention
        if needsAttention { beginReply() }
        let before = session
        var session = before
        var next = ServerSession.Reply.send
        let descriptor = socket.rawValue
        input.withBytes { bytes in
            output.fill { output in
                next = session.receive(
                    bytes, into: &output, unreadByteCount: StreamSocket.unreadByteCount(on: descriptor))
            }
        }
        self.session = session
        guard next == .send else { return try replyLast(socket, next) }
        counters.received.add(input.count)
        guard try send(socket) else { return false }
        if needsAttention { endReply(before) }
        return true
    }

    /// The session does not just send.
    private mutating func replyLast(
        _ socket: borrowing StreamSocket, _ next: ServerSession.Reply
    ) throws(SystemCallError) -> Bool {
        let descriptor = socket.rawValue
        switch next {
        case .send, .discard: return true
        case .sendThenShutDown:
            counters.received.add(input.count)
            StreamSocket.cork(descriptor)
            guard try send(socket) else { return false }
            return operations.shutDown(descriptor, &session) == .keep
        case .parseHeader:
            switch input.withBytes({ operations.receiveHeader($0, number, descriptor) }) {
            case .incomplete: return true
            case .invalid: return false
            case .complete(let count):
                session.proxyHeaderEnded()
                guard try greet(socket) else { return false }
                input.removeFirst(count)
                if input.count == 0 { return true }
                return try reply(socket)
            }
        }
    }

    /// Sends the output, however long the client takes to accept it.
    ///
    /// - Returns: whether all of it was sent.
    @inline(__always)
    private mutating func send(_ socket: borrowing StreamSocket) throws(SystemCallError) -> Bool {
        let total = output.count
        var sent = 0
        while sent < total {
            let result = try output.withBytes { bytes throws(SystemCallError) in
                try StreamSocket.send(sent == 0 ? bytes : bytes.extracting(sent..<total), on: socket.rawValue)
            }
            if case .bytes(let count) = result {
                sent &+= count
                counters.sent.add(count)
            } else if !waits(toSend: total - sent, socket) {
                return false
            }
        }
        if bufferedByteCount > 0 { _ = bufferChanged(to: 0, socket) }
        return true
    }

    /// Releases what the connection holds, before the client can learn of the close.
    mutating func close() {
        if bufferedByteCount > 0 {
            _ = operations.bufferChanged(from: bufferedByteCount, to: 0, number, -1)
        }
        if session.didClose() { operations.close(number) }
    }
}

// MARK: - Limits and drain

extension BlockingConversation {
    /// The client does not accept its reply.
    ///
    /// - Returns: whether to wait for it.
    private mutating func waits(toSend count: Int, _ socket: borrowing StreamSocket) -> Bool {
        bufferChanged(to: count, socket) && mayGoOn()
    }

    private mutating func bufferChanged(to count: Int, _ socket: borrowing StreamSocket) -> Bool {
        guard operations.bufferChanged(from: bufferedByteCount, to: count, number, socket.rawValue) else { return false }
        bufferedByteCount = count
        return true
    }

    /// The server drains, measures, or limits open messages.
    private mutating func beginReply() {
        if workers.stopCount > 0 { _ = session.beginDrain() }
        if operations.measures { counters.iterationBegan() }
    }

    private func endReply(_ before: ServerSession) {
        entry.isInMessage.store(session.isInMessage, ordering: .relaxed)
        guard operations.measures else { return }
        counters.replied(messageCount: input.withBytes { before.messageCount(closedBy: $0) })
        counters.iterationEnded()
    }

    /// Nothing can be read: the client has sent FIN, or `stop` has shut down the read side and all bytes are read.
    ///
    /// - Returns: whether to read again.
    private mutating func waitsForMore(_ socket: borrowing StreamSocket) -> Bool {
        let descriptor = socket.rawValue
        if workers.stopCount == 0 || TCPState(of: descriptor)?.peerHasShutDown ?? true {
            return session.endOfStream(bufferedByteCount: 0) == .keep
        }
        guard session.beginDrain() == .keep,
            operations.sweep(number, descriptor, &session, bufferedByteCount: 0) == .keep, mayGoOn()
        else { return false }
        PosixThread.sleep(.milliseconds(2))
        return true
    }

    /// Whether the drain, if there is one, has neither timed out nor been cut short by a second stop.
    private mutating func mayGoOn() -> Bool {
        let stops = workers.stopCount
        if stops == 0 { return true }
        let end = deadline ?? operations.now + operations.configuration.drainTimeout
        deadline = end
        return stops == 1 && operations.now < end
    }
}
