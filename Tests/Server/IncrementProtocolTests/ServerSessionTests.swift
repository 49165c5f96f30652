import Conversations
import IncrementProtocol
import Testing

/// Tests of each transition in the table of `ServerSession`, without a socket.
@Suite(.serialized) struct ServerSessionTests {
    typealias Phase = ServerSession.Phase

    static let phases: [Phase] = [.awaitingProxyHeader, .serving, .draining, .discarding, .flushing, .closed]

    /// Makes a session, and drives it to `phase` with events.
    static func session(in phase: Phase, isInMessage: Bool = false) -> ServerSession {
        if phase == .awaitingProxyHeader { return ServerSession(awaitsProxyHeader: true) }
        var session = ServerSession()
        if isInMessage { _ = receive("^", &session) }
        switch phase {
        case .awaitingProxyHeader, .serving: break
        case .draining: _ = session.beginDrain()
        case .discarding:
            _ = session.beginDrain()
            session.didShutDown()
        case .flushing: _ = session.endOfStream(bufferedByteCount: 1)
        case .closed: _ = session.didClose()
        }
        #expect(session.phase == phase)
        return session
    }

    /// Passes bytes to a session.
    ///
    /// - Returns: the reply, the requested action, and whether the session asked for the number of unread bytes.
    @discardableResult
    static func receive(
        _ input: [UInt8], _ session: inout ServerSession, unread: Int = 0
    ) -> (reply: [UInt8], next: ServerSession.Reply, asked: Bool) {
        var asked = false
        var next = ServerSession.Reply.send
        let reply = [UInt8](capacity: input.count) { output in
            let count = {
                asked = true; return unread
            }
            next = session.receive(input.span, into: &output, unreadByteCount: count())
        }
        return (reply, next, asked)
    }

    @discardableResult
    static func receive(
        _ input: String, _ session: inout ServerSession, unread: Int = 0
    ) -> (reply: String, next: ServerSession.Reply, asked: Bool) {
        let outcome = receive(Array(input.utf8), &session, unread: unread)
        return (String(decoding: outcome.reply, as: UTF8.self), outcome.next, outcome.asked)
    }

    private func activity(
        silent: Int = 0, acknowledged: Int = 0, hasShutDown: Bool = false, finAcknowledged: Bool = false
    ) -> PeerActivity {
        PeerActivity(
            sinceReceived: .milliseconds(silent), sinceAcknowledged: .milliseconds(acknowledged),
            hasShutDown: hasShutDown, hasAcknowledgedShutdown: finAcknowledged)
    }

    // MARK: Bytes

    @Test func aNewSessionServesAndGreets() {
        let session = ServerSession()
        #expect(session.phase == .serving)
        #expect(session.mayRead)
        #expect(!session.isInMessage)
        let greeting = [UInt8](capacity: 1) { session.greet(into: &$0) }
        #expect(greeting == [ServerMachine.greeting])
    }

    @Test func servingRepliesAndDoesNotAskForUnreadBytes() {
        var session = ServerSession()
        let outcome = Self.receive("^ab", &session)
        #expect(outcome.reply == "bc")
        #expect(outcome.next == .send)
        #expect(!outcome.asked)
        #expect(session.isInMessage)
    }

    @Test func drainingSendsFINWithAReplyIfNoBytesAreUnread() {
        var session = Self.session(in: .draining)
        let first = Self.receive("^a$", &session, unread: 1)
        #expect(first.next == .send)
        #expect(first.asked)
        let last = Self.receive("^b$", &session)
        #expect(last.reply == "c")
        #expect(last.next == .sendThenShutDown)
        // The phase changes only at `didShutDown`, because a model may have to wait before it can send the reply.
        #expect(session.phase == .draining)
        session.didShutDown()
        #expect(session.phase == .discarding)
    }

    @Test func anOpenMessageIsAllowedToFinish() {
        var session = Self.session(in: .draining, isInMessage: true)
        let open = Self.receive("a", &session)
        #expect(open.reply == "b")
        #expect(open.next == .send)
        // The message is still open, so more bytes must follow. The session need not ask for the unread bytes.
        #expect(!open.asked)
        #expect(Self.receive("b$", &session).next == .sendThenShutDown)
    }

    @Test(arguments: [Phase.discarding, .flushing, .closed]) func bytesAreDiscarded(_ phase: Phase) {
        var session = Self.session(in: phase)
        let outcome = Self.receive("^a$", &session)
        #expect(outcome.reply.isEmpty)
        #expect(outcome.next == .discard)
        #expect(!outcome.asked)
        #expect(session.phase == phase)
    }

    @Test func theBytesOfAProxyGoToItsParser() {
        var session = Self.session(in: .awaitingProxyHeader)
        let outcome = Self.receive("^a$", &session)
        #expect(outcome.reply.isEmpty)
        #expect(outcome.next == .parseHeader)
        session.proxyHeaderEnded()
        #expect(session.phase == .serving)
        #expect(Self.receive("^a$", &session).reply == "b")
    }

    @Test(arguments: Self.phases) func aProxyHeaderEndsOnlyWhileItIsAwaited(_ phase: Phase) {
        var session = Self.session(in: phase)
        session.proxyHeaderEnded()
        #expect(session.phase == (phase == .awaitingProxyHeader ? .serving : phase))
    }

    // MARK: End of stream and shutdown

    @Test(arguments: Self.phases) func anEndOfStreamClosesOrFlushes(_ phase: Phase) {
        for buffered in [0, 1, 1 << 20] {
            var session = Self.session(in: phase)
            let decision = session.endOfStream(bufferedByteCount: buffered)
            switch phase {
            case .serving, .draining:
                #expect(decision == (buffered == 0 ? .close : .keep))
                #expect(session.phase == (buffered == 0 ? phase : .flushing))
            case .awaitingProxyHeader, .discarding:
                #expect(decision == .close)
            case .flushing, .closed:
                #expect(decision == .keep)
                #expect(session.phase == phase)
            }
        }
    }

    @Test func aFlushedSessionCloses() {
        let marks = WaterMarks(limit: 1000, readSize: 100)
        var session = Self.session(in: .flushing)
        #expect(!session.mayRead)
        for (count, decision) in [(900, ServerSession.Decision.keep), (1, .keep), (0, .close)] {
            let decided = session.bufferChanged(to: count, marks)
            #expect(decided == decision)
        }
    }

    @Test(arguments: Self.phases) func aDrainBegins(_ phase: Phase) {
        var session = Self.session(in: phase)
        let decision = session.beginDrain()
        #expect(decision == (phase == .awaitingProxyHeader ? .close : .keep))
        if phase == .serving { #expect(session.phase == .draining) } else { #expect(session.phase == phase) }
    }

    @Test(arguments: Self.phases) func onlyADrainingSessionShutsDownItsWriteSide(_ phase: Phase) {
        var session = Self.session(in: phase)
        session.didShutDown()
        #expect(session.phase == (phase == .draining ? .discarding : phase))
    }

    @Test(arguments: Self.phases) func aSessionClosesOnce(_ phase: Phase) {
        var session = Self.session(in: phase)
        let wasOpen = session.didClose()
        #expect(wasOpen == (phase != .closed))
        #expect(session.phase == .closed)
        #expect(!session.mayRead)
        let again = session.didClose()
        #expect(!again)
    }

    @Test func theSessionOfAFreeRowIsClosed() {
        #expect(ServerSession.closed == Self.session(in: .closed))
    }

    // MARK: Back-pressure

    @Test(arguments: [1024, 64 << 10, 256 << 10, 1 << 20]) func readingPausesAndResumesAtTheMarks(_ limit: Int) {
        let readSize = min(128 << 10, limit / 2)
        let marks = WaterMarks(limit: limit, readSize: readSize)
        #expect(marks.high == limit - readSize)
        #expect(marks.low == marks.high / 2)
        var session = ServerSession()
        _ = session.bufferChanged(to: marks.high, marks)
        #expect(session.mayRead, "at the high-water mark, one more read stays within the limit")
        _ = session.bufferChanged(to: marks.high + 1, marks)
        #expect(!session.mayRead)
        _ = session.bufferChanged(to: marks.low + 1, marks)
        #expect(!session.mayRead, "between the marks, paused reading stays paused")
        _ = session.bufferChanged(to: marks.low, marks)
        #expect(session.mayRead)
        _ = session.bufferChanged(to: marks.high, marks)
        #expect(session.mayRead, "between the marks, reading continues")
    }

    @Test func aLimitBelowOneReadPausesWhileAnythingIsBuffered() {
        let marks = WaterMarks(limit: 10, readSize: 20)
        #expect(marks.high == 0)
        var session = ServerSession()
        _ = session.bufferChanged(to: 1, marks)
        #expect(!session.mayRead)
        _ = session.bufferChanged(to: 0, marks)
        #expect(session.mayRead)
    }

    @Test func readingStaysPausedWhenADrainBegins() {
        let marks = WaterMarks(limit: 1000, readSize: 100)
        var session = ServerSession()
        _ = session.bufferChanged(to: 901, marks)
        _ = session.beginDrain()
        #expect(!session.mayRead)
        _ = session.bufferChanged(to: 0, marks)
        #expect(session.mayRead)
    }

    // MARK: Sweeps

    @Test func aSweepShutsDownAQuietClientOnly() {
        let session = Self.session(in: .draining)
        func sweep(buffered: Int = 0, unread: Int = 0, silent: Int = 50) -> ServerSession.Decision {
            session.sweep(bufferedByteCount: buffered, unreadByteCount: unread, activity(silent: silent))
        }
        #expect(sweep() == .shutDown)
        #expect(sweep(silent: 49) == .keep)
        #expect(sweep(buffered: 1) == .keep)
        #expect(sweep(unread: 1) == .keep)
        #expect(session.sweep(bufferedByteCount: 0, unreadByteCount: 0, nil) == .shutDown)
    }

    @Test func aSweepLeavesAnOpenMessageUntilTheClientHasSentFIN() {
        let session = Self.session(in: .draining, isInMessage: true)
        #expect(session.sweep(bufferedByteCount: 0, unreadByteCount: 0, activity(silent: 10_000)) == .keep)
        #expect(session.sweep(bufferedByteCount: 0, unreadByteCount: 0, nil) == .keep)
        #expect(session.sweep(bufferedByteCount: 0, unreadByteCount: 0, activity(hasShutDown: true)) == .shutDown)
    }

    @Test func aSweepClosesADiscardingSessionAfterItsGrace() {
        let session = Self.session(in: .discarding)
        func sweep(silent: Int, acknowledged: Int, _ finAcknowledged: Bool = true) -> ServerSession.Decision {
            session.sweep(
                bufferedByteCount: 0, unreadByteCount: 0,
                activity(silent: silent, acknowledged: acknowledged, finAcknowledged: finAcknowledged))
        }
        #expect(sweep(silent: 250, acknowledged: 250) == .close)
        #expect(sweep(silent: 249, acknowledged: 250) == .keep)
        #expect(sweep(silent: 250, acknowledged: 249) == .keep)
        // The client has not acknowledged the FIN yet. The client may still send, so the server must not reset it.
        #expect(sweep(silent: 10_000, acknowledged: 10_000, false) == .keep)
        #expect(session.sweep(bufferedByteCount: 0, unreadByteCount: 0, nil) == .close)
    }

    @Test(arguments: [Phase.awaitingProxyHeader, .serving, .flushing, .closed]) func aSweepDoesNotChangeOtherPhases(
        _ phase: Phase
    ) {
        let session = Self.session(in: phase)
        let quiet = activity(silent: 10_000, acknowledged: 10_000, hasShutDown: true, finAcknowledged: true)
        var asked = false
        let count = {
            asked = true; return 0
        }
        let decision = session.sweep(bufferedByteCount: 0, unreadByteCount: count(), quiet)
        #expect(decision == .keep)
        #expect(!asked)
    }

    // MARK: Conversations

    /// Returns all positions in a conversation of up to 4 KiB, or a sample of the positions in a longer conversation.
    ///
    /// The stride of the sample is not a multiple of any vector's width.
    private func positions(in input: [UInt8]) -> StrideThrough<Int> {
        stride(from: 0, through: input.count, by: input.count > 8192 ? 1021 : input.count > 4096 ? 61 : 1)
    }

    @Test(arguments: Conversation.all) func everyConversationAtEveryCut(_ conversation: Conversation) {
        let (input, reply) = (conversation.input, conversation.reply)
        for cut in positions(in: input) {
            var session = ServerSession()
            let first = Self.receive(Array(input[..<cut]), &session)
            let second = Self.receive(Array(input[cut...]), &session)
            #expect(first.reply + second.reply == reply, "cut at \(cut)")
            #expect(first.next == .send && second.next == .send)
        }
    }

    /// A drain may begin at any position in a conversation.
    ///
    /// The session replies to every byte. It shuts down as soon as it has received a byte and no message is open.
    @Test(arguments: Conversation.all) func aDrainThatBeginsBeforeEveryByte(_ conversation: Conversation) {
        let input = conversation.input
        var before = ServerSession()
        var machineBefore = ScalarMachine()
        for begin in input.indices {
            defer {
                Self.receive([input[begin]], &before)
                _ = machineBefore.reply(input[begin])
            }
            // Conversations above 4 KiB are tested only at a sample of positions.
            if input.count > 4096, begin % 61 != 0 { continue }
            var session = before
            var machine = machineBefore
            let decision = session.beginDrain()
            #expect(decision == .keep)
            for byte in input[begin...].prefix(600) {
                let outcome = Self.receive([byte], &session)
                let expected = machine.reply(byte)
                guard outcome.reply == (expected.map { [$0] } ?? []),
                    outcome.next == (machine.isInMessage ? .send : .sendThenShutDown)
                else {
                    Issue.record("a drain before byte \(begin) led to \(outcome)")
                    return
                }
                if !machine.isInMessage { break }
            }
        }
    }

    @Test func messagesAreCountedWithoutChangingTheSession() {
        var session = ServerSession()
        #expect(session.messageCount(closedBy: Array("^a$^b$x^c".utf8).span) == 2)
        #expect(session.messageCount(closedBy: Array("$$$".utf8).span) == 0)
        Self.receive("^", &session)
        #expect(session.messageCount(closedBy: Array("$".utf8).span) == 1)
        #expect(session.isInMessage)
    }

    @Test func aSessionIsSmall() {
        #expect(MemoryLayout<ServerSession>.size <= 3, "a row of the epoll table must fit into eight bytes")
    }
}
