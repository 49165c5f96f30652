internal import IncrementProtocol
internal import SocketAddresses
internal import Synchronization
internal import SystemCalls

/// One client, served with blocking calls: what the models share that give a thread to a client.
struct BlockingConversation: ~Copyable {
    let service: BlockingService
    let place: BlockedDescriptors.Place
    let peer: SocketAddress?
    var input: ReusableBuffer
    var output: ReusableBuffer
    var outcome = Outcome()
    /// When the drain ends, once the server has been told to stop.
    var deadline: ContinuousClock.Instant?
    /// How many bytes the service counts as held for this client.
    var held = 0

    /// What one conversation amounted to.
    struct Outcome {
        var receivedBytes = 0
        var sentBytes = 0
        var peakBufferedBytes = 0
    }

    /// Makes the buffers: no more is read at once than answers may be held.
    ///
    /// - Parameter peer: where the connection comes from, if that is of interest.
    init(service: BlockingService, place: BlockedDescriptors.Place, peer: SocketAddress?) {
        self.service = service
        self.peer = peer
        self.place = place
        let size = max(1, min(64 * 1024, service.configuration.maxBufferedBytes))
        input = ReusableBuffer(capacity: size)
        output = ReusableBuffer(capacity: size)
    }

    /// Serves a client until it ends its side, the connection fails, or the server has stopped.
    mutating func serve(_ socket: borrowing StreamSocket) -> Outcome {
        var machine = ServerMachine()
        if service.proxies.contains(peer), !readHeader(from: socket) { return outcome }
        output.fill { machine.greet(into: &$0) }
        if service.configuration.measures { service.meter.sent(output.count) }
        do throws(SystemCallError) {
            if input.count > 0, try !answerFirst(&machine, socket) { return outcome }
            while try send(on: socket) {
                let result = try input.fill { output throws(SystemCallError) in
                    try StreamSocket.receive(on: socket.rawValue, into: &output)
                }
                guard case .bytes(let count) = result else {
                    if waits(socket, machine) { continue }
                    break
                }
                outcome.receivedBytes &+= count
                if service.isAttentive {
                    guard try answerAttentively(&machine, socket) else { break }
                } else {
                    input.withBytes { bytes in _ = output.fill { machine.receive(bytes, into: &$0) } }
                }
            }
        } catch {
            // The peer's fault, and nobody else's concern.
        }
        if held > 0 { _ = service.hold(-held) }
        return outcome
    }

    /// Sends the output.
    ///
    /// - Returns: whether all of it was sent.
    @inline(__always)
    mutating func send(on socket: borrowing StreamSocket) throws(SystemCallError) -> Bool {
        let total = output.count
        if total > outcome.peakBufferedBytes { outcome.peakBufferedBytes = total }
        var sent = 0
        while sent < total {
            let result = try output.withBytes { bytes throws(SystemCallError) in
                try StreamSocket.send(sent == 0 ? bytes : bytes.extracting(sent..<total), on: socket.rawValue)
            }
            if case .bytes(let count) = result {
                sent &+= count
                outcome.sentBytes &+= count
            } else if !mayWait(for: total - sent, on: socket.rawValue) {
                return false
            }
        }
        return true
    }

    /// Answers while the server drains, measures, or wants to know of open messages.
    ///
    /// - Returns: whether the client is to be served on.
    @inline(never)
    mutating func answerAttentively(
        _ machine: inout ServerMachine, _ socket: borrowing StreamSocket
    ) throws(SystemCallError) -> Bool {
        let begin = MonotonicTime.nanoseconds()
        let closed = input.withBytes { machine.messageCount(closedBy: $0) }
        input.withBytes { bytes in _ = output.fill { machine.receive(bytes, into: &$0) } }
        place.isInMessage.store(machine.isInMessage, ordering: .relaxed)
        // While the server drains, the end goes in one segment with an answer behind which nothing more has come.
        let isLast =
            service.stopCount > 0 && !machine.isInMessage
            && StreamSocket.unreadByteCount(on: socket.rawValue) == 0
        if isLast { StreamSocket.cork(socket.rawValue) }
        let count = outcome.sentBytes
        let isSent = try send(on: socket)
        output.removeAll()
        if service.configuration.measures {
            service.meter.received(input.count)
            service.meter.sent(outcome.sentBytes - count)
            service.meter.answered(messages: closed, sinceNanoseconds: begin)
        }
        return isSent && !isLast && mayGoOn()
    }

    /// The client does not take its answers.
    ///
    /// - Returns: whether to wait for it.
    mutating func mayWait(for waiting: Int, on descriptor: Int32) -> Bool {
        if service.countsHeld {
            guard service.hold(waiting - held) else {
                service.endForWantOfRoom(place, descriptor)
                return false
            }
            held = waiting
        }
        return mayGoOn()
    }
}

// MARK: - The end

extension BlockingConversation {
    /// There is nothing to read: since the client has ended, or since the server drains and reading does not block.
    ///
    /// - Returns: whether to look again: a message that is open is let end.
    @inline(never)
    mutating func waits(_ socket: borrowing StreamSocket, _ machine: ServerMachine) -> Bool {
        output.removeAll()
        guard service.stopCount > 0, let state = TCPState(of: socket.rawValue), !state.peerHasShutDown,
            !DrainRules.mayEnd(isInMessage: machine.isInMessage, state), mayGoOn()
        else { return false }
        PosixThread.sleep(.milliseconds(2))
        return true
    }

    /// Whether to go on: without end, until the server is stopped; then until the drain's timeout or a second stop.
    @inline(never)
    mutating func mayGoOn() -> Bool {
        let stops = service.stopCount
        if stops == 0 { return true }
        let end = deadline ?? ContinuousClock.now.advanced(by: service.configuration.drainTimeout)
        deadline = end
        return stops == 1 && ContinuousClock.now < end
    }
}
