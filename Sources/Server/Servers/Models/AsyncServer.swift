internal import IncrementProtocol
internal import LibUV

// One thread and one libuv loop serve any number of clients, each with a task. The code of a conversation reads from
// top to bottom, as in the sequential server: greet, then read, reply and write until the client is done. If no bytes
// are available, a read suspends its task. The loop is also the executor of all tasks, so it runs other tasks in the
// meantime. A libuv callback later resumes the suspended task. Nothing blocks, and no task moves to another thread. The
// model has the limits of one loop: a long computation delays every client, and one thread uses one processor. In
// addition, each message costs a suspension and each client costs a task.
//
// - Wait and accept: as in `LibUVServer.swift`. `AsyncModel.begin` starts a task for each accepted client.
// - Read: `connection.read` returns the received bytes, or suspends the task until libuv has received bytes.
// - Compute: `reply` asks the session.
// - Write: `connection.write` calls `uv_write`, and suspends the task while too many bytes are unsent.
// - Close: at the end of the task, `LoopWorker.close` calls `uv_close`.

extension ServerModel {
    /// One task per client, on a libuv loop.
    public static let async = ServerModel(
        name: "async", summary: "one thread, a task per client, the libuv loop as the executor", family: .loop,
        sources: ["Server/Servers/Models/AsyncServer"]
    ) { LoopServer($0, loopCount: 1, AsyncModel(), $1) }
}

/// Serves each connection of a loop with a task.
struct AsyncModel: LoopModel {
    func begin(_ stream: UVTCPStream, on worker: LoopWorker) throws(UVError) {
        guard let (number, session) = worker.admit(stream) else { return stream.close() }
        let client = AsyncClient(number, session, measures: worker.operations.measures)
        stream.context = client
        let connection = try UVConnection(stream, highWaterMark: worker.operations.waterMarks.high)
        client.connection = connection
        Conversation(with: client, connection, worker).assumeIsolated { $0.begin() }
    }
}

/// The state of a connection that a task serves, for use by the periodic sweep.
private final class AsyncClient: LoopConnection, @unchecked Sendable {
    // The stream refers to this object as its context, and this object refers to the stream through the connection.
    // This reference cycle ends when the stream closes, because the stream then releases its context.
    var connection: UVConnection?
    var isGreeted = false

    override var receivedByteCount: Int { isGreeted ? connection?.receivedByteCount ?? 0 : 1 }
}

/// The conversation with one client: an actor that runs on the loop. One task serves the client.
private actor Conversation: UVActor {
    nonisolated let loop: UVLoop
    private let client: AsyncClient
    private let connection: UVConnection
    private let stream: UVStream
    private let worker: LoopWorker

    init(with client: AsyncClient, _ connection: UVConnection, _ worker: LoopWorker) {
        loop = connection.loop
        self.client = client
        self.connection = connection
        stream = connection.stream
        self.worker = worker
    }

    /// Starts the task.
    func begin() {
        Task {
            // Only a reset by the peer ends a conversation early.
            try? await connection.attendingToCancellation { _ in try await serve() }
            worker.close(client, stream)
        }
    }

    private func serve() async throws(UVError) {
        // A drain may have begun since the connection was accepted.
        if client.session.phase != .awaitingProxyHeader { try await greet() }
        while let input = try await connection.read() {
            var next = ServerSession.Reply.send
            let output = client.measures ? measuredReply(to: input, &next) : reply(to: input, &next)
            if next == .send { try await connection.write(output) } else { try await finish(next, output, input) }
            if stream.writeQueueSize != client.bufferedByteCount {
                worker.bufferChanged(client, stream)
            }
        }
        let decision = client.update { $0.endOfStream(bufferedByteCount: stream.writeQueueSize) }
        if decision == .keep { try await connection.flush() }
    }

    private func greet() async throws(UVError) {
        try await connection.write(stream.makeBuffer(capacity: 1) { client.session.greet(into: &$0) })
        client.isGreeted = true
    }

    /// Carries out the session's decisions about a reply, except `send`, which the caller carries out.
    private func finish(
        _ next: ServerSession.Reply, _ reply: consuming UVBuffer, _ input: borrowing UVBuffer
    ) async throws(UVError) {
        switch next {
        case .send: break
        case .sendThenShutDown:
            worker.cork(stream)
            try await connection.write(reply)
            worker.shutDown(client, stream)
        case .discard: worker.dropped(input.count)
        case .parseHeader:
            guard let count = input.withBytes({ worker.receiveHeader($0, client, stream) }) else { return }
            try await greet()
            var next = ServerSession.Reply.send
            try await connection.write(measuredReply(to: input, behind: count, &next))
        }
    }

    /// Computes the reply with the session.
    ///
    /// - Parameter headerSize: the number of bytes at the start of the input that belong to a proxy's header.
    @inline(__always)
    private func reply(
        to input: borrowing UVBuffer, behind headerSize: Int = 0, _ next: inout ServerSession.Reply
    ) -> UVBuffer {
        input.withBytes { bytes in
            let bytes = bytes.extracting(droppingFirst: headerSize)
            return stream.makeBuffer(capacity: bytes.count) { output in
                next = client.update {
                    $0.receive(
                        bytes, into: &output,
                        unreadByteCount: connection.receivedByteCount + stream.unreadByteCount)
                }
            }
        }
    }

    /// Computes the reply and, if the server measures latencies, records the latency of the reply.
    ///
    /// The latency is recorded before the write, because the write may suspend the task until a later iteration.
    @inline(never)
    private func measuredReply(
        to input: borrowing UVBuffer, behind headerSize: Int = 0, _ next: inout ServerSession.Reply
    ) -> UVBuffer {
        worker.operations.counters.iterationBegan()
        let before = client.session
        let reply = self.reply(to: input, behind: headerSize, &next)
        input.withBytes { worker.operations.replied(to: $0.extracting(droppingFirst: headerSize), before) }
        return reply
    }
}
