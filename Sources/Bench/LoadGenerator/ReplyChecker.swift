internal import IncrementProtocol
internal import SystemCalls

/// Compares received bytes with the replies that are awaited, and keeps a sample of each complete one.
struct ReplyChecker: ~Copyable {
    /// The result of a check.
    enum Finding {
        /// The bytes are right; the reply is not complete.
        case incomplete
        /// The reply is complete, and its request was sent completely.
        case complete
        /// A byte is wrong, after this many correct bytes.
        case wrong(after: Int)
    }

    /// How many bytes were received and were right.
    private(set) var verifiedByteCount = 0
    private var samples: FixedTable<RequestSample>
    private var sampleCount = 0

    /// - Parameter sampleCapacity: how many samples are kept until they are taken; further ones are dropped.
    init(sampleCapacity: Int) { samples = FixedTable(repeating: RequestSample(), count: sampleCapacity) }

    /// Compares the input from an offset on with the awaited reply of a connection.
    ///
    /// - Parameter offset: moves past the bytes that are right.
    @inline(__always)
    mutating func check(
        _ input: borrowing ReusableBuffer, from offset: inout Int, on connection: inout Connection,
        _ request: Request, _ pattern: borrowing KeyedPattern
    ) -> Finding {
        let whole = pattern.replyRange(of: request)
        let start = whole.lowerBound &+ connection.partlyReceived
        let count = min(input.count &- offset, whole.upperBound &- start)
        let range = start..<start &+ count
        if let right = ReplyChecker.difference(input, from: offset, pattern, range) { return .wrong(after: right) }
        offset &+= count
        verifiedByteCount &+= count
        connection.partlyReceived &+= count
        // A reply that arrives before its request was completely sent is completed after the send.
        let isComplete = range.upperBound == whole.upperBound && connection.sentCount > connection.repliedCount
        return isComplete ? .complete : .incomplete
    }

    /// Compares the whole input with what a stream awaits.
    mutating func checkStream(
        _ input: borrowing ReusableBuffer, from offset: inout Int, on connection: inout Connection,
        _ pattern: borrowing KeyedPattern
    ) -> Finding {
        while offset < input.count {
            let range = pattern.replyRange(ofStream: connection, limit: input.count - offset)
            if let right = ReplyChecker.difference(input, from: offset, pattern, range) { return .wrong(after: right) }
            offset += range.count
            verifiedByteCount += range.count
            connection.receivedByteCount += range.count
        }
        return .incomplete
    }

    /// The number of correct bytes before the first wrong one; `nil` if there are bytes and all are correct.
    @inline(__always)
    private static func difference(
        _ input: borrowing ReusableBuffer, from offset: Int, _ pattern: borrowing KeyedPattern, _ range: Range<Int>
    ) -> Int? {
        guard !range.isEmpty else { return 0 }
        return input.withBytes { received in
            pattern.replies.withRows(range) { expected in
                firstDifference(received.extracting(offset..<offset &+ range.count), expected)
            }
        }
    }

    /// Keeps a sample.
    @inline(__always)
    mutating func record(_ sample: RequestSample) {
        guard sampleCount < samples.count else { return }
        samples[sampleCount] = sample
        sampleCount &+= 1
    }

    /// Calls `body` with each sample since the last call, and removes them.
    mutating func takeSamples(_ body: (RequestSample) -> Void) {
        for index in 0..<sampleCount { body(samples[index]) }
        sampleCount = 0
    }
}
