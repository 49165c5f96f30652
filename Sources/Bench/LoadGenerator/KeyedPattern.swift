internal import IncrementProtocol
internal import SystemCalls

/// The requests that a load may send and their answers, made beforehand from a seed.
///
/// Each size has a number of frames, a power of two, in a row: frames follow each other as they are sent, and so do
/// their answers. A request is known by its size and its frame; since no two frames of a size are alike (but for
/// payloads of a few bytes), an answer that belongs to another request is recognised by its bytes.
struct KeyedPattern: ~Copyable {
    /// The frames of one size.
    struct Size: BitwiseCopyable {
        /// Bytes of a payload, and of its answer.
        let payloadCount: Int
        /// How many frames there are, less one: they are a power of two.
        let frameMask: Int
        /// Where the first frame begins, among all requests.
        let requestStart: Int
        /// Where the first answer begins, among all answers.
        let answerStart: Int

        /// Bytes of a whole request: the payload between its delimiters.
        var requestCount: Int { payloadCount &+ 2 }
        /// Bytes of all frames.
        var requestsCount: Int { requestCount &* (frameMask &+ 1) }
        /// Bytes of all answers.
        var answersCount: Int { payloadCount &* (frameMask &+ 1) }

        /// Where a request begins, among all requests.
        func requestOffset(ofFrame frame: Int) -> Int { requestStart &+ (frame & frameMask) &* requestCount }
        /// Where an answer begins, among all answers.
        func answerOffset(ofFrame frame: Int) -> Int { answerStart &+ (frame & frameMask) &* payloadCount }
        /// How many bytes of answers so many bytes of requests are answered with, from the first frame on.
        func answered(by sentCount: Int) -> Int {
            let (frames, rest) = sentCount.quotientAndRemainder(dividingBy: requestCount)
            return frames * payloadCount + max(0, min(payloadCount, rest - 1))
        }
    }

    private(set) var sizes: FixedTable<Size>
    private(set) var requests: FixedTable<UInt8>
    private(set) var answers: FixedTable<UInt8>

    /// Makes the frames of some sizes.
    init<Random: RandomNumberGenerator>(payloadCounts: [Int], random: inout Random) {
        var rows: [Size] = []
        var (requestStart, answerStart) = (0, 0)
        for payloadCount in payloadCounts {
            let size = Size(
                payloadCount: payloadCount, frameMask: KeyedPattern.frameCount(payloadCount) - 1,
                requestStart: requestStart, answerStart: answerStart)
            requestStart += size.requestsCount
            answerStart += size.answersCount
            rows.append(size)
        }
        requests = FixedTable(repeating: 0, count: requestStart)
        answers = FixedTable(repeating: 0, count: answerStart)
        sizes = FixedTable(repeating: rows[0], count: rows.count)
        for (index, row) in rows.enumerated() {
            sizes[index] = row
            for frame in 0...row.frameMask { fill(row, frame, &random) }
        }
    }

    /// As many frames as a megabyte holds, but not fewer than 4 and not more than 4096.
    private static func frameCount(_ payloadCount: Int) -> Int {
        let fitting = max(4, min(4096, (1 << 20) / (payloadCount + 2)))
        return 1 << (Int.bitWidth - 1 - fitting.leadingZeroBitCount)
    }

    private mutating func fill<Random: RandomNumberGenerator>(_ size: Size, _ frame: Int, _ random: inout Random) {
        let request = size.requestOffset(ofFrame: frame)
        let answer = size.answerOffset(ofFrame: frame)
        requests[request] = ServerMachine.opening
        var bits: UInt64 = 0
        for index in 0..<size.payloadCount {
            if index % 8 == 0 { bits = random.next() }
            var byte = UInt8(truncatingIfNeeded: bits >> UInt64(8 * (index % 8)))
            // The one byte that a payload cannot hold; the opening one may be there, and is answered.
            if byte == ServerMachine.closing { byte = ServerMachine.opening }
            requests[request + 1 + index] = byte
            answers[answer + index] = byte &+ 1
        }
        requests[request + size.requestCount - 1] = ServerMachine.closing
    }
}
