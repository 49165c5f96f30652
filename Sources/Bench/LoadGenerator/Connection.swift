/// One connection of a load: a row of a table.
struct Connection: BitwiseCopyable {
    enum Phase: UInt8 {
        /// There is none, and there may be one again.
        case free
        /// The greeting is awaited.
        case opening
        /// Requests are sent and answers awaited.
        case open
        /// This side has ended; the server's end is awaited.
        case ending
        /// It has failed or ended, and stays so.
        case retired
    }

    enum Role: UInt8 {
        /// It carries requests, one after another or several at once.
        case requests
        /// It carries messages without a pause.
        case bulk
        /// It is greeted and says nothing.
        case idle
        /// It sends without a pause, and reads little by little.
        case slowReader
        /// It sends little by little.
        case slowWriter
    }

    var descriptor: Int32 = -1
    var phase = Phase.free
    var role = Role.requests
    var variant: UInt8 = 0
    /// Whether the poller waits for room to send.
    var waitsToSend = false
    /// Whether no request has been answered yet.
    var isCold = true
    /// Whether it stands in the queue of those that have room for a request.
    var isQueued = false
    /// The frame of the next request, before it is cut to the frames that there are.
    var nextFrame = 0
    /// Requests that were begun, and those that were answered; between them are those in flight.
    var begunCount = 0
    var answeredCount = 0
    /// Requests that were sent whole, and bytes of the one that is not.
    var sentCount = 0
    var partlySent = 0
    /// Bytes that have come of the answer that is awaited.
    var partlyAnswered = 0
    /// Bytes that were sent in all, which tell the kernel's timestamps apart.
    var sentByteCount = 0
    /// Bytes of answers that have come in all; kept for streams.
    var receivedByteCount = 0

    var inFlightCount: Int { begunCount &- answeredCount }
    /// Whether it carries a stream of messages and no single requests.
    var isStream: Bool { role == .bulk || role == .slowReader || role == .slowWriter }
}

/// A request in flight: a row of a table, where each connection has as many as it may have in flight.
struct Request: BitwiseCopyable {
    var intended: UInt64 = 0
    var sent: UInt64 = 0
    var lag: UInt64 = 0
    var kernelSent = 0
    /// The offset of its last byte among the bytes of its connection, modulo 2³².
    var lastByte: UInt32 = 0
    var frame = 0
    var size = 0
    /// Which slot of the load it is, from 0.
    var slot: UInt32 = 0
    var isContended = false
}
