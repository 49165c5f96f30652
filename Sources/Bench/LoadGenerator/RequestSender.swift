internal import IncrementProtocol
internal import Measurements
internal import SystemCalls

/// Makes requests and writes them to their sockets.
struct RequestSender: ~Copyable {
    /// The number of requests that were begun.
    private(set) var begunCount = 0
    /// The number of requests that were begun before the current traffic started.
    private var begunBefore = 0
    /// The cumulative weights of the payload sizes.
    private let weightSums: FixedTable<UInt64>
    private var random: SeededRandom

    /// The maximum number of bytes that one send call sends on a stream.
    private static var streamLimit: Int { 256 << 10 }

    init(_ sizes: PayloadSizes, random: SeededRandom) {
        var sums = FixedTable<UInt64>(repeating: 0, count: sizes.shares.count)
        var sum: UInt64 = 0
        for (index, share) in sizes.shares.enumerated() {
            sum += UInt64(share.weight)
            sums[index] = sum
        }
        weightSums = sums
        self.random = random
    }

    /// Restarts the numbering of requests at 0.
    mutating func beginTraffic() { begunBefore = begunCount }

    /// Makes the next request on a connection.
    @inline(__always)
    mutating func makeRequest(
        on connection: Connection, intended: UInt64, sent: UInt64, lag: UInt64, isContended: Bool
    ) -> Request {
        let slot = UInt32(truncatingIfNeeded: begunCount &- begunBefore)
        begunCount &+= 1
        return Request(
            intended: intended, sent: sent, lag: lag, slot: slot, frame: connection.nextFrame, size: drawSize(),
            isContended: isContended)
    }

    @inline(__always)
    private mutating func drawSize() -> Int {
        let last = weightSums.count &- 1
        if last == 0 { return 0 }
        let drawn = random.next(below: weightSums[last])
        var size = 0
        while weightSums[size] <= drawn { size &+= 1 }
        return size
    }

    /// Sends the requests that were begun on a connection.
    ///
    /// - Returns: whether all bytes were sent. If false, the socket's send buffer is full.
    @inline(__always)
    func send(
        on connection: inout Connection, _ requests: inout RequestTable, _ pattern: borrowing KeyedPattern
    ) throws(SystemCallError) -> Bool {
        while connection.sentCount < connection.begunCount {
            let row = requests.row(connection.sentCount, of: connection)
            let whole = pattern.requestRange(of: requests.rows[row])
            let range = whole.lowerBound &+ connection.partlySent..<whole.upperBound
            guard let count = try RequestSender.send(range, of: pattern, on: connection) else { return false }
            connection.sentByteCount &+= count
            guard count == range.count else {
                connection.partlySent &+= count
                continue
            }
            requests.rows[row].lastByte = UInt32(truncatingIfNeeded: connection.sentByteCount &- 1)
            connection.partlySent = 0
            connection.sentCount &+= 1
            requests.takeSentTime(of: connection)
        }
        return true
    }

    /// Sends the next bytes of a stream, at most `limit`, with one send call.
    func sendStream(
        on connection: inout Connection, _ pattern: borrowing KeyedPattern, limit: Int
    ) throws(SystemCallError) {
        let range = pattern.requestRange(ofStream: connection, limit: min(limit, RequestSender.streamLimit))
        connection.sentByteCount += try RequestSender.send(range, of: pattern, on: connection) ?? 0
    }

    /// - Returns: the number of bytes that were sent; `nil` if the socket's send buffer is full.
    @inline(__always)
    private static func send(
        _ range: Range<Int>, of pattern: borrowing KeyedPattern, on connection: Connection
    ) throws(SystemCallError) -> Int? {
        let result = try pattern.requests.withRows(range) { bytes throws(SystemCallError) in
            try StreamSocket.send(bytes, on: connection.descriptor)
        }
        if case .bytes(let count) = result { return count }
        return nil
    }
}
