internal import IncrementProtocol
internal import LibUV
internal import SocketAddresses
internal import SystemCalls

// A thread with a libuv loop serves any number of clients. libuv waits for all sockets at once, receives the bytes of
// the ready sockets, and passes them to a handler. libuv also queues the reply bytes that the kernel has not accepted.
// (In `select`, `poll` and `epoll`, the server itself receives the bytes and queues the replies.) The handler computes
// the reply directly into a buffer from the loop's pool, and moves the buffer into a write. libuv reports when it no
// longer needs the buffer. Nothing blocks: a client that does not read its replies costs memory, but no time. Its
// unsent replies take at most `maxBufferedBytes`, which is the high-water mark plus the reply to one read. The model
// has two weaknesses: a reply that takes long to compute delays every client, and one thread uses only one processor.
// On libuv 1.44, each `uv_write` makes one `epoll_ctl` call that the message does not need; `libuv-eager` avoids this
// call.
//
// - Loops: `libuv` and `libuv-eager` run one loop. `libuv-loops` runs several loops, by default one per processor.
//   `LoopServer.listen` gives each loop a listener on the same port, and `LoopServer.run` starts a thread for each loop
//   except the first. The loops share only the limits: one admission (`Admission`) counts the connections and the
//   buffered bytes of all loops.
// - Wait: `LoopWorker.run` calls `UVLoop.run`, which calls `uv_run`. There, libuv waits for all sockets
//   (`epoll_pwait`).
// - Accept: the library's listener (`UVListener`) accepts a client (`accept4`), and calls the closure that
//   `LibUVModel.listen` passed to it. The closure passes the connection to `LoopWorker.begin`, which calls
//   `LibUVModel.begin`. If `LibUVModel.begin` throws, `LoopWorker.begin` closes the connection.
// - Read: libuv receives bytes and calls the closure that `ProtocolHandler.begin` passed to `startReading`.
// - Compute: `reply` asks the session (`ServerSession`) for the reply.
// - Write: `write` calls `UVStream.write`. `uv_write` tries to send immediately; libuv sends the remaining bytes when
//   the socket is writable. `Trampolines.onWrite` returns the buffer to the pool. `libuv-eager` calls `uv_try_write`
//   first, and passes only the remaining bytes to `uv_write`.
// - Back-pressure: while a client has unsent replies, each completed write calls `bufferChanged`, which asks the
//   session whether to pause or resume reading.
// - Close: when the client has sent FIN and no reply is queued, or when a call has failed, `LoopWorker.close` calls
//   `uv_close`.

extension ServerModel {
    /// One libuv loop; every reply goes through `uv_write`.
    public static let libuv = ServerModel(
        name: "libuv", summary: "one thread, a libuv loop, every reply through uv_write", family: .loop,
        sources: libuvSources
    ) { LoopServer($0, loopCount: 1, LibUVModel(writes: .queued), $1) }

    /// One libuv loop; the server first tries to write a reply with `uv_try_write`.
    ///
    /// Only the bytes that the kernel does not accept go through `uv_write`. On libuv 1.44 this saves one `epoll_ctl`
    /// per message.
    public static let libuvEager = ServerModel(
        name: "libuv-eager", summary: "like libuv, but uv_try_write first and uv_write for the rest", family: .loop,
        sources: libuvSources
    ) { LoopServer($0, loopCount: 1, LibUVModel(writes: .eager), $1) }

    /// Several libuv loops, by default one per processor.
    ///
    /// Each loop has its own thread and its own listener on the same port (`SO_REUSEPORT`).
    ///
    /// The kernel assigns each new client to a listener by a hash of the connection's addresses and ports, and the
    /// client stays on that listener's loop. The loops share only the limits: one admission counts the connections and
    /// the buffered bytes of all loops. Several busy clients may be assigned to the same loop, because the hash does
    /// not take the load into account. If the listener is inherited, all loops accept clients from its queue instead.
    public static let libuvLoops = ServerModel(
        name: "libuv-loops", summary: "a libuv loop and a listener (SO_REUSEPORT) per processor", family: .loops,
        sources: libuvSources
    ) { LoopServer($0, loopCount: $0.loops ?? UVSystem.availableParallelism, LibUVModel(writes: .queued), $1) }

    private static var libuvSources: [String] { ["Server/Servers/Models/LibUVServer"] }
}

extension LoopServer {
    /// Makes each loop listen on the same address.
    ///
    /// Several loops share the port (`SO_REUSEPORT`): the kernel chooses the listener of each new client.
    ///
    /// - Returns: the address of the listeners. If the port is 0, the first loop picks a free port for all loops.
    func listen(on workers: [LoopWorker], at address: SocketAddress) throws(UVError) -> SocketAddress {
        var address = address
        for worker in workers { address = try worker.start(at: address, sharesPort: workers.count > 1) }
        return address
    }

    /// Runs the first loop on the calling thread and each other loop on a separate thread, until all loops have ended.
    ///
    /// - Returns: the error of the loop on the calling thread, or `nil` if that loop has not failed.
    func run(_ first: LoopWorker, and others: [LoopWorker]) -> UVError? {
        let threads = ThreadGroup()
        for worker in others {
            do throws(SystemCallError) { try threads.start { [self] in _ = run(worker) } } catch {
                abandon(worker, error)
            }
        }
        let failure = run(first)
        threads.joinAll()
        return failure
    }
}

/// Serves each connection of a loop with a `ProtocolHandler`.
struct LibUVModel: LoopModel {
    /// How replies reach the kernel: the only difference between `libuv` and `libuv-eager`.
    enum Writes {
        /// Through `uv_write`.
        case queued
        /// Through `uv_try_write`; bytes that the kernel does not accept go through `uv_write`.
        case eager
    }

    let writes: Writes

    /// Listens, and begins to serve each client that connects.
    func listen(on worker: LoopWorker) throws(UVError) -> SocketAddress {
        let backlog = worker.operations.configuration.backlog
        try worker.listener.listen(backlog: backlog) { [unowned worker] listener, error in
            if let error { return worker.acceptFailed(error) }
            do throws(UVError) { worker.begin(try listener.accept()) } catch { worker.reject(.failure, "\(error)") }
        }
        return try worker.listener.localAddress
    }

    func begin(_ stream: UVTCPStream, on worker: LoopWorker) throws(UVError) {
        guard let (number, session) = worker.admit(stream) else { return stream.close() }
        try ProtocolHandler(number, session, writes, worker).begin(stream)
    }
}

/// The state of a connection on a loop, stored as the context of its stream.
// @unchecked Sendable: like the stream, it is used only on the loop's thread.
class LoopConnection: @unchecked Sendable {
    /// The connection's number in the log.
    final let number: UInt32
    private(set) final var session: ServerSession
    /// Whether the server measures messages.
    final let measures: Bool
    /// The number of reply bytes that count as buffered for this connection.
    final var bufferedByteCount: UInt32 = 0

    init(_ number: UInt32, _ session: ServerSession, measures: Bool) {
        self.number = number
        self.session = session
        self.measures = measures
    }

    /// Changes a copy of the session and stores the copy, because a change in place would cost an exclusivity check.
    @inline(__always)
    final func update<Outcome>(_ body: (inout ServerSession) -> Outcome) -> Outcome {
        var session = session
        let outcome = body(&session)
        self.session = session
        return outcome
    }

    /// The number of bytes that have been read but have no reply yet; a sweep sends FIN only if it is 0.
    var receivedByteCount: Int { 0 }
}

/// Serves one stream: receives its events, asks the session, and writes the replies.
///
/// The handler is the context of its stream, and lives until the stream has closed.
final class ProtocolHandler: LoopConnection, @unchecked Sendable {
    private let writes: LibUVModel.Writes
    private let worker: LoopWorker

    init(_ number: UInt32, _ session: ServerSession, _ writes: LibUVModel.Writes, _ worker: LoopWorker) {
        self.worker = worker
        self.writes = writes
        super.init(number, session, measures: worker.operations.measures)
    }

    /// Begins to read, and greets the client.
    func begin(_ stream: UVTCPStream) throws(UVError) {
        stream.context = self
        try stream.startReading { stream, event in self.received(event, on: stream) }
        if session.phase == .serving { try greet(stream) }
    }

    private func greet(_ stream: UVStream) throws(UVError) {
        // The send buffer of a new socket is empty and has room for the greeting, so no write request is needed.
        try writeEagerly(stream.makeBuffer(capacity: 1) { session.greet(into: &$0) }, on: stream)
    }

    @inline(__always)
    private func received(_ event: borrowing UVStreamEvent, on stream: UVStream) {
        switch event {
        case .bytes(let bytes): reply(to: bytes, on: stream)
        case .written: bufferChanged(stream)
        case .drained: break
        case .end: endOfStream(stream)
        case .failed, .closed: worker.close(self, stream)
        }
    }

    /// Computes the reply with the session, and writes it.
    @inline(__always)
    private func reply(to bytes: Span<UInt8>, on stream: UVStream) {
        if measures { worker.operations.counters.iterationBegan() }
        let before = measures ? session : nil
        var next = ServerSession.Reply.send
        let reply = stream.makeBuffer(capacity: bytes.count) { output in
            next = update { $0.receive(bytes, into: &output, unreadByteCount: stream.unreadByteCount) }
        }
        do throws(UVError) {
            if next == .send { try write(reply, on: stream) } else { try writeLast(reply, next, bytes, on: stream) }
        } catch { return worker.close(self, stream) }
        if let before { worker.operations.replied(to: bytes, before) }
    }

    /// Carries out the session's decisions about a reply, except `send`, which the caller carries out.
    private func writeLast(
        _ reply: consuming UVBuffer, _ next: ServerSession.Reply, _ bytes: Span<UInt8>, on stream: UVStream
    ) throws(UVError) {
        switch next {
        case .send: break
        case .sendThenShutDown:
            worker.cork(stream)
            try write(reply, on: stream)
            worker.shutDown(self, stream)
        case .discard: worker.dropped(bytes.count)
        case .parseHeader:
            guard let count = worker.receiveHeader(bytes, self, stream) else { return }
            try greet(stream)
            if count < bytes.count { self.reply(to: bytes.extracting(count..<bytes.count), on: stream) }
        }
    }

    @inline(__always)
    private func write(_ reply: consuming UVBuffer, on stream: UVStream) throws(UVError) {
        if writes == .eager { return try writeEagerly(reply, on: stream) }
        try stream.write(reply)
        if stream.writeQueueSize != 0 { bufferChanged(stream) }
    }

    /// Passes the reply to the kernel, and queues the bytes that the kernel does not accept.
    @inline(__always)
    private func writeEagerly(_ reply: consuming UVBuffer, on stream: UVStream) throws(UVError) {
        if reply.isEmpty { return }
        let taken = try reply.withBytes { bytes throws(UVError) in try stream.tryWrite(bytes) }
        if taken == reply.count { return }
        reply.removeFirst(taken)
        try stream.write(reply)
        bufferChanged(stream)
    }

    /// Asks the session whether to pause or resume reading, after the number of buffered bytes has changed.
    private func bufferChanged(_ stream: UVStream) {
        worker.bufferChanged(self, stream)
        let count = stream.writeQueueSize
        let couldRead = session.mayRead
        let decision = update { $0.bufferChanged(to: count, worker.operations.waterMarks) }
        stream.reportsWrites = count > 0
        if decision == .close { return worker.close(self, stream) }
        if couldRead, !session.mayRead { stream.stopReading() }
        if !couldRead, session.mayRead {
            do throws(UVError) { try stream.resumeReading() } catch { worker.close(self, stream) }
        }
    }

    private func endOfStream(_ stream: UVStream) {
        let decision = update { $0.endOfStream(bufferedByteCount: stream.writeQueueSize) }
        if decision == .close { worker.close(self, stream) }
    }
}
