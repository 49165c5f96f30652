import IncrementProtocol
import Testing

/// Random sequences of events, given to the session and to `ReferenceSession`: a million steps, the same in every run.
@Suite struct SessionReferenceTests {
    private static let marks = WaterMarks(limit: 1000, readSize: 300)

    @Test(arguments: 0..<10) func everyStepAgrees(_ seed: Int) {
        var generator = SeededGenerator(seed: UInt64(seed) + 1)
        var session = ServerSession()
        var reference = ReferenceSession(phase: .serving)
        var phases: Set<ServerSession.Phase> = []
        for step in 0..<100_000 {
            // Sessions live for a few dozen events.
            if Int.random(in: 0..<40, using: &generator) == 0 {
                let awaits = Bool.random(using: &generator)
                session = ServerSession(awaitsProxyHeader: awaits)
                reference = ReferenceSession(phase: awaits ? .awaitingProxyHeader : .serving)
            }
            let event = ReferenceSession.Event.allCases.randomElement(using: &generator) ?? .bytes
            let situation = Self.situation(&generator)
            let agrees =
                event == .bytes
                ? Self.receive(&session, &reference, situation, &generator)
                : Self.take(event, &session, situation) == reference.take(event, situation, Self.marks)
            guard agrees, session.phase == reference.phase, session.isInMessage == reference.isOpen,
                session.mayRead == reference.mayRead
            else {
                Issue.record("step \(step): \(event) led to \(session.phase), expected \(reference.phase)")
                return
            }
            phases.insert(session.phase)
        }
        #expect(phases.count == 6, "every phase is reached")
    }

    private static func situation(_ generator: inout SeededGenerator) -> ReferenceSession.Situation {
        var situation = ReferenceSession.Situation()
        if Bool.random(using: &generator) {
            situation.buffered = [1, 349, 350, 351, 700, 701, 1000].randomElement(using: &generator) ?? 0
        }
        if Int.random(in: 0..<4, using: &generator) == 0 { situation.unread = Int.random(in: 1...9, using: &generator) }
        if Int.random(in: 0..<8, using: &generator) != 0 {
            let times: [Duration] = [
                .zero, .milliseconds(49), .milliseconds(50), .milliseconds(249), .milliseconds(250),
            ]
            situation.activity = PeerActivity(
                sinceReceived: times.randomElement(using: &generator) ?? .zero,
                sinceAcknowledged: times.randomElement(using: &generator) ?? .zero,
                hasShutDown: Bool.random(using: &generator), hasAcknowledgedShutdown: Bool.random(using: &generator))
        }
        return situation
    }

    private static func receive(
        _ session: inout ServerSession, _ reference: inout ReferenceSession, _ situation: ReferenceSession.Situation,
        _ generator: inout SeededGenerator
    ) -> Bool {
        let alphabet: [UInt8] = [0x5E, 0x24, 0x61, 0xFF]
        let input = (0..<Int.random(in: 1...20, using: &generator)).map { _ in
            alphabet.randomElement(using: &generator) ?? 0
        }
        let actual = ServerSessionTests.receive(input, &session, unread: situation.unread)
        let expected = reference.take(input, unread: situation.unread)
        return action(actual.next) == expected.action && actual.reply == expected.reply
    }

    private static func take(
        _ event: ReferenceSession.Event, _ session: inout ServerSession, _ situation: ReferenceSession.Situation
    ) -> ReferenceSession.Action {
        switch event {
        case .headerEnded:
            session.proxyHeaderEnded()
            return .keep
        case .shutDown:
            session.didShutDown()
            return .keep
        case .close: return session.didClose() ? .closedFirst : .closedAgain
        case .endOfStream: return action(session.endOfStream(bufferedByteCount: situation.buffered))
        case .drain: return action(session.beginDrain())
        case .buffered: return action(session.bufferChanged(to: situation.buffered, marks))
        case .sweep:
            return action(
                session.sweep(
                    bufferedByteCount: situation.buffered, unreadByteCount: situation.unread, situation.activity))
        case .bytes: return .keep
        }
    }

    private static func action(_ decision: ServerSession.Decision) -> ReferenceSession.Action {
        switch decision {
        case .keep: .keep
        case .shutDown: .shutDown
        case .close: .close
        }
    }

    private static func action(_ reply: ServerSession.Reply) -> ReferenceSession.Action {
        switch reply {
        case .send: .send
        case .sendThenShutDown: .sendThenShutDown
        case .discard: .discard
        case .parseHeader: .parseHeader
        }
    }
}
