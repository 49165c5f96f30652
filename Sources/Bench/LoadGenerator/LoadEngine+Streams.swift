internal import IncrementProtocol
internal import SystemCalls

// Connections that carry messages without a pause: in bulk, or little by little on one of the sides.
extension LoadEngine {
    /// How much one send takes at most.
    private static var sendLimit: Int { 256 << 10 }

    private func streamSize(_ index: Int) -> KeyedPattern.Size {
        pattern.sizes[connections[index].role == .slowReader ? sizeCount : 0]
    }

    mutating func serveStream(_ index: Int, _ readiness: Interest) {
        let isSlowReader = connections[index].role == .slowReader
        // A slow reader waits for no bytes while there is traffic: it is reported readable where it has failed.
        if readiness.contains(.readable) { receiveStream(index, limit: isSlowReader && isSending ? 1 : .max) }
        if readiness.contains(.writable), connections[index].phase == .open, isSending {
            if connections[index].role != .slowWriter { sendStream(index) }
        }
    }

    /// Sends as much of a stream as there is room for, in one send.
    mutating func sendStream(_ index: Int, limit: Int = .max) {
        guard connections[index].phase == .open else { return }
        let size = streamSize(index)
        // `nextFrame` is where the stream began.
        let start = (connections[index].nextFrame & size.frameMask) * size.requestCount
        let position = (start + connections[index].sentByteCount) % size.requestsCount
        let count = min(size.requestsCount - position, LoadEngine.sendLimit, limit)
        let range = size.requestStart + position..<size.requestStart + position + count
        let descriptor = connections[index].descriptor
        let result: IOResult
        do throws(SystemCallError) {
            result = try pattern.requests.withRows(range) { bytes throws(SystemCallError) in
                try StreamSocket.send(bytes, on: descriptor)
            }
        } catch { return ended(index, "\(error)") }
        if case .bytes(let sent) = result { connections[index].sentByteCount += sent }
        if limit == .max, !connections[index].waitsToSend {
            setInterest(index, connections[index].role == .slowReader ? .writable : [.readable, .writable])
        }
    }

    /// Receives what has come on a stream, and checks it.
    mutating func receiveStream(_ index: Int, limit: Int) {
        let descriptor = connections[index].descriptor
        let result: IOResult
        do throws(SystemCallError) {
            result = try input.fill(limit: limit) { output throws(SystemCallError) in
                try StreamSocket.receive(on: descriptor, into: &output)
            }
        } catch { return ended(index, "\(error)") }
        switch result {
        case .bytes:
            now = MonotonicTime.nanoseconds()
            lastReceived = now
            checkStream(index)
        case .wouldBlock: break
        case .end: ended(index, "end of stream")
        }
    }

    private mutating func checkStream(_ index: Int) {
        let size = streamSize(index)
        let due = size.answered(by: connections[index].sentByteCount)
        var offset = 0
        while offset < input.count {
            let position = answerPosition(index)
            let count = min(
                input.count - offset, size.answersCount - position, due - connections[index].receivedByteCount)
            let range = size.answerStart + position..<size.answerStart + position + count
            let difference = input.withBytes { received in
                pattern.answers.withRows(range) { expected in
                    firstDifference(received.extracting(offset..<offset + count), expected)
                }
            }
            if difference != nil || count == 0 {
                return fault(index, at: offset + (difference ?? 0), skipping: difference ?? 0)
            }
            offset += count
            verifiedByteCount += count
            connections[index].receivedByteCount += count
        }
    }

    /// Where the next byte of a stream's answers is, among the answers of its size.
    func answerPosition(_ index: Int) -> Int {
        let size = streamSize(index)
        let start = (connections[index].nextFrame & size.frameMask) * size.payloadCount
        return (start + connections[index].receivedByteCount) % size.answersCount
    }

    /// How many bytes of answers a stream still awaits.
    func awaitedByteCount(_ index: Int) -> Int {
        streamSize(index).answered(by: connections[index].sentByteCount) - connections[index].receivedByteCount
    }

    /// Answers that a stream awaits, the one that has come in part included.
    func awaitedAnswerCount(_ index: Int) -> Int {
        let payloadCount = streamSize(index).payloadCount
        return (awaitedByteCount(index) + payloadCount - 1) / payloadCount
    }

    /// The next bytes that a stream awaits, at most so many.
    func awaitedBytes(ofStream index: Int, skipping skipped: Int, limit: Int) -> [UInt8] {
        let size = streamSize(index)
        let count = max(0, min(limit, awaitedByteCount(index) - skipped))
        let position = answerPosition(index)
        return (0..<count).map { pattern.answers[size.answerStart + (position + skipped + $0) % size.answersCount] }
    }

    // MARK: - Slow connections

    private func isSlow(_ index: Int) -> Bool {
        connections[index].role == .slowReader || connections[index].role == .slowWriter
    }

    mutating func startSlowTurns() {
        let count = plan.targets.count * (plan.slowReaderCount + plan.slowWriterCount)
        guard count > 0 else { return }
        slowStep = max(1, plan.slowInterval.nanoseconds / UInt64(count))
        nextSlowTurn = span.start
        for index in 0..<connections.count where connections[index].role == .slowReader { sendStream(index) }
    }

    /// Lets the slow connections whose turn it is read or send a little; each has one in an interval.
    mutating func takeSlowTurns() {
        now = MonotonicTime.nanoseconds()
        var turns = 0
        while nextSlowTurn <= now, turns < connections.count {
            repeat { slowTurn = (slowTurn + 1) % connections.count } while !isSlow(slowTurn)
            nextSlowTurn &+= slowStep
            turns += 1
            guard connections[slowTurn].phase == .open else { continue }
            if connections[slowTurn].role == .slowReader {
                receiveStream(slowTurn, limit: plan.slowByteCount)
            } else {
                sendStream(slowTurn, limit: plan.slowByteCount)
            }
        }
        if nextSlowTurn <= now { nextSlowTurn = now &+ slowStep }
    }
}
