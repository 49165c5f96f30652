// Fuzzes the session (`ServerSession`), which contains the rules for the life of a connection. A second implementation,
// the transition table from the tests (`ReferenceSession`), receives the same events. After each event, both
// implementations must have requested the same action, sent the same reply and reached the same state.
import IncrementProtocol

/// An implementation of the protocol that processes one byte at a time.
struct ScalarMachine {
    var isInMessage = false

    mutating func reply(_ byte: UInt8) -> UInt8? {
        if isInMessage, byte != 0x24 { return byte &+ 1 }
        isInMessage = !isInMessage && byte == 0x5E
        return nil
    }
}

/// The session under test and the reference session.
private struct Pair {
    var session: ServerSession
    var reference: ReferenceSession
    let marks = WaterMarks(limit: 250, readSize: 50)

    private func action(_ decision: ServerSession.Decision) -> ReferenceSession.Action {
        switch decision {
        case .keep: .keep
        case .shutDown: .shutDown
        case .close: .close
        }
    }

    /// Reports one event to both sessions, and compares the requested actions.
    mutating func take(_ event: ReferenceSession.Event, _ situation: ReferenceSession.Situation) {
        let expected = reference.take(event, situation, marks)
        var found = ReferenceSession.Action.keep
        switch event {
        case .headerEnded: session.proxyHeaderEnded()
        case .endOfStream: found = action(session.endOfStream(bufferedByteCount: situation.buffered))
        case .drain: found = action(session.beginDrain())
        case .shutDown: session.didShutDown()
        case .close: found = session.didClose() ? .closedFirst : .closedAgain
        case .sweep:
            found = action(
                session.sweep(
                    bufferedByteCount: situation.buffered, unreadByteCount: situation.unread, situation.activity))
        case .buffered: found = action(session.bufferChanged(to: situation.buffered, marks))
        case .bytes: return
        }
        precondition(found == expected, "\(event): \(found) instead of \(expected)")
    }

    /// Passes the same bytes to both sessions, and compares the replies and the requested actions.
    mutating func receive(_ bytes: [UInt8], unread: Int) {
        let expected = reference.take(bytes, unread: unread)
        var next = ServerSession.Reply.send
        let reply = [UInt8](capacity: bytes.count) { output in
            next = session.receive(bytes.span, into: &output, unreadByteCount: unread)
        }
        let action: ReferenceSession.Action =
            switch next {
            case .send: .send
            case .sendThenShutDown: .sendThenShutDown
            case .discard: .discard
            case .parseHeader: .parseHeader
            }
        precondition(reply == expected.reply && action == expected.action, "\(action) instead of \(expected.action)")
    }

    func check() {
        precondition(session.phase == reference.phase && session.mayRead == reference.mayRead)
        precondition(session.isInMessage == reference.isOpen)
    }
}

/// Interprets one input as events.
///
/// The first byte of an event selects its kind, and the next three bytes are its parameters.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = ArraySlice(UnsafeBufferPointer(start: start, count: min(count, 4096)))
    guard let first = input.popFirst() else { return 0 }
    var pair = Pair(
        session: ServerSession(awaitsProxyHeader: first & 1 == 1),
        reference: ReferenceSession(phase: first & 1 == 1 ? .awaitingProxyHeader : .serving))
    while input.count >= 4 {
        let values = Array(input.prefix(4))
        input = input.dropFirst(4)
        let event = ReferenceSession.Event.allCases[Int(values[0]) % ReferenceSession.Event.allCases.count]
        if event == .bytes {
            let bytes = Array(input.prefix(Int(values[1]) % 32))
            input = input.dropFirst(bytes.count)
            pair.receive(bytes, unread: Int(values[2] & 1))
        } else {
            var situation = ReferenceSession.Situation()
            situation.buffered = Int(values[1])
            situation.unread = Int(values[2] & 1)
            if values[2] & 2 != 0 {
                situation.activity = PeerActivity(
                    sinceReceived: .milliseconds(Int(values[3]) * 2),
                    sinceAcknowledged: .milliseconds(Int(values[1]) * 2),
                    hasShutDown: values[2] & 4 != 0, hasAcknowledgedShutdown: values[2] & 8 != 0)
            }
            pair.take(event, situation)
        }
        pair.check()
    }
    return 0
}
