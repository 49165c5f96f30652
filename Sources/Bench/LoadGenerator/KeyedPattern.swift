internal import IncrementProtocol
internal import SystemCalls

/// All requests that a load can send, with their replies.
///
/// A seed determines the requests before the load starts. For each payload size there is a fixed number of requests,
/// called frames; the number is a power of two. The requests are stored in the order in which they are sent, and the
/// replies are stored in the order of their requests. The payload size and the frame number identify a request.
///
/// Two frames of the same size differ, unless their payloads have only a few bytes. The bytes of a reply therefore show
/// which request it belongs to.
struct KeyedPattern: ~Copyable {
    /// The frames of one size.
    struct Size: BitwiseCopyable {
        /// The number of bytes of a payload.
        ///
        /// The reply has the same length.
        let payloadCount: Int
        /// The number of frames minus one.
        ///
        /// The number of frames is a power of two.
        let frameMask: Int
        /// The offset of the first frame in the bytes of all requests.
        let requestStart: Int
        /// The offset of the first reply in the bytes of all replies.
        let replyStart: Int

        /// The number of bytes of a request: the payload and its two delimiters.
        var requestCount: Int { payloadCount &+ 2 }
        /// The total number of bytes of all frames of this size.
        var requestsCount: Int { requestCount &* (frameMask &+ 1) }
        /// The total number of bytes of all replies of this size.
        var repliesCount: Int { payloadCount &* (frameMask &+ 1) }

        /// Returns the offset of a request in the bytes of all requests.
        func requestOffset(ofFrame frame: Int) -> Int { requestStart &+ (frame & frameMask) &* requestCount }
        /// Returns the offset of a reply in the bytes of all replies.
        func replyOffset(ofFrame frame: Int) -> Int { replyStart &+ (frame & frameMask) &* payloadCount }
        /// Returns the number of reply bytes for the first `sentCount` bytes of consecutive frames.
        func repliedCount(for sentCount: Int) -> Int {
            let (frames, rest) = sentCount.quotientAndRemainder(dividingBy: requestCount)
            return frames * payloadCount + max(0, min(payloadCount, rest - 1))
        }
    }

    /// The payload sizes of requests, followed by the size for connections that read slowly or not at all.
    private(set) var sizes: FixedTable<Size>
    private(set) var requests: FixedTable<UInt8>
    private(set) var replies: FixedTable<UInt8>

    /// The payload size for connections that read slowly or not at all.
    ///
    /// The size is large, so that the replies fill the buffers quickly.
    private static var unreadCount: Int { 64 << 10 }

    /// Makes the frames of the given payload sizes.
    init<Random: RandomNumberGenerator>(payloadCounts: [Int], random: inout Random) {
        var rows: [Size] = []
        var (requestStart, replyStart) = (0, 0)
        for payloadCount in payloadCounts + [KeyedPattern.unreadCount] {
            let size = Size(
                payloadCount: payloadCount, frameMask: KeyedPattern.frameCount(payloadCount) - 1,
                requestStart: requestStart, replyStart: replyStart)
            requestStart += size.requestsCount
            replyStart += size.repliesCount
            rows.append(size)
        }
        requests = FixedTable(repeating: 0, count: requestStart)
        replies = FixedTable(repeating: 0, count: replyStart)
        sizes = FixedTable(repeating: rows[0], count: rows.count)
        for (index, row) in rows.enumerated() {
            sizes[index] = row
            for frame in 0...row.frameMask { fill(row, frame, &random) }
        }
    }

    /// Returns the number of frames for a payload size: as many as fit in a megabyte, but at least 4 and at most 4096.
    private static func frameCount(_ payloadCount: Int) -> Int {
        let fitting = max(4, min(4096, (1 << 20) / (payloadCount + 2)))
        return 1 << (Int.bitWidth - 1 - fitting.leadingZeroBitCount)
    }

    private mutating func fill<Random: RandomNumberGenerator>(_ size: Size, _ frame: Int, _ random: inout Random) {
        let request = size.requestOffset(ofFrame: frame)
        let reply = size.replyOffset(ofFrame: frame)
        requests[request] = ServerMachine.opening
        var bits: UInt64 = 0
        for index in 0..<size.payloadCount {
            if index % 8 == 0 { bits = random.next() }
            var byte = UInt8(truncatingIfNeeded: bits >> UInt64(8 * (index % 8)))
            // A payload can contain any byte except the closing delimiter. The opening delimiter is valid in a payload,
            // because the server increments it there like any other byte.
            if byte == ServerMachine.closing { byte = ServerMachine.opening }
            requests[request + 1 + index] = byte
            replies[reply + index] = byte &+ 1
        }
        requests[request + size.requestCount - 1] = ServerMachine.closing
    }
}

// MARK: - Requests

extension KeyedPattern {
    /// Returns the range of a request's bytes in `requests`.
    @inline(__always)
    func requestRange(of request: Request) -> Range<Int> {
        let start = sizes[request.size].requestOffset(ofFrame: request.frame)
        return start..<start &+ sizes[request.size].requestCount
    }

    /// Returns the range of the reply's bytes in `replies`.
    @inline(__always)
    func replyRange(of request: Request) -> Range<Int> {
        let start = sizes[request.size].replyOffset(ofFrame: request.frame)
        return start..<start &+ sizes[request.size].payloadCount
    }
}

// MARK: - Streams

extension KeyedPattern {
    /// Returns the payload size that a stream uses.
    func size(ofStream connection: Connection) -> Size {
        let isRead = connection.role == .bulk || connection.role == .slowWriter
        return sizes[isRead ? 0 : sizes.count - 1]
    }

    /// Returns the range of bytes that a stream sends next.
    ///
    /// The range has at most `limit` bytes, and does not extend beyond the end of the last frame.
    func requestRange(ofStream connection: Connection, limit: Int) -> Range<Int> {
        let size = size(ofStream: connection)
        let first = (connection.nextFrame & size.frameMask) * size.requestCount
        let position = (first + connection.sentByteCount) % size.requestsCount
        let start = size.requestStart + position
        return start..<start + min(size.requestsCount - position, limit)
    }

    /// Returns the range of reply bytes that a stream awaits next.
    ///
    /// The range has at most `limit` bytes, and does not extend beyond the end of the last frame's reply.
    func replyRange(ofStream connection: Connection, skipping skipped: Int = 0, limit: Int) -> Range<Int> {
        let size = size(ofStream: connection)
        let first = (connection.nextFrame & size.frameMask) * size.payloadCount
        let position = (first + connection.receivedByteCount + skipped) % size.repliesCount
        let start = size.replyStart + position
        let awaited = max(0, awaitedByteCount(ofStream: connection) - skipped)
        return start..<start + min(size.repliesCount - position, limit, awaited)
    }

    /// Returns the number of reply bytes that a stream awaits.
    func awaitedByteCount(ofStream connection: Connection) -> Int {
        size(ofStream: connection).repliedCount(for: connection.sentByteCount) - connection.receivedByteCount
    }
}

// MARK: - Awaited replies

extension KeyedPattern {
    /// Returns the number of replies that a connection awaits, including a partly received reply.
    func awaitedReplyCount(of connection: Connection) -> Int {
        guard connection.role.isStream else { return connection.inFlightCount }
        let payloadCount = size(ofStream: connection).payloadCount
        return (awaitedByteCount(ofStream: connection) + payloadCount - 1) / payloadCount
    }

    /// Returns at most `limit` of the reply bytes that a connection awaits, without the first `skipped` bytes.
    ///
    /// - Parameter begun: the number of the connection's requests to which the server may have replied. With `nil`, the
    ///   server may have replied to all of them.
    func awaitedBytes(
        of connection: Connection, _ requests: borrowing RequestTable, skipping skipped: Int, limit: Int,
        begun: Int? = nil
    ) -> [UInt8] {
        var bytes: [UInt8] = []
        if connection.role.isStream {
            while bytes.count < limit {
                let range = replyRange(
                    ofStream: connection, skipping: skipped + bytes.count, limit: limit - bytes.count)
                if range.isEmpty { break }
                bytes += range.map { replies[$0] }
            }
            return bytes
        }
        var done = connection.partlyReceived + skipped
        let end = max(begun ?? connection.begunCount, connection.repliedCount)
        for number in connection.repliedCount..<end where bytes.count < limit {
            let range = replyRange(of: requests.rows[requests.row(number, of: connection)])
            bytes += range.dropFirst(done).map { replies[$0] }
            done = 0
        }
        return bytes
    }

    /// Returns the number of awaited replies that the next `byteCount` bytes cover, completely or in part.
    func replyCount(_ byteCount: Int, of connection: Connection, _ requests: borrowing RequestTable) -> Int {
        if connection.role.isStream {
            let payloadCount = size(ofStream: connection).payloadCount
            return (byteCount + payloadCount - 1) / payloadCount
        }
        var (left, count) = (byteCount, 0)
        while left > 0, count < connection.inFlightCount {
            let row = requests.row(connection.repliedCount + count, of: connection)
            left -= sizes[requests.rows[row].size].payloadCount
            count += 1
        }
        return count
    }
}
