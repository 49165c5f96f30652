/// The server's side of one connection, from accept to close.
///
/// A session does no I/O and imports nothing. A model reports its observations as plain values, and performs the
/// actions that the session returns. The session contains every rule about the life of a connection: when the server
/// shuts down its write side, when the connection closes, and when reading pauses.
///
/// | phase                 | bytes arrive              | end of stream    | drain begins | sweep                      |
/// |-----------------------|---------------------------|------------------|--------------|----------------------------|
/// | `awaitingProxyHeader` | parse the header ¹        | close            | close        | keep                       |
/// | `serving`             | reply                     | flush, then close| → `draining` | keep                       |
/// | `draining`            | reply; FIN if the last ²  | flush, then close| –            | keep, or FIN ³             |
/// | `discarding`          | discard                   | close            | –            | keep, or close ⁴           |
/// | `flushing` ⁵          | discard                   | –                | –            | keep                       |
/// | `closed`              | discard                   | –                | –            | –                          |
///
/// 1. After the header, the model calls `proxyHeaderEnded`, and the phase becomes `serving`.
/// 2. A reply is treated as the last one if no message is open and the kernel holds no unread bytes. This is certain
///    for a client that waits for each reply before it sends the next message: when the server has read the message,
///    such a client has sent nothing more. After FIN, the model calls `didShutDown`, and the phase becomes
///    `discarding`.
/// 3. The sweep sends FIN if no byte is buffered or unread, and one of two conditions holds: no message is open and the
///    client has been silent for `quietPeriod`, or a message is open and the client has sent FIN. The second case is
///    rare, because a model usually reports the end of the stream first. After FIN, the phase becomes `discarding`.
/// 4. The sweep closes the connection if the client has acknowledged FIN, and has then been silent for `closeGrace`.
/// 5. `bufferChanged` closes the connection when no bytes are buffered.
@frozen
public struct ServerSession: BitwiseCopyable, Hashable, Sendable {
    /// The phase of a connection.
    @frozen
    public enum Phase: UInt8, BitwiseCopyable, Sendable {
        /// A trusted proxy still has to send its header.
        case awaitingProxyHeader
        /// The server reads bytes and replies to them.
        case serving
        /// The server is stopping: open messages are allowed to finish.
        case draining
        /// The server has sent FIN, and discards all bytes that arrive, so that no reset overtakes the replies.
        case discarding
        /// The client has sent FIN. The server sends the buffered replies, and then closes the connection.
        case flushing
        /// The connection has closed.
        case closed
    }

    /// What to do with the reply to received bytes.
    @frozen
    public enum Reply: Sendable {
        /// Send the reply.
        case send
        /// Send the reply and FIN in one segment; call `didShutDown` once the kernel has accepted both.
        case sendThenShutDown
        /// The bytes were discarded; there is no reply.
        case discard
        /// The bytes belong to a proxy's header; pass them to the parser of the header.
        case parseHeader
    }

    /// What to do with a connection.
    @frozen
    public enum Decision: Sendable {
        /// Nothing.
        case keep
        /// Shut down the write side, then call `didShutDown`.
        case shutDown
        /// Close the connection.
        case close
    }

    /// A draining server sends FIN to a client that has no message open and has been silent for this long.
    public static var quietPeriod: Duration { .milliseconds(50) }

    /// A draining server closes a connection if the client has acknowledged FIN and has been silent for this long.
    public static var closeGrace: Duration { .milliseconds(250) }

    /// The interval between sweeps of a draining server.
    public static var drainInterval: Duration { .milliseconds(10) }

    /// The phase of the connection.
    @inlinable public var phase: Phase { currentPhase }

    /// Whether a message is open.
    @inlinable public var isInMessage: Bool { machine.isInMessage }

    /// Whether to read bytes: true if the phase permits reading and back-pressure has not paused reading.
    @inlinable public var mayRead: Bool { !isPaused && currentPhase != .flushing && currentPhase != .closed }

    @usableFromInline var currentPhase: Phase
    @usableFromInline var machine = ServerMachine()
    @usableFromInline var isPaused = false

    /// Makes the session of an accepted connection.
    ///
    /// - Parameter awaitsProxyHeader: whether the peer is a proxy, which first sends a header with the client's
    ///   address.
    @inlinable
    public init(awaitsProxyHeader: Bool = false) { currentPhase = awaitsProxyHeader ? .awaitingProxyHeader : .serving }

    /// A closed session, for example for a free row in a table.
    public static var closed: ServerSession {
        var session = ServerSession()
        session.currentPhase = .closed
        return session
    }

    /// Appends the greeting, which a server sends before anything else.
    @inlinable
    public func greet(into output: inout OutputSpan<UInt8>) { machine.greet(into: &output) }

    /// Reports that the proxy's header is complete; all later bytes come from the client.
    public mutating func proxyHeaderEnded() { if currentPhase == .awaitingProxyHeader { currentPhase = .serving } }

    /// Processes bytes from the client, and appends the reply.
    ///
    /// - Parameters:
    ///   - input: the received bytes, at most as many as `output` has room for.
    ///   - output: the span to which the reply is appended.
    ///   - unreadByteCount: the number of bytes that have arrived but have not been read; evaluated only while
    ///     draining.
    @inlinable
    @inline(__always)
    public mutating func receive(
        _ input: Span<UInt8>, into output: inout OutputSpan<UInt8>, unreadByteCount: @autoclosure () -> Int
    ) -> Reply {
        if currentPhase == .serving {
            machine.receive(input, into: &output)
            return .send
        }
        guard currentPhase == .draining else {
            return currentPhase == .awaitingProxyHeader ? .parseHeader : .discard
        }
        machine.receive(input, into: &output)
        return !isInMessage && unreadByteCount() == 0 ? .sendThenShutDown : .send
    }

    /// Returns the number of messages that the session will close if it receives these bytes next.
    public func messageCount(closedBy input: Span<UInt8>) -> Int { machine.messageCount(closedBy: input) }

    /// Reports that the client has sent FIN; the server still sends the replies to all earlier bytes.
    ///
    /// - Parameter bufferedByteCount: the number of reply bytes that the kernel has not accepted.
    public mutating func endOfStream(bufferedByteCount: Int) -> Decision {
        switch currentPhase {
        case .serving, .draining:
            if bufferedByteCount == 0 { return .close }
            currentPhase = .flushing
            return .keep
        case .awaitingProxyHeader, .discarding: return .close
        case .flushing, .closed: return .keep
        }
    }

    /// Begins to drain.
    ///
    /// The decision is `close` if the proxy's header is not complete, because the connection has no client yet.
    public mutating func beginDrain() -> Decision {
        if currentPhase == .awaitingProxyHeader { return .close }
        if currentPhase == .serving { currentPhase = .draining }
        return .keep
    }

    /// Reports that the server has sent FIN.
    public mutating func didShutDown() { if currentPhase == .draining { currentPhase = .discarding } }

    /// Reports that the connection has closed.
    ///
    /// - Returns: whether the connection was open. The caller releases the slot only if the result is true.
    public mutating func didClose() -> Bool {
        defer { currentPhase = .closed }
        return currentPhase != .closed
    }

    /// Applies back-pressure after the number of buffered reply bytes has changed.
    ///
    /// Reading pauses above the high-water mark and resumes at the low-water mark; see `mayRead`. `async` and the
    /// blocking models do not call this function, because they do not need it. `async` passes the high-water mark to
    /// `UVConnection`, whose `write` suspends the task. A blocking model waits in `send`, and buffers at most one
    /// reply. All other models call this function.
    ///
    /// - Returns: `.close` if the client has sent FIN and all replies have been sent.
    public mutating func bufferChanged(to bufferedByteCount: Int, _ marks: WaterMarks) -> Decision {
        if currentPhase == .flushing { return bufferedByteCount == 0 ? .close : .keep }
        if bufferedByteCount > marks.high {
            isPaused = true
        } else if bufferedByteCount <= marks.low {
            isPaused = false
        }
        return .keep
    }

    /// Decides what to do with a connection during a periodic sweep.
    ///
    /// - Parameters:
    ///   - bufferedByteCount: the number of reply bytes that the kernel has not accepted.
    ///   - unreadByteCount: the number of bytes that have arrived but have not been read; evaluated only while
    ///     draining.
    ///   - activity: the kernel's report. If the report is `nil`, the session waits only until open messages have
    ///     finished.
    public func sweep(
        bufferedByteCount: Int, unreadByteCount: @autoclosure () -> Int, _ activity: PeerActivity?
    ) -> Decision {
        switch currentPhase {
        case .draining:
            guard bufferedByteCount == 0, unreadByteCount() == 0 else { return .keep }
            let isDone = isInMessage ? activity?.hasShutDown : activity.map { $0.sinceReceived >= Self.quietPeriod }
            return isDone ?? !isInMessage ? .shutDown : .keep
        case .discarding:
            guard let activity else { return .close }
            let silence = min(activity.sinceReceived, activity.sinceAcknowledged)
            return activity.hasAcknowledgedShutdown && silence >= Self.closeGrace ? .close : .keep
        case .awaitingProxyHeader, .serving, .flushing, .closed: return .keep
        }
    }
}
