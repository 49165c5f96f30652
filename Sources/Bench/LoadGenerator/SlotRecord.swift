/// What became of one request that was answered.
///
/// Times are nanoseconds of the monotonic clock, but for the kernel's, which are comparable with each other only.
public struct SlotRecord: BitwiseCopyable, Hashable, Sendable {
    /// When the request was due.
    public var intended: UInt64
    /// When its first byte was sent, or its connect begun.
    public var sent: UInt64
    /// When the last byte of its answer was received and found right.
    public var received: UInt64
    /// How long it left later than it could have: since it was due, and a connection was free.
    public var lag: UInt64
    /// When the kernel gave its last byte to the network; 0 where that is not known.
    public var kernelSent: Int
    /// When the last byte of its answer had come to the kernel; 0 where that is not known.
    public var kernelReceived: Int
    /// Which request of the traffic it is, from 0, in the order in which they were due.
    public var slot: UInt32
    /// The payload's bytes.
    public var payloadCount: UInt32
    /// Which target it went to.
    public var variant: UInt8
    /// Whether it was the first of its connection.
    public var isCold: Bool
    /// Whether it was due while a request to another target was not answered yet, and waited for that.
    public var isContended: Bool

    /// From when the request was due to its answer.
    public var responseTime: UInt64 { received &- intended }

    /// From when the request was sent to its answer.
    public var serviceTime: UInt64 { received &- sent }

    /// From the kernel's sending of the request to its receiving of the answer; `nil` where one of them is not known.
    public var wireTime: UInt64? {
        guard kernelSent != 0, kernelReceived > kernelSent else { return nil }
        return UInt64(truncatingIfNeeded: kernelReceived &- kernelSent)
    }

    static let empty = SlotRecord(
        intended: 0, sent: 0, received: 0, lag: 0, kernelSent: 0, kernelReceived: 0, slot: 0, payloadCount: 0,
        variant: 0,
        isCold: false, isContended: false)
}
