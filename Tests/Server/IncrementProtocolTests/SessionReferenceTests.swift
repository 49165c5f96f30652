import Conversations
import IncrementProtocol
import Testing

/// Compares `ServerSession` with `ReferenceSession` on one million pseudorandom events.
///
/// The events are the same in every run.
@Suite(.serialized) struct SessionReferenceTests {
    private static let marks = WaterMarks(limit: 1000, readSize: 300)

    /// A source of small random numbers.
    ///
    /// It takes several small numbers from each 64-bit random number.
    private struct Choices {
        private var generator: SeededGenerator
        private var bits: UInt64 = 0
        init(seed: Int) { generator = SeededGenerator(seed: UInt64(seed) + 1) }

        mutating func next(below count: UInt64) -> Int {
            if bits < 1 << 32 { bits = generator.next() }
            defer { bits /= count }
            return Int(truncatingIfNeeded: bits % count)
        }
    }

    @Test(arguments: 0..<100) func everyStepAgrees(_ seed: Int) {
        var choices = Choices(seed: seed)
        var session = ServerSession()
        var reference = ReferenceSession(phase: .serving)
        var phases: Set<ServerSession.Phase> = []
        for step in 0..<10_000 {
            // Starts a new session after 40 events on average.
            if choices.next(below: 40) == 0 {
                let awaits = choices.next(below: 2) == 0
                session = ServerSession(awaitsProxyHeader: awaits)
                reference = ReferenceSession(phase: awaits ? .awaitingProxyHeader : .serving)
            }
            let event = Self.events[choices.next(below: UInt64(Self.events.count))]
            let situation = Self.situation(&choices)
            let agrees =
                event == .bytes
                ? Self.receive(&session, &reference, situation, &choices)
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

    private static let events = ReferenceSession.Event.allCases
    private static let buffered = [0, 0, 0, 1, 349, 350, 351, 700, 701, 1000]
    private static let times: [Duration] = [0, 49, 50, 249, 250].map { .milliseconds($0) }
    private static let bytes: [UInt8] = [0x5E, 0x24, 0x61, 0xFF]

    private static func situation(_ choices: inout Choices) -> ReferenceSession.Situation {
        var situation = ReferenceSession.Situation()
        situation.buffered = buffered[choices.next(below: 10)]
        situation.unread = max(0, choices.next(below: 12) - 8)
        if choices.next(below: 8) == 0 { return situation }
        situation.activity = PeerActivity(
            sinceReceived: times[choices.next(below: 5)], sinceAcknowledged: times[choices.next(below: 5)],
            hasShutDown: choices.next(below: 2) == 0, hasAcknowledgedShutdown: choices.next(below: 2) == 0)
        return situation
    }

    private static func receive(
        _ session: inout ServerSession, _ reference: inout ReferenceSession, _ situation: ReferenceSession.Situation,
        _ choices: inout Choices
    ) -> Bool {
        let input = (0...choices.next(below: 6)).map { _ in bytes[choices.next(below: 4)] }
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
