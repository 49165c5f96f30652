internal import IncrementProtocol
internal import SystemCalls

// What is not as it should be: told apart, counted, and the end of its connection. Here memory is allocated.
extension LoadEngine {
    /// The faults of the server that a connection leads to.
    subscript(faultsOf connection: Int) -> Faults {
        get { faultsOfTargets[Int(connections[connection].variant)] }
        set { faultsOfTargets[Int(connections[connection].variant)] = newValue }
    }

    /// Bytes came that are not the ones awaited.
    ///
    /// - Parameters:
    ///   - offset: where the first wrong one is among those that were received.
    ///   - skipped: how many of the awaited ones came right before it, and are not counted yet.
    ///   - begun: how many requests had been begun when they came; `nil` for all.
    mutating func fault(_ index: Int, at offset: Int, skipping skipped: Int, begun: Int? = nil) {
        var received = input.withBytes { bytes in (offset..<min(bytes.count, offset + 128)).map { bytes[$0] } }
        let count = received.count
        let isUnasked = awaitedBytes(index, skipping: skipped, limit: 1, begun: begun).isEmpty
        receiveMore(index, &received)
        let expected = awaitedBytes(index, skipping: skipped, limit: 1 << 17)
        let before = bytesBefore(index, skipped)
        let strangers = (0..<connections.count).filter { $0 != index && awaitsAnswers($0) }
        let others = strangers.map { awaitedBytes($0, skipping: 0, limit: 64) }
        var diagnosis = FaultDiagnosis.of(received: received, expected: expected, others: others)
        if case .crossTalk = diagnosis {
        } else if !before.isEmpty {
            // The first bytes may have been right by chance.
            let whole = FaultDiagnosis.of(received: before + received, expected: before + expected, others: others)
            if case .crossTalk = whole { diagnosis = whole }
        }
        switch diagnosis {
        case .wrong where isUnasked, .loss where isUnasked: diagnosis = .surplus(count)
        default: break
        }
        note(diagnosis, index, received, expected)
        retire(index)
    }

    /// Waits a little for more bytes where there are few, for few tell little.
    private mutating func receiveMore(_ index: Int, _ received: inout [UInt8]) {
        let socket = StreamSocket(adopting: connections[index].descriptor)
        while received.count < 64, (try? socket.wait(for: .readable, timeout: .milliseconds(20))) == true {
            let result = try? input.fill(limit: 64) { output throws(SystemCallError) in
                try socket.receive(into: &output)
            }
            guard case .bytes = result else { break }
            received += input.withBytes { bytes in bytes.indices.map { bytes[$0] } }
        }
        _ = socket.release()
    }

    private mutating func note(_ diagnosis: FaultDiagnosis, _ index: Int, _ received: [UInt8], _ expected: [UInt8]) {
        let inFlight = connections[index].isStream ? awaitedAnswerCount(index) : connections[index].inFlightCount
        let place = "connection \(index), after \(connections[index].answeredCount) answers"
        switch diagnosis {
        case .wrong:
            self[faultsOf: index].wrongAnswers += 1
            self[faultsOf: index].abandonedRequests += max(0, inFlight - 1)
            self[faultsOf: index].note(
                "\(place): \(received[0].hexadecimal) came instead of \(expected[0].hexadecimal)")
        case .crossTalk:
            self[faultsOf: index].crossTalk += 1
            self[faultsOf: index].abandonedRequests += max(0, inFlight - 1)
            self[faultsOf: index].note(
                "\(place): bytes that answer a request of another connection")
        case .loss(let byteCount):
            let lost = max(1, min(inFlight, answers(byteCount, index)))
            self[faultsOf: index].lostAnswers += lost
            self[faultsOf: index].abandonedRequests += max(0, inFlight - lost)
            self[faultsOf: index].note("\(place): \(byteCount) bytes are missing")
        case .surplus(let byteCount):
            self[faultsOf: index].surplusBytes += byteCount
            self[faultsOf: index].abandonedRequests += inFlight
            self[faultsOf: index].note("\(place): \(byteCount) bytes that answer nothing")
        }
    }

    /// How many answers so many bytes are, from the awaited one on.
    private func answers(_ byteCount: Int, _ index: Int) -> Int {
        if connections[index].isStream {
            let payloadCount = pattern.sizes[connections[index].role == .slowReader ? sizeCount : 0].payloadCount
            return (byteCount + payloadCount - 1) / payloadCount
        }
        var (left, count) = (byteCount, 0)
        while left > 0, count < connections[index].inFlightCount {
            let row = index * (depthMask + 1) + (connections[index].answeredCount + count) & depthMask
            left -= pattern.sizes[requests[row].size].payloadCount
            count += 1
        }
        return count
    }

    private func awaitsAnswers(_ index: Int) -> Bool {
        guard connections[index].phase == .open else { return false }
        return connections[index].isStream ? awaitedByteCount(index) > 0 : connections[index].inFlightCount > 0
    }

    /// The next bytes that a connection awaits, at most so many.
    private func awaitedBytes(_ index: Int, skipping skipped: Int, limit: Int, begun: Int? = nil) -> [UInt8] {
        if connections[index].isStream { return awaitedBytes(ofStream: index, skipping: skipped, limit: limit) }
        var bytes: [UInt8] = []
        var done = connections[index].partlyAnswered + skipped
        let end = max(begun ?? connections[index].begunCount, connections[index].answeredCount)
        for request in connections[index].answeredCount..<end where bytes.count < limit {
            let row = index * (depthMask + 1) + request & depthMask
            let size = pattern.sizes[requests[row].size]
            let answer = size.answerOffset(ofFrame: requests[row].frame)
            for offset in min(done, size.payloadCount)..<size.payloadCount {
                bytes.append(pattern.answers[answer + offset])
            }
            done = 0
        }
        return bytes
    }

    /// What has come of the awaited answer before the wrong byte, and was right.
    private func bytesBefore(_ index: Int, _ skipped: Int) -> [UInt8] {
        let count = connections[index].partlyAnswered + skipped
        guard !connections[index].isStream, connections[index].inFlightCount > 0, count > 0, count <= 64 else {
            return []
        }
        let row = index * (depthMask + 1) + connections[index].answeredCount & depthMask
        let answer = pattern.sizes[requests[row].size].answerOffset(ofFrame: requests[row].frame)
        return (0..<count).map { pattern.answers[answer + $0] }
    }

    /// The server has ended or reset a connection that this side had not ended.
    mutating func ended(_ index: Int, _ reason: String) {
        let inFlight = connections[index].isStream ? awaitedAnswerCount(index) : connections[index].inFlightCount
        self[faultsOf: index].endedConnections += 1
        self[faultsOf: index].lostAnswers += inFlight
        self[faultsOf: index].note(
            "connection \(index), after \(connections[index].answeredCount) answers: \(reason), "
                + "with \(inFlight) answers outstanding")
        retire(index)
    }

    /// Closes a connection for good, and forgets what was in flight on it.
    mutating func retire(_ index: Int) {
        let variant = Int(connections[index].variant)
        if connections[index].phase == .open || connections[index].phase == .ending { openCount -= 1 }
        if connections[index].descriptor >= 0 { _ = StreamSocket(adopting: connections[index].descriptor) }
        connections[index].descriptor = -1
        if connections[index].role == .requests || connections[index].role == .bulk { usable[variant] -= 1 }
        outstanding[variant] -= connections[index].inFlightCount
        totalOutstanding -= connections[index].inFlightCount
        connections[index].answeredCount = connections[index].begunCount
        connections[index].phase = .retired
        if isHeld { release() }
    }
}
