internal import IncrementProtocol
public import SocketAddresses
public import SystemCalls

/// Many clients on one thread, each of which sends its next message once the last is answered.
///
/// Every answer is checked. One thread uses a value at a time.
public struct ClosedLoopClients: ~Copyable {
    private var poller: EpollPoller
    private var clients: [Client] = []
    /// The client of each descriptor, by its number.
    private var indices: [Int] = []
    /// How many clients have a message that is not answered yet.
    private var owedCount = 0
    private var input = ReusableBuffer(capacity: 64 * 1024)
    private let message: [UInt8]
    private let answer: [UInt8]

    private struct Client {
        let descriptor: Int32
        var state = State.waiting
        /// How many bytes of the answer have come.
        var answered = 0
        /// Whether a message of its is not answered yet.
        var isOwed = false
    }

    private enum State { case waiting, greeted, ended }

    /// What an exchange amounted to.
    public struct Outcome: Sendable {
        /// How many messages were answered in time.
        public var answers = 0
        /// How many clients got at least one answer.
        public var answeredClients = 0
        /// How long the exchange took.
        public var elapsed = Duration.zero

        /// Answers per second.
        public var rate: Double { elapsed > .zero ? Double(answers) / (elapsed / .seconds(1)) : 0 }
    }

    /// Makes clients that send messages of `payloadByteCount` bytes between their delimiters.
    public init(payloadByteCount: Int = 16) throws(SystemCallError) {
        poller = try EpollPoller()
        let payload = (0..<max(0, payloadByteCount)).map { UInt8(truncatingIfNeeded: 0x61 + $0 % 26) }
        message = [ServerMachine.opening] + payload + [ServerMachine.closing]
        answer = payload.map { $0 &+ 1 }
    }

    deinit {
        for client in clients where client.state != .ended { StreamSocket.close(client.descriptor) }
    }

    /// How many clients have connected.
    public var count: Int { clients.count }

    /// How many clients have been greeted, and not been left by the server.
    public var greetedCount: Int { clients.count { $0.state == .greeted } }

    /// Connects more clients, until there are `count`; fewer where a connection cannot be made within a second.
    public mutating func connect(upTo count: Int, to address: SocketAddress) throws(SystemCallError) {
        while clients.count < count {
            let socket: StreamSocket
            do throws(SystemCallError) { socket = try StreamSocket.connect(to: address, timeout: .seconds(1)) } catch {
                if error.code == Errno.timedOut { return }
                throw error
            }
            try socket.setNonBlocking(true)
            try socket.setNoDelay(true)
            try poller.add(socket.rawValue, .readable)
            let descriptor = socket.release()
            while indices.count <= Int(descriptor) { indices.append(-1) }
            indices[Int(descriptor)] = clients.count
            clients.append(Client(descriptor: descriptor))
            // The kernel's queue is not let grow long.
            if clients.count % 64 == 0 { _ = try receive(timeout: .zero) }
        }
    }

    /// Takes greetings until all have come, or none has for as long as `patience`.
    public mutating func awaitGreetings(patience: Duration) throws(SystemCallError) {
        var lastEvent = ContinuousClock.now
        while clients.contains(where: { $0.state == .waiting }) {
            let left = patience - lastEvent.duration(to: .now)
            if left <= .zero { return }
            if try receive(timeout: left) > 0 { lastEvent = .now }
        }
    }

    /// Lets some clients send one message after the other.
    ///
    /// - Parameters:
    ///   - active: how many of the greeted clients take part, the first that came.
    ///   - answers: after how many answers it ends.
    ///   - time: how long it lasts at most. Answers that are still owed then are waited for as long again, at least
    ///     a quarter of a second, and not counted; a client that has not got its own by then takes part no more.
    public mutating func exchange(
        active: Int, answers: Int = .max, time: Duration
    ) throws(SystemCallError) -> Outcome {
        var outcome = Outcome()
        let begin = ContinuousClock.now
        let end = begin.advanced(by: time)
        for index in takingPart(active) { try send(from: index) }
        var served = Set<Int>()
        while outcome.answers < answers, owedCount > 0 {
            let left = ContinuousClock.now.duration(to: end)
            if left <= .zero { break }
            let ready = try poller.wait(timeout: left)
            for event in 0..<ready {
                let index = indices[Int(poller.ready(at: event).descriptor)]
                guard try receive(at: index) else { continue }
                outcome.answers += 1
                if served.count < active { served.insert(index) }
                if outcome.answers < answers { try send(from: index) }
            }
        }
        outcome.elapsed = begin.duration(to: .now)
        outcome.answeredClients = served.count
        try awaitOwed(until: ContinuousClock.now.advanced(by: max(time, .milliseconds(250))))
        return outcome
    }

    /// The first clients that have been greeted, and are owed nothing.
    private func takingPart(_ active: Int) -> [Int] {
        Array(clients.indices.filter { clients[$0].state == .greeted && !clients[$0].isOwed }.prefix(max(0, active)))
    }

    private mutating func awaitOwed(until deadline: ContinuousClock.Instant) throws(SystemCallError) {
        while owedCount > 0, ContinuousClock.now < deadline {
            _ = try receive(timeout: ContinuousClock.now.duration(to: deadline))
        }
    }

    private mutating func send(from index: Int) throws(SystemCallError) {
        do throws(SystemCallError) {
            // A socket whose last message was answered has room for the next.
            _ = try StreamSocket.send(message.span, on: clients[index].descriptor)
            clients[index].isOwed = true
            owedCount += 1
        } catch { try end(index) }
    }

    /// Receives once from each client that is ready.
    ///
    /// - Returns: how many were.
    private mutating func receive(timeout: Duration) throws(SystemCallError) -> Int {
        let ready = try poller.wait(timeout: timeout)
        for event in 0..<ready { _ = try receive(at: indices[Int(poller.ready(at: event).descriptor)]) }
        return ready
    }

    /// Receives from a client.
    ///
    /// - Returns: whether its answer is complete.
    private mutating func receive(at index: Int) throws(SystemCallError) -> Bool {
        let descriptor = clients[index].descriptor
        let result: IOResult
        do throws(SystemCallError) {
            result = try input.fill { output throws(SystemCallError) in
                try StreamSocket.receive(on: descriptor, into: &output)
            }
        } catch { result = .end }
        switch result {
        case .wouldBlock: return false
        case .end:
            try end(index)
            return false
        case .bytes: return try check(index)
        }
    }

    /// Compares what has come with what must come.
    private mutating func check(_ index: Int) throws(SystemCallError) -> Bool {
        var client = clients[index]
        let isRight = input.withBytes { bytes in
            for place in bytes.indices {
                if client.state == .waiting {
                    guard bytes[place] == ServerMachine.greeting else { return false }
                    client.state = .greeted
                } else {
                    guard client.isOwed, client.answered < answer.count, bytes[place] == answer[client.answered] else {
                        return false
                    }
                    client.answered += 1
                }
            }
            return true
        }
        guard isRight else { throw SystemCallError(code: Errno.protocolError, call: "an answer is wrong") }
        let isComplete = client.isOwed && client.answered == answer.count
        if isComplete {
            client.answered = 0
            client.isOwed = false
            owedCount -= 1
        }
        clients[index] = client
        return isComplete
    }

    private mutating func end(_ index: Int) throws(SystemCallError) {
        guard clients[index].state != .ended else { return }
        try poller.remove(clients[index].descriptor)
        StreamSocket.close(clients[index].descriptor)
        clients[index].state = .ended
        if clients[index].isOwed { owedCount -= 1 }
        clients[index].isOwed = false
    }
}
