/// The times of one request that was replied to.
///
/// Times are nanoseconds of the monotonic clock. The kernel's two times can only be compared with each other.
public struct RequestSample: BitwiseCopyable, Hashable, Sendable {
    /// When the request was due.
    public var intended: UInt64 = 0
    /// When its first byte was sent, or its connection attempt started.
    public var sent: UInt64 = 0
    /// When the last byte of its reply was received and checked.
    public var received: UInt64 = 0
    /// The delay from when the request was due and a connection was free until it was sent.
    public var lag: UInt64 = 0
    /// When the kernel sent its last byte to the network; 0 if unknown.
    public var kernelSent = 0
    /// When the kernel received the last byte of its reply; 0 if unknown.
    public var kernelReceived = 0
    /// The number of the request in the traffic, from 0, in the order in which requests were due.
    public var slot: UInt32 = 0
    /// Which target it was sent to.
    public var target: UInt8 = 0
    /// Whether it was the first of its connection.
    public var isCold = false
    /// Whether it was held because a request to another target was in flight when it was due.
    public var isContended = false

    /// The time from when the request was due to its reply.
    public var responseTime: UInt64 { received &- intended }

    /// The time from when the request was sent to its reply.
    public var serviceTime: UInt64 { received &- sent }

    /// The time from when the kernel sent the request until it received the reply; `nil` if either is unknown.
    public var wireTime: UInt64? {
        guard kernelSent != 0, kernelReceived > kernelSent else { return nil }
        return UInt64(truncatingIfNeeded: kernelReceived &- kernelSent)
    }
}
