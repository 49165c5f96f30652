internal import IncrementProtocol
internal import LibUV

// One thread, one libuv loop, one task for each client. A conversation is written from top to bottom, as in the
// sequential server: greet, then read, answer, write, until the client is done. Where a read has nothing to read the
// task suspends, and the loop, which is also the executor of all tasks, serves another; a callback of libuv makes it
// go on. Nothing blocks and nothing hops between threads. The model breaks where the others on one loop do, at a long
// computation and at one processor; beyond them, each message pays for a suspension, and each client for a task.

extension ServerModel {
    /// One task for each client, on a libuv loop.
    public static let async = ServerModel(
        name: "async", summary: "one thread, a task for each client on the libuv loop as its executor",
        sources: .loops("AsyncServer", handlesEvents: false)
    ) { LoopServer(configuration: $0, loopCount: 1, logger: $1) { AsyncConversations() } }
}

/// One client, served by a task of its own in an actor on the loop.
private actor AsyncConversation: UVActor {
    nonisolated let loop: UVLoop
    private let connection: UVConnection
    private let service: LoopService

    init(_ connection: UVConnection, _ service: LoopService) {
        loop = connection.loop
        self.connection = connection
        self.service = service
    }

    /// Begins the task, which calls `finished` when all is over.
    func begin(_ finished: @escaping @Sendable () -> Void) {
        Task {
            // What ends a conversation early is the peer's fault, and nobody else's concern.
            try? await connection.attendingToCancellation { _ in try await serve() }
            // The place is free before the client can know of the end, and come again.
            service.placeIsFree()
            await connection.close()
            finished()
            service.connectionClosed()
        }
    }

    private func serve() async throws(UVError) {
        var machine = ServerMachine()
        try await connection.write(greeting())
        while let input = try await connection.read() {
            try await connection.write(answer(to: input, by: &machine))
            service.noteBuffered(connection.stream.writeQueueSize)
        }
        try await connection.flush()
    }

    private func greeting() -> UVWriteBuffer {
        connection.stream.makeBuffer(capacity: 1) { ServerMachine().greet(into: &$0) }
    }

    private func answer(to input: borrowing UVWriteBuffer, by machine: inout ServerMachine) -> UVWriteBuffer {
        input.withBytes { bytes in
            connection.stream.makeBuffer(capacity: bytes.count) { output in machine.receive(bytes, into: &output) }
        }
    }
}

/// The conversations of a loop.
// @unchecked Sendable: made for one loop, and used on its thread.
private final class AsyncConversations: ConnectionServing, @unchecked Sendable {
    private var connections: [ObjectIdentifier: UVConnection] = [:]

    func begin(_ stream: UVTCPStream, for service: LoopService) throws(UVError) {
        let connection = try UVConnection(stream, highWaterMark: service.pauseThreshold)
        connections[ObjectIdentifier(stream)] = connection
        AsyncConversation(connection, service).assumeIsolated { conversation in
            conversation.begin { self.connections[ObjectIdentifier(connection.stream)] = nil }
        }
    }

    func unansweredByteCount(of stream: UVTCPStream) -> Int {
        connections[ObjectIdentifier(stream)]?.receivedByteCount ?? 0
    }
}
