import IncrementProtocol

/// A second implementation of a session's rules, written as a table and independent of `ServerSession`.
struct ReferenceSession {
    /// An event that a model reports to a session.
    enum Event: CaseIterable {
        case headerEnded, endOfStream, drain, shutDown, close, sweep, buffered, bytes
    }

    /// An action that a session requests.
    enum Action {
        case keep, shutDown, close, send, sendThenShutDown, discard, parseHeader, closedFirst, closedAgain
    }

    /// The state outside the session that can affect the result of an event.
    struct Situation {
        var buffered = 0
        var unread = 0
        /// The peer's activity, or `nil` if the kernel does not report it.
        var activity: PeerActivity?
    }

    typealias Phase = ServerSession.Phase

    var phase: Phase
    var isOpen = false
    var isPaused = false

    /// A transition.
    ///
    /// It applies to an event if the phase and the condition match.
    private struct Row: Sendable {
        let phases: [Phase]
        let event: Event
        let condition: @Sendable (ReferenceSession, Situation) -> Bool
        let next: Phase?
        let action: Action
    }

    @Sendable private static func always(_: ReferenceSession, _: Situation) -> Bool { true }

    /// The rows of the table.
    ///
    /// The first matching row applies.
    ///
    /// An event without a matching row changes nothing.
    private static let rows: [Row] = [
        Row(phases: [.awaitingProxyHeader], event: .headerEnded, condition: always, next: .serving, action: .keep),
        Row(
            phases: [.awaitingProxyHeader, .discarding], event: .endOfStream, condition: always, next: nil,
            action: .close),
        Row(
            phases: [.serving, .draining], event: .endOfStream, condition: { $1.buffered > 0 }, next: .flushing,
            action: .keep),
        Row(phases: [.serving, .draining], event: .endOfStream, condition: always, next: nil, action: .close),
        Row(phases: [.awaitingProxyHeader], event: .drain, condition: always, next: nil, action: .close),
        Row(phases: [.serving], event: .drain, condition: always, next: .draining, action: .keep),
        Row(phases: [.draining], event: .shutDown, condition: always, next: .discarding, action: .keep),
        Row(phases: [.flushing], event: .buffered, condition: { $1.buffered == 0 }, next: nil, action: .close),
        Row(
            phases: [.draining], event: .sweep,
            condition: { session, situation in
                if situation.buffered > 0 || situation.unread > 0 { return false }
                guard let activity = situation.activity else { return !session.isOpen }
                return session.isOpen ? activity.hasShutDown : activity.sinceReceived >= .milliseconds(50)
            }, next: nil, action: .shutDown),
        Row(
            phases: [.discarding], event: .sweep,
            condition: { _, situation in
                guard let activity = situation.activity else { return true }
                return activity.hasAcknowledgedShutdown && activity.sinceReceived >= .milliseconds(250)
                    && activity.sinceAcknowledged >= .milliseconds(250)
            }, next: nil, action: .close),
    ]

    /// Processes an event, and returns the requested action.
    mutating func take(_ event: Event, _ situation: Situation, _ marks: WaterMarks) -> Action {
        if event == .close {
            defer { phase = .closed }
            return phase == .closed ? .closedAgain : .closedFirst
        }
        if event == .buffered, phase != .flushing {
            if situation.buffered > marks.high { isPaused = true }
            if situation.buffered <= marks.low { isPaused = false }
        }
        for row in ReferenceSession.rows
        where row.event == event && row.phases.contains(phase) && row.condition(self, situation) {
            if let next = row.next { phase = next }
            return row.action
        }
        return .keep
    }

    /// Processes the bytes one at a time, and returns the reply and the requested action.
    mutating func take(_ bytes: [UInt8], unread: Int) -> (reply: [UInt8], action: Action) {
        if phase == .awaitingProxyHeader { return ([], .parseHeader) }
        guard phase == .serving || phase == .draining else { return ([], .discard) }
        var machine = ScalarMachine(isInMessage: isOpen)
        let reply = bytes.compactMap { machine.reply($0) }
        isOpen = machine.isInMessage
        return (reply, phase == .draining && !isOpen && unread == 0 ? .sendThenShutDown : .send)
    }

    var mayRead: Bool { !isPaused && phase != .flushing && phase != .closed }
}
