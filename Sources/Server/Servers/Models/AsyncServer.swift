internal import IncrementProtocol
internal import LibUV
internal import ProxyProtocol

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
    private let number: UInt32
    private let isForwarded: Bool
    private var machine = ServerMachine()
    /// Whether this side has ended.
    private var hasEnded = false
    private var hasGreeted = false
    /// How many bytes of answers the service counts as held for this client.
    private var held = 0

    init(_ connection: UVConnection, number: UInt32, isForwarded: Bool, _ service: LoopService) {
        loop = connection.loop
        self.connection = connection
        self.number = number
        self.isForwarded = isForwarded
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
            if held > 0 { hold(0) }
            finished()
            service.connectionClosed(number)
        }
    }

    private func serve() async throws(UVError) {
        var first = isForwarded ? try await clientBytes() : nil
        if isForwarded, first == nil { return }
        try await connection.write(greeting())
        hasGreeted = true
        while let input = try await next(after: &first) {
            if service.isAttentive {
                try await answerAttentively(input)
            } else {
                try await connection.write(answer(to: input))
            }
            service.noteBuffered(connection.stream.writeQueueSize)
            if service.countsHeld { hold(connection.stream.writeQueueSize) }
        }
        try await connection.flush()
    }

    /// Counts what waits among that of all clients.
    private func hold(_ waiting: Int) {
        guard service.hold(waiting - held) else { return service.endForWantOfRoom(connection.stream, number) }
        held = waiting
    }

    /// The bytes that came with what has been read before, or those that come.
    private func next(after first: inout UVWriteBuffer?) async throws(UVError) -> UVWriteBuffer? {
        if let buffer = first.take() { return buffer }
        return try await connection.read()
    }

    /// Reads the header of a proxy.
    ///
    /// - Returns: what has come behind it; `nil` where there is no good header.
    private func clientBytes() async throws(UVError) -> UVWriteBuffer? {
        guard let stream = connection.stream as? UVTCPStream else { return nil }
        service.awaitHeader(on: stream, number)
        var parser = ProxyHeaderParser()
        while var input = try await connection.read() {
            switch input.withBytes({ parser.receive($0) }) {
            case .incomplete: service.dropped(input.count)
            case .malformed(let error):
                service.end(stream, number, because: TrustedProxies.end(error))
                return nil
            case .complete(let header, let count):
                service.dropped(count)
                service.headerCame(number, header, from: stream)
                input.removeFirst(count)
                return input
            }
        }
        return nil
    }

    private func greeting() -> UVWriteBuffer {
        connection.stream.makeBuffer(capacity: 1) { ServerMachine().greet(into: &$0) }
    }

    private func answer(to input: borrowing UVWriteBuffer) -> UVWriteBuffer {
        var machine = self.machine
        defer { self.machine = machine }
        return input.withBytes { bytes in
            connection.stream.makeBuffer(capacity: bytes.count) { output in machine.receive(bytes, into: &output) }
        }
    }

    /// Answers while the server drains or measures.
    private func answerAttentively(_ input: consuming UVWriteBuffer) async throws(UVError) {
        // What comes after the end of this side is dropped.
        if hasEnded { return service.dropped(input.count) }
        service.willAnswer()
        let closed = input.withBytes { machine.messageCount(closedBy: $0) }
        let answer = answer(to: input)
        let isLast =
            connection.receivedByteCount == 0
            && service.isLastAnswer(on: connection.stream, isInMessage: machine.isInMessage)
        try await connection.write(answer)
        service.hasAnswered(messages: closed)
        if isLast, connection.stream.writeQueueSize == 0 { endThisSide() }
    }

    /// The service looks at all connections.
    func attended() {
        if held > 0 { hold(connection.stream.writeQueueSize) }
        let view = ConnectionView(
            number: number, isInMessage: machine.isInMessage, hasEnded: hasEnded,
            unansweredByteCount: hasGreeted || isForwarded ? connection.receivedByteCount : 1)
        if service.attend(to: connection.stream, view) { endThisSide() }
    }

    private func endThisSide() {
        hasEnded = true
        service.endThisSide(of: connection.stream)
    }
}

/// The conversations of a loop.
// @unchecked Sendable: made for one loop, and used on its thread.
private final class AsyncConversations: ConnectionServing, @unchecked Sendable {
    private var conversations: [ObjectIdentifier: AsyncConversation] = [:]

    func begin(
        _ stream: UVTCPStream, number: UInt32, isForwarded: Bool, for service: LoopService
    ) throws(UVError) {
        let connection = try UVConnection(stream, highWaterMark: service.pauseThreshold)
        let conversation = AsyncConversation(connection, number: number, isForwarded: isForwarded, service)
        conversations[ObjectIdentifier(stream)] = conversation
        conversation.assumeIsolated { conversation in
            conversation.begin { self.conversations[ObjectIdentifier(connection.stream)] = nil }
        }
    }

    func attend(to stream: UVTCPStream, for service: LoopService) {
        guard let conversation = conversations[ObjectIdentifier(stream)] else { return }
        conversation.assumeIsolated { $0.attended() }
    }
}
