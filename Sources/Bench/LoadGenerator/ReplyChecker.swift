internal import IncrementProtocol
internal import SystemCalls

/// Compares the received bytes with the awaited replies and stores a sample for each complete reply.
struct ReplyChecker: ~Copyable {
    /// The result of a check.
    enum Finding {
        /// The bytes are correct, but the reply is not complete.
        case incomplete
        /// The reply was received completely, and its request was sent completely.
        case complete
        /// A byte is wrong, after this many correct bytes.
        case wrong(after: Int)
    }

    /// The number of received bytes that were correct.
    private(set) var verifiedByteCount = 0
    private var samples: FixedTable<RequestSample>
    private var sampleCount = 0

    /// - Parameter sampleCapacity: the maximum number of samples that are stored until the caller takes them. Samples
    ///   above this number are dropped.
    init(sampleCapacity: Int) { samples = FixedTable(repeating: RequestSample(), count: sampleCapacity) }

    /// Compares the input, starting at an offset, with the awaited reply of a connection.
    ///
    /// - Parameter offset: the start of the comparison; advanced past the correct bytes.
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
        // A reply can arrive before its request has been sent completely. Such a reply counts as complete only when the
        // rest of the request has been sent.
        let isComplete = range.upperBound == whole.upperBound && connection.sentCount > connection.repliedCount
        return isComplete ? .complete : .incomplete
    }

    /// Compares the whole input with the reply bytes that a stream awaits.
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

    /// Returns the number of correct bytes before the first wrong byte; `nil` if all bytes are correct.
    ///
    /// If the range is empty, no reply is awaited. In this case, every received byte is wrong, and the result is 0.
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

    /// Stores a sample, unless the capacity is reached.
    @inline(__always)
    mutating func record(_ sample: RequestSample) {
        guard sampleCount < samples.count else { return }
        samples[sampleCount] = sample
        sampleCount &+= 1
    }

    /// Calls `body` with each sample recorded since the previous call, then removes the samples.
    mutating func takeSamples(_ body: (RequestSample) -> Void) {
        for index in 0..<sampleCount { body(samples[index]) }
        sampleCount = 0
    }
}
