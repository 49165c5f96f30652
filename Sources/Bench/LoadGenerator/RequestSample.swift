/// The times of one request that received a reply.
///
/// Times are nanoseconds of the monotonic clock. The kernel's two times come from another clock, and can only be
/// compared with each other.
public struct RequestSample: BitwiseCopyable, Hashable, Sendable {
    /// The time at which the request was due.
    public var intended: UInt64 = 0
    /// The time at which the request's first byte was sent.
    ///
    /// If the request opened a connection, this is the time at which the connection attempt began.
    public var sent: UInt64 = 0
    /// The time at which the last byte of the reply was received and checked.
    public var received: UInt64 = 0
    /// The delay from the earliest time at which the request could be sent until it was sent.
    public var lag: UInt64 = 0
    /// The time at which the kernel sent the last byte of the request; 0 if unknown.
    public var kernelSent = 0
    /// The time at which the kernel received the last byte of the reply; 0 if unknown.
    public var kernelReceived = 0
    /// The request's number in the traffic.
    ///
    /// Requests are numbered from 0, in the order in which they were due.
    public var slot: UInt32 = 0
    /// The index of the target to which the request was sent.
    public var target: UInt8 = 0
    /// Whether the request was the first on its connection.
    public var isCold = false
    /// Whether the request had to wait because, when it was due, a request to another target was in flight.
    public var isContended = false

    /// The time from when the request was due until its reply was received.
    public var responseTime: UInt64 { received &- intended }

    /// The time from when the request was sent until its reply was received.
    public var serviceTime: UInt64 { received &- sent }

    /// The time from when the kernel sent the request until the kernel received the reply; `nil` if either time is
    /// unknown.
    public var wireTime: UInt64? {
        guard kernelSent != 0, kernelReceived > kernelSent else { return nil }
        return UInt64(truncatingIfNeeded: kernelReceived &- kernelSent)
    }
}
