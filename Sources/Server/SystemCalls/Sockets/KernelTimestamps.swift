public import CLinux
internal import Glibc

/// The times at which the kernel sent and received bytes on a TCP socket (software timestamps of `SO_TIMESTAMPING`).
///
/// Times are in nanoseconds of the real-time clock. Compare them only with each other.
public enum KernelTimestamps {
    /// Enables timestamps on a connected socket (`setsockopt`).
    ///
    /// The socket must not have sent any bytes yet.
    public static func enable(on number: Int32) throws(SystemCallError) {
        try SocketOption.set(number, SOL_SOCKET, SO_TIMESTAMPING, Int32(clinux_timestamping))
    }

    /// Receives bytes like `StreamSocket.receive`, and also returns their arrival time (`recvmsg`).
    ///
    /// - Parameter time: set to the arrival time of the last segment that was read, or to 0 if the kernel reports no
    ///   time. The kernel may merge queued segments. A merged segment has the arrival time of its last part.
    @inline(__always)
    @inlinable
    public static func receive(
        on number: Int32, into output: inout OutputSpan<UInt8>, time: inout Int
    ) throws(SystemCallError) -> IOResult {
        let count = unsafe output.withUnsafeMutableBufferPointer { buffer, initializedCount in
            // The output has room for `freeCapacity` bytes after its initialised bytes.
            let count = unsafe clinux_receive_stamped(
                number, buffer.baseAddress.map { unsafe $0 + initializedCount }, buffer.count &- initializedCount,
                &time)
            if count > 0 { initializedCount &+= count }
            return count
        }
        if count > 0 { return .bytes(count) }
        return try StreamSocket.unreceived(count)
    }

    /// Reads the next queued send timestamp (`recvmsg` with `MSG_ERRQUEUE`).
    ///
    /// If the kernel has merged several sends, it reports only the timestamp of the last send.
    ///
    /// - Returns: the timestamp of a send, or `nil` if no timestamp is queued. `lastByte` is the offset of the send's
    ///   last byte in the stream, modulo 2³². `time` is the time at which the kernel passed that byte to the network
    ///   device.
    @inlinable
    public static func takeSent(on number: Int32) -> (lastByte: UInt32, time: Int)? {
        var lastByte: UInt32 = 0
        var time = 0
        while true {
            let status = unsafe clinux_take_sent_stamp(number, &lastByte, &time)
            if status < 0 { return nil }
            if status == 1 { return (lastByte, time) }
        }
    }
}
