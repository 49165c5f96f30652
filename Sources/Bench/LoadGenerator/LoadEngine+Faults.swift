internal import IncrementProtocol
internal import SystemCalls

// Classifies and counts a server's faults, and closes the affected connections. No other part of the engine allocates
// memory during traffic.
extension LoadEngine {
    /// The faults of the target that a connection belongs to.
    subscript(faultsOf index: Int) -> Faults {
        get { faultsOfTargets[Int(connections.rows[index].target)] }
        set { faultsOfTargets[Int(connections.rows[index].target)] = newValue }
    }

    /// Counts a connection as lost and closes it.
    ///
    /// A connection is lost if the server closes or resets it, or if a call on its socket fails.
    mutating func lose(_ index: Int, _ reason: String) {
        let lost = awaitedReplyCount(index)
        self[faultsOf: index].lostConnections += 1
        self[faultsOf: index].lostReplies += lost
        self[faultsOf: index].note("\(place(index)): \(reason), with \(lost) replies outstanding")
        close(index)
    }

    private func place(_ index: Int) -> String {
        "connection \(index), after \(connections.rows[index].repliedCount) replies"
    }

    /// Classifies and counts wrong bytes, and closes their connection.
    ///
    /// - Parameters:
    ///   - offset: the offset of the first wrong byte in the receiver's input.
    ///   - skipped: the number of correct bytes directly before the wrong byte. The connection does not yet count these
    ///     bytes as received.
    ///   - begun: the number of the connection's requests that had been begun when the bytes arrived. With `nil`, all
    ///     requests had been begun.
    mutating func fault(_ index: Int, at offset: Int, skipping skipped: Int, begun: Int? = nil) {
        var received = receiver.bytes(from: offset, limit: 128)
        let count = received.count
        let isUnasked = awaitedBytes(index, skipping: skipped, limit: 1, begun: begun).isEmpty
        receiveMore(index, &received)
        let expected = awaitedBytes(index, skipping: skipped, limit: 1 << 17)
        let others = (0..<connections.rows.count)
            .filter { $0 != index && connections.rows[$0].state == .open && awaitedReplyCount($0) > 0 }
            .map { awaitedBytes($0, skipping: 0, limit: 64) }
        var diagnosis = FaultDiagnosis.of(received: received, expected: expected, others: others)
        if case .crossTalk = diagnosis {
        } else if let before = bytesBefore(index, skipped) {
            // The first bytes of another connection's reply can equal the expected bytes by chance, so the correct
            // bytes before the fault are compared too.
            let whole = FaultDiagnosis.of(received: before + received, expected: before + expected, others: others)
            if case .crossTalk = whole { diagnosis = whole }
        }
        switch diagnosis {
        case .wrong where isUnasked, .loss where isUnasked: diagnosis = .surplus(count)
        default: break
        }
        record(diagnosis, index, received, expected)
        close(index)
    }

    private func awaitedBytes(_ index: Int, skipping skipped: Int, limit: Int, begun: Int? = nil) -> [UInt8] {
        pattern.awaitedBytes(
            of: connections.rows[index], connections.requests, skipping: skipped, limit: limit, begun: begun)
    }

    /// If few bytes were received, waits briefly for more.
    ///
    /// The wait is necessary because a few bytes can match several replies by chance.
    private mutating func receiveMore(_ index: Int, _ received: inout [UInt8]) {
        let socket = StreamSocket(adopting: connections.rows[index].descriptor)
        while received.count < 64, (try? socket.wait(for: .readable, timeout: .milliseconds(20))) == true,
            case .bytes? = try? receiver.receive(on: socket.rawValue, limit: 64)
        { received += receiver.bytes(from: 0) }
        _ = socket.release()
    }

    /// Returns the bytes of the awaited reply that were correct before the wrong byte.
    ///
    /// Returns `nil` if no byte was correct, or if more than 64 bytes were correct.
    private func bytesBefore(_ index: Int, _ skipped: Int) -> [UInt8]? {
        let connection = connections.rows[index]
        let count = connection.partlyReceived + skipped
        guard !connection.role.isStream, connection.inFlightCount > 0, (1...64).contains(count) else { return nil }
        let row = connections.requests.row(connection.repliedCount, of: connection)
        return pattern.replyRange(of: connections.requests.rows[row]).prefix(count).map { pattern.replies[$0] }
    }

    private mutating func record(
        _ diagnosis: FaultDiagnosis, _ index: Int, _ received: [UInt8], _ expected: [UInt8]
    ) {
        var (faults, affected) = (self[faultsOf: index], 1)
        let awaited = awaitedReplyCount(index)
        switch diagnosis {
        case .wrong:
            faults.wrongReplies += 1
            faults.note(
                "\(place(index)): received \(received[0].hexadecimal) instead of \(expected[0].hexadecimal)")
        case .crossTalk:
            faults.crossTalk += 1
            faults.note("\(place(index)): received the reply to a request of another connection")
        case .loss(let byteCount):
            let replies = pattern.replyCount(byteCount, of: connections.rows[index], connections.requests)
            affected = max(1, min(awaited, replies))
            faults.lostReplies += affected
            faults.note("\(place(index)): \(byteCount) bytes are missing")
        case .surplus(let byteCount):
            affected = 0
            faults.surplusBytes += byteCount
            faults.note("\(place(index)): received \(byteCount) bytes that belong to no request")
        }
        faults.abandonedRequests += max(0, awaited - affected)
        self[faultsOf: index] = faults
    }
}
