public import CLinux
internal import Glibc

/// When the kernel sent and received the bytes of a TCP socket (`SO_TIMESTAMPING`, software).
///
/// Times are nanoseconds of the clock of the day, comparable with each other only.
public enum KernelTimestamps {
    /// Asks for the times of a connected socket on which nothing has been sent yet (`setsockopt`).
    ///
    /// - Throws: where the kernel gives none for such a socket.
    public static func enable(on number: Int32) throws(SystemCallError) {
        try SocketOption.set(number, SOL_SOCKET, SO_TIMESTAMPING, Int32(clinux_timestamping))
    }

    /// Receives as `StreamSocket.receive` does (`recvmsg`).
    ///
    /// - Parameter time: when the last segment that bytes were taken of had come; 0 where the kernel does not tell. A
    ///   segment that waited in the queue may have been joined to those behind it, and then has their time.
    @inline(__always)
    @inlinable
    public static func receive(
        on number: Int32, into output: inout OutputSpan<UInt8>, time: inout Int
    ) throws(SystemCallError) -> IOResult {
        let count = unsafe output.withUnsafeMutableBufferPointer { buffer, initializedCount in
            // The bytes behind the initialised ones are the output's to fill.
            let count = unsafe clinux_receive_stamped(
                number, buffer.baseAddress.map { unsafe $0 + initializedCount }, buffer.count &- initializedCount,
                &time)
            if count > 0 { initializedCount &+= count }
            return count
        }
        if count > 0 { return .bytes(count) }
        return try StreamSocket.unreceived(count)
    }

    /// When a send left.
    @frozen
    public struct Sent: BitwiseCopyable, Hashable, Sendable {
        /// The offset of the send's last byte among all that was sent, modulo 2³².
        public var lastByte: UInt32
        /// When the kernel gave that byte to the network.
        public var time: Int

        @inlinable
        init(lastByte: UInt32, time: Int) {
            self.lastByte = lastByte
            self.time = time
        }
    }

    /// Takes the time of one send (`recvmsg` with `MSG_ERRQUEUE`); `nil` where none waits.
    ///
    /// Sends that the kernel joined have one time, that of the last.
    @inlinable
    public static func takeSent(on number: Int32) -> Sent? {
        var lastByte: UInt32 = 0
        var time = 0
        while true {
            let status = unsafe clinux_take_sent_stamp(number, &lastByte, &time)
            if status < 0 { return nil }
            if status == 1 { return Sent(lastByte: lastByte, time: time) }
        }
    }
}
