internal import SystemCalls

/// One connection of a load: a row of `ConnectionTable`.
struct Connection: BitwiseCopyable {
    /// The state of a connection, from connecting to closed.
    enum State: UInt8 {
        /// Not connected. The engine can connect this connection.
        case free
        /// Connecting, or waiting for the greeting.
        case opening
        /// The server has sent its greeting, and the connection can carry requests.
        case open
        /// The load generator has shut down the write side and waits for the server's end of stream.
        case closing
        /// Closed, and never connected again.
        case closed
    }

    /// The purpose of a connection.
    enum Role: UInt8 {
        /// Sends requests and receives their replies.
        case requests
        /// Sends messages without a pause.
        case bulk
        /// Receives the greeting and sends nothing.
        case idle
        /// Sends without a pause and reads a few bytes at a time.
        case slowReader
        /// Sends a few bytes at a time.
        case slowWriter
        /// Sends without a pause and reads nothing.
        case stalled

        /// Whether the connection sends a continuous stream of messages instead of single requests.
        var isStream: Bool { self != .requests && self != .idle }
        /// Whether the connection reads or sends only when `SlowTurns` selects it.
        var takesTurns: Bool { self == .slowReader || self == .slowWriter }
    }

    var descriptor: Int32 = -1
    var state = State.free
    var role = Role.requests
    var target: UInt8 = 0
    /// The events that the poller reports for the connection.
    var interest = Interest.readable
    /// The index of the connection's first row in `RequestTable`, if the connection sends requests.
    var firstRequest = 0
    /// The frame of the next request, or the first frame of a stream.
    ///
    /// The number grows without limit; `KeyedPattern` masks it to a valid frame.
    var nextFrame = 0
    /// The number of requests begun, the number sent completely, and the number that received a reply.
    var begunCount = 0
    var sentCount = 0
    var repliedCount = 0
    /// The number of bytes of the current request that have been sent.
    var partlySent = 0
    /// The number of bytes of the current reply that have been received.
    var partlyReceived = 0
    /// The number of bytes sent on the connection.
    ///
    /// The kernel's send timestamps identify a byte by its offset among these bytes.
    var sentByteCount = 0
    /// The number of reply bytes received on the connection; counted only for streams.
    var receivedByteCount = 0

    var inFlightCount: Int { begunCount &- repliedCount }
    /// Whether the state allows the connection to carry a new request.
    var acceptsRequests: Bool { state == .open || state == .free }
}

/// A request in flight: a row of `RequestTable`.
struct Request: BitwiseCopyable {
    /// The times at which the request was due and at which it was sent, in nanoseconds of the monotonic clock.
    var intended: UInt64 = 0
    var sent: UInt64 = 0
    /// The delay between the earliest time at which the request could be sent and the time at which it was sent.
    var lag: UInt64 = 0
    /// The time at which the kernel sent the request's last byte; 0 if unknown.
    var kernelSent = 0
    /// The offset of the request's last byte among all bytes sent on the connection, modulo 2³².
    var lastByte: UInt32 = 0
    /// The request's number in the traffic.
    ///
    /// Requests are numbered from 0, in the order in which they are due.
    var slot: UInt32 = 0
    var frame = 0
    var size = 0
    var isContended = false
}

/// The requests in flight of all connections.
///
/// Each connection that sends requests has the same number of rows, a power of two. The connection uses its rows as a
/// ring buffer.
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

    /// Returns the index of the row that holds a connection's request with the given number.
    @inline(__always)
    func row(_ number: Int, of connection: Connection) -> Int { connection.firstRequest &+ number & mask }

    /// Reads one send time from the kernel and stores the time in its request.
    ///
    /// - Returns: whether the kernel had a send time to read.
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
