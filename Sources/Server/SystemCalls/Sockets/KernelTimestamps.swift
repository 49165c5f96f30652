public import CLinux
internal import Glibc

/// The kernel's own times of sending and receiving on a TCP socket (`SO_TIMESTAMPING`, software).
///
/// Times are nanoseconds of the real-time clock. Compare them only with each other.
public enum KernelTimestamps {
    /// Enables timestamps on a connected socket that has not sent anything yet (`setsockopt`).
    public static func enable(on number: Int32) throws(SystemCallError) {
        try SocketOption.set(number, SOL_SOCKET, SO_TIMESTAMPING, Int32(clinux_timestamping))
    }

    /// Receives as `StreamSocket.receive` does (`recvmsg`).
    ///
    /// - Parameter time: set to the arrival time of the last segment that was read, or to 0 if the kernel has none. The
    ///   kernel may join queued segments; a joined segment has the time of its last part.
    @inline(__always)
    @inlinable
    public static func receive(
        on number: Int32, into output: inout OutputSpan<UInt8>, time: inout Int
    ) throws(SystemCallError) -> IOResult {
        let count = unsafe output.withUnsafeMutableBufferPointer { buffer, initializedCount in
            // `recv` may fill the bytes after the initialised ones.
            let count = unsafe clinux_receive_stamped(
                number, buffer.baseAddress.map { unsafe $0 + initializedCount }, buffer.count &- initializedCount,
                &time)
            if count > 0 { initializedCount &+= count }
            return count
        }
        if count > 0 { return .bytes(count) }
        return try StreamSocket.unreceived(count)
    }

    /// Reads the time of one send (`recvmsg` with `MSG_ERRQUEUE`), or `nil` if none is queued.
    ///
    /// Sends that the kernel has joined have one time, that of the last.
    ///
    /// - Returns: the offset of the send's last byte in the stream, modulo 2³², and the time at which the kernel passed
    ///   that byte to the network device.
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
