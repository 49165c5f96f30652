public import SocketAddresses
public import CLinux
internal import Glibc

/// A connected TCP socket, which is closed when this value is destroyed.
public struct StreamSocket: ~Copyable, Sendable {
    @usableFromInline let descriptor: FileDescriptor

    @usableFromInline
    init(_ descriptor: consuming FileDescriptor) { self.descriptor = descriptor }

    /// The descriptor's number, for use in tables and logs.
    ///
    /// The caller must not close the descriptor.
    @inlinable public var rawValue: Int32 { descriptor.rawValue }

    /// Connects a socket with `TCP_NODELAY` to an address, and waits at most `timeout` (`socket`, `connect`, `poll`).
    ///
    /// - Throws: the error of the call that failed, or `ETIMEDOUT` if the timeout has passed.
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

    /// Closes a connected socket, given its descriptor's number (`close`).
    public static func close(_ number: Int32) { _ = Glibc.close(number) }

    /// Transfers ownership of the descriptor to the caller, which must close it with `StreamSocket.close`.
    public consuming func release() -> Int32 { descriptor.release() }

    /// Receives bytes and appends them to the output, up to its free capacity (`recv`).
    ///
    /// - Throws: the connection's error, for example `ECONNRESET`.
    public func receive(into output: inout OutputSpan<UInt8>) throws(SystemCallError) -> IOResult {
        try StreamSocket.receive(on: rawValue, into: &output)
    }

    /// Receives at most `limit` bytes (`recv`).
    ///
    /// The array is empty at the end of the stream.
    public func receive(upTo limit: Int) throws(SystemCallError) -> [UInt8] {
        try [UInt8](capacity: limit) { output throws(SystemCallError) in _ = try receive(into: &output) }
    }

    /// Sends all or some of the bytes (`send` with `MSG_NOSIGNAL`).
    ///
    /// - Throws: the connection's error, for example `EPIPE` or `ECONNRESET`.
    public func send(_ bytes: Span<UInt8>) throws(SystemCallError) -> IOResult {
        try StreamSocket.send(bytes, on: rawValue)
    }

    /// Receives bytes from a socket, given its descriptor's number.
    @inline(__always)
    @inlinable
    public static func receive(
        on number: Int32, into output: inout OutputSpan<UInt8>
    ) throws(SystemCallError) -> IOResult {
        let count = unsafe output.withUnsafeMutableBufferPointer { buffer, initializedCount in
            // The output has room for `freeCapacity` bytes after its initialised bytes.
            let count = unsafe clinux_receive(
                number, buffer.baseAddress.map { unsafe $0 + initializedCount }, buffer.count &- initializedCount)
            if count > 0 { initializedCount &+= count }
            return count
        }
        if count > 0 { return .bytes(count) }
        return try unreceived(count)
    }

    /// Sends bytes on a socket, given its descriptor's number.
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
    /// - Returns: the number of bytes sent. It is smaller than `bytes.count` only if the socket's send timeout has
    ///   passed.
    public func sendAll(_ bytes: Span<UInt8>) throws(SystemCallError) -> Int {
        var sent = 0
        while sent < bytes.count {
            guard case .bytes(let count) = try send(bytes.extracting(sent..<bytes.count)) else { break }
            sent += count
        }
        return sent
    }

    /// The sides of a connection that can be shut down.
    public enum Side: Int32, Sendable {
        /// The read side (`SHUT_RD`). Bytes that have already arrived can still be read.
        case read
        /// The write side (`SHUT_WR`). The kernel sends FIN.
        case write
        /// Both sides (`SHUT_RDWR`).
        case both
    }

    /// Shuts down one or both sides of the connection (`shutdown`).
    public func shutdown(_ side: Side) throws(SystemCallError) {
        try StreamSocket.shutdown(side, on: rawValue)
    }

    /// Shuts down one or both sides of a socket, given its descriptor's number.
    public static func shutdown(_ side: Side, on number: Int32) throws(SystemCallError) {
        try system("shutdown") { Glibc.shutdown(number, side.rawValue) }
    }

    /// Returns the number of received bytes that have not been read, or 0 if the kernel does not report it
    /// (`FIONREAD`).
    public static func unreadByteCount(on number: Int32) -> Int { max(0, Int(clinux_unread_byte_count(number))) }

    /// Waits until the socket is ready or has failed (`poll`).
    ///
    /// - Returns: `true` if the socket is ready or has failed; `false` if the timeout has passed.
    public func wait(for interest: Interest, timeout: Duration) throws(SystemCallError) -> Bool {
        let deadline = ContinuousClock.now.advanced(by: timeout)
        return try waitUntilReady(rawValue, for: interest.contains(.readable) ? POLLIN : POLLOUT, until: deadline)
    }

    /// Closes the connection with a reset (`SO_LINGER` of zero, then `close`).
    public consuming func closeReset() throws(SystemCallError) {
        try SocketOption.setLinger(rawValue, seconds: 0)
    }
}
