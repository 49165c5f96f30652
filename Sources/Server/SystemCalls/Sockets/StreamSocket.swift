public import SocketAddresses
public import CLinux
internal import Glibc

/// A connected TCP socket, closed with its owner.
public struct StreamSocket: ~Copyable, Sendable {
    @usableFromInline let descriptor: FileDescriptor

    @usableFromInline
    init(_ descriptor: consuming FileDescriptor) { self.descriptor = descriptor }

    /// The descriptor's number, for tables and logs; only the socket closes it.
    @inlinable public var rawValue: Int32 { descriptor.rawValue }

    /// Connects to an address with `TCP_NODELAY` and waits at most `timeout` (`socket`, `connect`, `poll`).
    ///
    /// - Throws: the error of the call that failed; `ETIMEDOUT` after the timeout.
    public static func connect(
        to address: SocketAddress, timeout: Duration? = nil
    ) throws(SystemCallError) -> StreamSocket {
        let socket = try startConnecting(to: address)
        guard try socket.wait(for: .writable, timeout: timeout ?? .seconds(Int64.max)) else {
            throw SystemCallError(code: ETIMEDOUT, call: "connect")
        }
        if let failure = connectFailure(on: socket.rawValue) { throw failure }
        try socket.setNonBlocking(false)
        return socket
    }

    /// Takes ownership of the descriptor of a connected socket.
    public init(adopting number: Int32) { self.init(FileDescriptor(owning: number)) }

    /// Closes a connected socket by its descriptor's number (`close`).
    public static func close(_ number: Int32) { _ = Glibc.close(number) }

    /// Transfers ownership of the descriptor to the caller, who closes it with `StreamSocket.close`.
    public consuming func release() -> Int32 { descriptor.release() }

    /// Appends received bytes to the output, at most its free capacity (`recv`).
    ///
    /// - Throws: the connection's error, for example `ECONNRESET`.
    public func receive(into output: inout OutputSpan<UInt8>) throws(SystemCallError) -> IOResult {
        try StreamSocket.receive(on: rawValue, into: &output)
    }

    /// Receives at most `limit` bytes into an array, which is empty at the end of the stream (`recv`).
    public func receive(upTo limit: Int) throws(SystemCallError) -> [UInt8] {
        try [UInt8](capacity: limit) { output throws(SystemCallError) in _ = try receive(into: &output) }
    }

    /// Sends all or some of the bytes (`send` with `MSG_NOSIGNAL`).
    ///
    /// - Throws: the connection's error, for example `EPIPE` or `ECONNRESET`.
    public func send(_ bytes: Span<UInt8>) throws(SystemCallError) -> IOResult {
        try StreamSocket.send(bytes, on: rawValue)
    }

    /// Receives on a socket that is given by its descriptor's number.
    @inline(__always)
    @inlinable
    public static func receive(
        on number: Int32, into output: inout OutputSpan<UInt8>
    ) throws(SystemCallError) -> IOResult {
        let count = unsafe output.withUnsafeMutableBufferPointer { buffer, initializedCount in
            // `recv` may fill the bytes after the initialised ones.
            let count = unsafe clinux_receive(
                number, buffer.baseAddress.map { unsafe $0 + initializedCount }, buffer.count &- initializedCount)
            if count > 0 { initializedCount &+= count }
            return count
        }
        if count > 0 { return .bytes(count) }
        return try unreceived(count)
    }

    /// Sends on a socket that is given by its descriptor's number.
    @inline(__always)
    @inlinable
    public static func send(_ bytes: Span<UInt8>, on number: Int32) throws(SystemCallError) -> IOResult {
        let count = unsafe bytes.withUnsafeBufferPointer { buffer in
            unsafe clinux_send(number, buffer.baseAddress, buffer.count)
        }
        return count >= 0 ? .bytes(count) : try unsent(count)
    }

    @usableFromInline
    static func unreceived(_ count: Int) throws(SystemCallError) -> IOResult {
        if count == 0 { return .end }
        if count == -Int(EAGAIN) { return .wouldBlock }
        throw SystemCallError(code: Int32(clamping: -count), call: "recv")
    }

    @usableFromInline
    static func unsent(_ failure: Int) throws(SystemCallError) -> IOResult {
        if failure == -Int(EAGAIN) { return .wouldBlock }
        throw SystemCallError(code: Int32(clamping: -failure), call: "send")
    }

    /// Sends all bytes on a blocking socket.
    ///
    /// - Returns: the number of bytes sent, which is less than all only if the socket's send timeout has passed.
    public func sendAll(_ bytes: Span<UInt8>) throws(SystemCallError) -> Int {
        var sent = 0
        while sent < bytes.count {
            guard case .bytes(let count) = try send(bytes.extracting(sent..<bytes.count)) else { break }
            sent += count
        }
        return sent
    }

    /// The side of a connection to shut down.
    public enum Side: Int32, Sendable {
        /// The read side (`SHUT_RD`). Bytes that have arrived can still be read.
        case read
        /// The write side (`SHUT_WR`): sends FIN.
        case write
        /// Both sides (`SHUT_RDWR`).
        case both
    }

    /// Shuts down one side of the connection, or both (`shutdown`).
    public func shutdown(_ side: Side) throws(SystemCallError) {
        try StreamSocket.shutdown(side, on: rawValue)
    }

    /// Shuts down a socket that is given by its descriptor's number.
    public static func shutdown(_ side: Side, on number: Int32) throws(SystemCallError) {
        try system("shutdown") { Glibc.shutdown(number, side.rawValue) }
    }

    /// The number of received bytes that have not been read (`FIONREAD`), or 0 if the kernel gives no number.
    public static func unreadByteCount(on number: Int32) -> Int { max(0, Int(clinux_unread_byte_count(number))) }

    /// Waits until the socket is ready or has failed (`poll`).
    ///
    /// - Returns: `false` if the timeout has passed.
    public func wait(for interest: Interest, timeout: Duration) throws(SystemCallError) -> Bool {
        let deadline = ContinuousClock.now.advanced(by: timeout)
        return try waitUntilReady(rawValue, for: interest.contains(.readable) ? POLLIN : POLLOUT, until: deadline)
    }

    /// Closes the connection with a reset (`SO_LINGER` of zero, then `close`).
    public consuming func closeReset() throws(SystemCallError) {
        try SocketOption.setLinger(rawValue, seconds: 0)
    }
}
