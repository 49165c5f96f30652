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
        name: "sequential", summary: "one client at a time, the others wait in the backlog", family: .blocking,
        capacity: .one,
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
        // The kernel reserves a descriptor before it waits for a client, so its error does not show that a client waits.
        var mayLackDescriptor = false
        while workers.stopCount == 0 {
            do throws(SystemCallError) {
                if let wakeUp = wakeUp.load() {
                    // An inherited listener does not block, and `stop` cannot shut it down.
                    try listener.waitForConnection(orFor: wakeUp)
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

/// One client, served with blocking calls on one thread, in `sequential`, `threads` and `thread-pool`.
struct BlockingConversation: ~Copyable {
    private let workers: BlockingWorkers
    private let entry: BlockedDescriptors.Entry
    private let operations: Operations
    private let counters: ServerCounters
    private let number: UInt32
    private var input: ReusableBuffer
    private var output: ReusableBuffer
    /// Reply bytes that are counted as buffered while a send waits.
    private var bufferedByteCount = 0
    /// The time at which the drain times out; `nil` before a stop.
    private var deadline: Duration?

    init(_ number: UInt32, at entry: BlockedDescriptors.Entry, _ workers: BlockingWorkers) {
        self.workers = workers
        self.entry = entry
        operations = entry.operations
        counters = operations.counters
        self.number = number
        input = ReusableBuffer(capacity: workers.readSize)
        output = ReusableBuffer(capacity: workers.readSize)
    }

    /// Serves the client until the connection is done.
    mutating func serve(_ socket: borrowing StreamSocket, _ session: consuming ServerSession) {
        do throws(SystemCallError) {
            if session.phase == .serving, try !greet(socket, session) { return }
            while true {
                let result = try input.fill { output throws(SystemCallError) in
                    try StreamSocket.receive(on: socket.rawValue, into: &output)
                }
                guard case .bytes = result else {
                    if waitsForMore(socket, &session) { continue }
                    return
                }
                if workers.needsAttention {
                    guard try replyAttentively(socket, &session) else { return }
                } else {
                    guard try reply(socket, &session) else { return }
                }
            }
        } catch {
            // The peer has reset the connection.
        }
    }

    private mutating func greet(
        _ socket: borrowing StreamSocket, _ session: ServerSession
    ) throws(SystemCallError) -> Bool {
        output.fill { session.greet(into: &$0) }
        return try send(socket)
    }

    /// Computes the reply to the received bytes with the session, and sends it.
    ///
    /// - Returns: whether to go on.
    @inline(__always)
    private mutating func reply(
        _ socket: borrowing StreamSocket, _ session: inout ServerSession
    ) throws(SystemCallError) -> Bool {
        var next = ServerSession.Reply.send
        let descriptor = socket.rawValue
        input.withBytes { bytes in
            output.fill { output in
                next = session.receive(
                    bytes, into: &output, unreadByteCount: StreamSocket.unreadByteCount(on: descriptor))
            }
        }
        guard next == .send else { return try replyLast(socket, &session, next) }
        counters.received.add(input.count)
        return try send(socket)
    }

    /// The session requests more than a send.
    @inline(never)
    private mutating func replyLast(
        _ socket: borrowing StreamSocket, _ session: inout ServerSession, _ next: ServerSession.Reply
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
                guard try greet(socket, session) else { return false }
                input.removeFirst(count)
                if input.count == 0 { return true }
                return try workers.needsAttention ? replyAttentively(socket, &session) : reply(socket, &session)
            }
        }
    }

    /// Sends the output, however long the client takes to accept it.
    ///
    /// - Returns: whether all of it was sent.
    @inline(__always)
    private mutating func send(_ socket: borrowing StreamSocket) throws(SystemCallError) -> Bool {
        if output.count == 0 { return true }
        let result = try output.withBytes { bytes throws(SystemCallError) in
            try StreamSocket.send(bytes, on: socket.rawValue)
        }
        guard result == .bytes(output.count) else { return try sendRest(socket, after: result) }
        counters.sent.add(output.count)
        return true
    }

    /// Sends the bytes that the first send did not.
    @inline(never)
    private mutating func sendRest(
        _ socket: borrowing StreamSocket, after first: IOResult
    ) throws(SystemCallError) -> Bool {
        var result = first
        var sent = 0
        while true {
            if case .bytes(let count) = result {
                sent += count
                counters.sent.add(count)
            }
            guard bufferChanged(to: output.count - sent, socket) else { return false }
            if sent == output.count { return true }
            guard mayGoOn() else { return false }
            result = try output.withBytes { bytes throws(SystemCallError) in
                try StreamSocket.send(bytes.extracting(droppingFirst: sent), on: socket.rawValue)
            }
        }
    }

    /// Releases the connection's slot and memory before the client can notice the close.
    mutating func close() {
        _ = operations.bufferChanged(from: bufferedByteCount, to: 0, number, -1)
        operations.close(number)
    }
}

// MARK: - Limits and drain

extension BlockingConversation {
    /// Sends a reply while the server drains, measures, or limits open messages.
    @inline(never)
    private mutating func replyAttentively(
        _ socket: borrowing StreamSocket, _ session: inout ServerSession
    ) throws(SystemCallError) -> Bool {
        if workers.stopCount > 0 {
            _ = session.beginDrain()
            guard mayGoOn() else { return false }
        }
        if operations.measures { counters.iterationBegan() }
        let before = session
        guard try reply(socket, &session) else { return false }
        entry.isInMessage.store(session.isInMessage, ordering: .relaxed)
        if operations.measures {
            input.withBytes { operations.replied(to: $0, before) }
            counters.iterationEnded()
        }
        return true
    }

    private mutating func bufferChanged(to count: Int, _ socket: borrowing StreamSocket) -> Bool {
        guard operations.bufferChanged(from: bufferedByteCount, to: count, number, socket.rawValue) else {
            return false
        }
        bufferedByteCount = count
        return true
    }

    /// Nothing can be read: the client has sent FIN, or `stop` has shut down the read side and all bytes are read.
    ///
    /// - Returns: whether to read again.
    @inline(never)
    private mutating func waitsForMore(_ socket: borrowing StreamSocket, _ session: inout ServerSession) -> Bool {
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
