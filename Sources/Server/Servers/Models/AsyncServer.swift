internal import IncrementProtocol
internal import LibUV
internal import SocketAddresses

// One thread with one libuv loop serves any number of clients, and each client has a task. A conversation's code reads
// from top to bottom, as in the model `sequential`: greet, then read, reply and write until the client is done. If no
// bytes are available, a read suspends its task. The loop is also the executor of all tasks, so it runs other tasks
// while this task is suspended. A libuv callback later resumes the suspended task. Nothing blocks, and no task moves to
// another thread. The model has the limits of one loop: a long computation delays every client, and one thread uses
// only one processor. In addition, each message suspends a task, and each client needs memory for a task.
//
// - Wait: `LoopWorker.run` calls `UVLoop.run`, which calls `uv_run`. When no task can continue, `uv_run` waits for all
//   sockets.
// - Accept: `connections.serve` accepts clients, and starts a task for each of them.
// - Read: `connection.read` returns the received bytes, or suspends the task until libuv has received bytes. It returns
//   `nil` when the client has sent FIN.
// - Suspend and resume: the files named here are in `Library/LibUV`. If no bytes have been received,
//   `UVConnection.beginRead` prepares a slot in which the suspended task will be stored
//   (Async/UVConnection+Read.swift). `Parking.wait` then suspends the task: Swift makes the rest of the task a job, and
//   the slot stores this job (Async/ParkedTask.swift). When bytes arrive, libuv's callback calls
//   `UVConnection.received` (Async/UVConnection.swift), which takes the job from the slot and passes it to
//   `UVLoop.runAtEndOfCallback` (Loop/UVLoop+Jobs.swift). This function runs the job on the loop's thread, so the task
//   continues, and `read` returns the bytes. A `nonisolated(nonsending)` function runs on its caller's executor, which
//   is the loop here, so a call does not switch threads.
// - Compute: `reply` asks the session (`ServerSession`) for the reply.
// - Write: `connection.write` passes the bytes to the kernel, and suspends the task while the unsent bytes exceed the
//   high-water mark. It also suspends the task for one iteration after the loop's tasks have written 256 KiB without
//   waiting, so that the loop can do its other work.
// - Close: when the client has sent FIN, `flush` waits until the kernel has accepted all replies. `LoopWorker.close`
//   then calls `uv_close`.

extension ServerModel {
    /// One task per client, on a libuv loop.
    public static let async = ServerModel(
        name: "async", summary: "one thread, a task per client, the libuv loop as the executor", family: .loop,
        sources: ["Server/Servers/Models/AsyncServer"]
    ) { LoopServer($0, loopCount: 1, AsyncModel(), $1) }
}

/// Serves each connection of a loop with a task.
struct AsyncModel: LoopModel {
    /// Listens, and starts a task for each client that connects.
    ///
    /// When a drain closes the listener, `serve` accepts no more clients, and returns when all its tasks have ended.
    func listen(on worker: LoopWorker) throws(UVError) -> SocketAddress {
        let connections = try UVIncomingConnections(
            of: worker.listener, backlog: worker.operations.configuration.backlog,
            highWaterMark: worker.operations.waterMarks.high
        ) { [unowned worker] error in worker.acceptFailed(error) }
        worker.loop.task {
            do throws(UVError) {
                try await connections.serve { connection in try await AsyncClient.serve(connection, worker) }
            } catch { worker.reject(.failure, "\(error)") }
        }
        return connections.localAddress
    }

    /// Serves a connection that had arrived when a drain began, but that `serve` had not accepted.
    func begin(_ stream: UVTCPStream, on worker: LoopWorker) throws(UVError) {
        let connection = try UVConnection(stream, highWaterMark: worker.operations.waterMarks.high)
        worker.loop.task {
            try await connection.closing { connection in try await AsyncClient.serve(connection, worker) }
        }
    }
}

/// The conversation with one client, in a separate task.
///
/// The periodic sweep also uses the conversation's state.
private final class AsyncClient: LoopConnection, @unchecked Sendable {
    // The stream refers to this object as its context, and this object refers to the stream through the connection.
    // This reference cycle ends when the stream closes, because the stream then releases its context.
    private let connection: UVConnection
    private let worker: LoopWorker
    private var isGreeted = false

    private init(_ number: UInt32, _ session: ServerSession, _ connection: UVConnection, _ worker: LoopWorker) {
        self.connection = connection
        self.worker = worker
        super.init(number, session, measures: worker.operations.measures)
    }

    // Before the greeting is written, the result is 1, although no byte has been read. A sweep sends FIN only if the
    // result is 0, so a drain cannot send FIN before the greeting.
    override var receivedByteCount: Int { isGreeted ? connection.receivedByteCount : 1 }

    /// Serves a connection until the client is done.
    ///
    /// - Throws: the connection's error, for example `connectionReset` if the peer has reset the connection, or
    ///   `cancelled` if the server has closed the connection because of a limit or a drain.
    static nonisolated(nonsending) func serve(_ connection: UVConnection, _ worker: LoopWorker) async throws(UVError) {
        do throws(UVError) { try await talk(connection, worker) } catch {
            worker.report(error)
            throw error
        }
    }

    @inline(__always)
    static nonisolated(nonsending) func talk(_ connection: UVConnection, _ worker: LoopWorker) async throws(UVError) {
        let stream = connection.stream
        guard let (number, session) = worker.admit(stream) else { return stream.close() }
        let client = AsyncClient(number, session, connection, worker)
        stream.context = client
        defer { worker.close(client, stream) }
        // A drain may have begun since the connection was accepted.
        worker.joinDrain(client, stream)
        // During a drain, the session is already in the phase `draining`.
        if client.session.phase != .awaitingProxyHeader { try await client.greet(stream) }
        while let input = try await connection.read() {
            var next = ServerSession.Reply.send
            let output = input.withBytes { client.reply(to: $0, on: stream, &next) }
            if next == .send {
                try await connection.write(output)
            } else {
                try await client.finish(next, output, input, on: stream)
            }
            if stream.writeQueueSize != client.bufferedByteCount { worker.bufferChanged(client, stream) }
        }
        let decision = client.update { $0.endOfStream(bufferedByteCount: stream.writeQueueSize) }
        if decision == .keep { try await connection.flush() }
    }

    private nonisolated(nonsending) func greet(_ stream: UVStream) async throws(UVError) {
        try await connection.write(stream.makeBuffer(capacity: 1) { session.greet(into: &$0) })
        isGreeted = true
    }

    /// Carries out the session's decisions about a reply, except `send`, which the caller carries out.
    private nonisolated(nonsending) func finish(
        _ next: ServerSession.Reply, _ reply: consuming UVBuffer, _ input: borrowing UVBuffer, on stream: UVStream
    ) async throws(UVError) {
        switch next {
        case .send: break
        case .sendThenShutDown:
            worker.cork(stream)
            try await connection.write(reply)
            worker.shutDown(self, stream)
        case .discard: worker.dropped(input.count)
        case .parseHeader:
            guard let count = input.withBytes({ worker.receiveHeader($0, self, stream) }) else { return }
            try await greet(stream)
            var next = ServerSession.Reply.send
            try await connection.write(
                input.withBytes { self.reply(to: $0.extracting(droppingFirst: count), on: stream, &next) })
        }
    }

    /// Computes the reply with the session, and records its latency if the server measures latencies.
    ///
    /// The latency is recorded before the write, because the write may suspend the task until a later iteration.
    @inline(__always)
    private func reply(to bytes: Span<UInt8>, on stream: UVStream, _ next: inout ServerSession.Reply) -> UVBuffer {
        if measures { worker.operations.counters.iterationBegan() }
        let before = measures ? session : nil
        let reply = stream.makeBuffer(capacity: bytes.count) { output in
            next = update {
                $0.receive(
                    bytes, into: &output, unreadByteCount: connection.receivedByteCount + stream.unreadByteCount)
            }
        }
        if let before { worker.operations.replied(to: bytes, before) }
        return reply
    }
}
