internal import SystemCalls

/// One connection of a load: a row of `ConnectionTable`.
struct Connection: BitwiseCopyable {
    /// Where a connection is between connecting and closing.
    enum State: UInt8 {
        /// Not connected: the next request connects it.
        case free
        /// Connecting, or waiting for the greeting.
        case opening
        /// Greeted: requests are sent and replies received.
        case open
        /// Half-closed by the load generator: the server's end of stream is awaited.
        case closing
        /// Closed for good.
        case closed
    }

    /// What a connection is for.
    enum Role: UInt8 {
        /// Sends requests, one after another or several at once.
        case requests
        /// Sends messages without a pause.
        case bulk
        /// Is greeted and sends nothing.
        case idle
        /// Sends without a pause, and reads a few bytes at a time.
        case slowReader
        /// Sends a few bytes at a time.
        case slowWriter
        /// Sends without a pause, and reads nothing.
        case stalled

        /// Whether the connection carries a stream of messages, and no single requests.
        var isStream: Bool { self != .requests && self != .idle }
        /// Whether the connection takes part in `SlowTurns`.
        var takesTurns: Bool { self == .slowReader || self == .slowWriter }
    }

    var descriptor: Int32 = -1
    var state = State.free
    var role = Role.requests
    var target: UInt8 = 0
    /// What the poller waits for.
    var interest = Interest.readable
    /// The first of the connection's rows in `RequestTable`, if it sends requests.
    var firstRequest = 0
    /// The frame of the next request; for a stream, its first frame.
    ///
    /// Masked when it is used.
    var nextFrame = 0
    /// How many requests were begun, sent completely, and replied to.
    var begunCount = 0
    var sentCount = 0
    var repliedCount = 0
    /// The number of bytes that were sent of the request being sent.
    var partlySent = 0
    /// The number of bytes that were received of the current reply.
    var partlyReceived = 0
    /// How many bytes were sent in all; the kernel's timestamps refer to it.
    var sentByteCount = 0
    /// How many bytes of replies were received in all; counted for streams.
    var receivedByteCount = 0

    var inFlightCount: Int { begunCount &- repliedCount }
    /// Whether the state allows a new request.
    var acceptsRequests: Bool { state == .open || state == .free }
}

/// A request in flight: a row of `RequestTable`.
struct Request: BitwiseCopyable {
    /// When the request was due and when it was sent, in nanoseconds of the monotonic clock.
    var intended: UInt64 = 0
    var sent: UInt64 = 0
    /// The delay from when the request could be sent until it was sent.
    var lag: UInt64 = 0
    /// When the kernel sent its last byte; 0 if unknown.
    var kernelSent = 0
    /// The offset of its last byte among all bytes of the connection, modulo 2³².
    var lastByte: UInt32 = 0
    /// The number of its slot in the traffic, from 0.
    var slot: UInt32 = 0
    var frame = 0
    var size = 0
    var isContended = false
}

/// The requests in flight of all connections.
///
/// Each connection that sends requests has the same number of rows, a power of two, and uses them in turn.
struct RequestTable: ~Copyable {
    var rows: FixedTable<Request>
    private let mask: Int
    private let takesTimestamps: Bool

    init(connectionCount: Int, depth: Int, takesTimestamps: Bool) {
        var rowCount = 1
        while rowCount < depth { rowCount *= 2 }
        mask = rowCount - 1
        rows = FixedTable(repeating: Request(), count: connectionCount * rowCount)
        self.takesTimestamps = takesTimestamps
    }

    var rowsPerConnection: Int { mask + 1 }

    /// The row of a connection's request with a number.
    @inline(__always)
    func row(_ number: Int, of connection: Connection) -> Int { connection.firstRequest &+ number & mask }

    /// Moves the time of one send from the kernel to its request.
    ///
    /// - Returns: whether the kernel had one.
    @inline(__always)
    @discardableResult
    mutating func takeSentTime(of connection: Connection) -> Bool {
        guard takesTimestamps, let sent = KernelTimestamps.takeSent(on: connection.descriptor) else { return false }
        var number = connection.repliedCount
        while number < connection.sentCount {
            let row = row(number, of: connection)
            if rows[row].lastByte == sent.lastByte { rows[row].kernelSent = sent.time }
            number &+= 1
        }
        return true
    }
}
