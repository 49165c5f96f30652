public import SocketAddresses
public import CLinux
internal import Glibc

/// A connected stream socket, closed when its owner goes.
public struct StreamSocket: ~Copyable, Sendable {
    @usableFromInline let descriptor: FileDescriptor

    @usableFromInline
    init(_ descriptor: consuming FileDescriptor) { self.descriptor = descriptor }

    /// The descriptor's number, as a token for tables and logs; it stays the socket's.
    @inlinable public var rawValue: Int32 { descriptor.rawValue }

    /// Connects to an address (`socket`, `connect`), waiting for at most `timeout`.
    ///
    /// - Throws: `SystemCallError` of the call that failed; `ETIMEDOUT` where the timeout passes.
    public static func connect(
        to address: SocketAddress, timeout: Duration? = nil
    ) throws(SystemCallError) -> StreamSocket {
        let family = address.family == .ipv4 ? AF_INET : AF_INET6
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let socket = StreamSocket(FileDescriptor(owning: try system("socket") { Glibc.socket(family, type, 0) }))
        guard let timeout else {
            try unsafe SystemAddress.with(address) { form, length throws(SystemCallError) in
                _ = try system("connect") { unsafe Glibc.connect(socket.rawValue, form, length) }
            }
            return socket
        }
        try socket.setNonBlocking(true)
        try unsafe SystemAddress.with(address) { form, length throws(SystemCallError) in
            let status = unsafe Glibc.connect(socket.rawValue, form, length)
            let code = errno
            if status < 0, code != EINPROGRESS { throw SystemCallError(code: code, call: "connect") }
        }
        guard try socket.wait(for: .writable, timeout: timeout) else {
            throw SystemCallError(code: ETIMEDOUT, call: "connect")
        }
        let code = try SocketOption.get(socket.rawValue, SOL_SOCKET, SO_ERROR)
        if code != 0 { throw SystemCallError(code: code, call: "connect") }
        try socket.setNonBlocking(false)
        return socket
    }

    /// Takes over the descriptor of a connected socket, as `release` gave it.
    public init(adopting number: Int32) { self.init(FileDescriptor(owning: number)) }

    /// Closes a socket by its descriptor, which must be open and owned by the caller (`close`).
    public static func close(_ number: Int32) { _ = StreamSocket(adopting: number) }

    /// Gives the descriptor up to the caller, who adopts it again to close it.
    public consuming func release() -> Int32 { descriptor.release() }

    /// Receives what has come, at most the output's free capacity, and appends it (`recv`).
    ///
    /// - Throws: the peer's reset and the like.
    public func receive(into output: inout OutputSpan<UInt8>) throws(SystemCallError) -> IOResult {
        try StreamSocket.receive(on: rawValue, into: &output)
    }

    /// Sends bytes, or some of them (`send` with `MSG_NOSIGNAL`).
    ///
    /// - Throws: `EPIPE`, `ECONNRESET` and the like where the peer is gone.
    public func send(_ bytes: Span<UInt8>) throws(SystemCallError) -> IOResult {
        try StreamSocket.send(bytes, on: rawValue)
    }

    /// Receives on a socket that is known by its descriptor's number; as the method of the same name.
    @inline(__always)
    @inlinable
    public static func receive(
        on number: Int32, into output: inout OutputSpan<UInt8>
    ) throws(SystemCallError) -> IOResult {
        let count = unsafe output.withUnsafeMutableBufferPointer { buffer, initializedCount in
            // The bytes behind the initialised ones are the output's to fill.
            let count = unsafe clinux_receive(
                number, buffer.baseAddress.map { unsafe $0 + initializedCount }, buffer.count &- initializedCount)
            if count > 0 { initializedCount &+= count }
            return count
        }
        if count > 0 { return .bytes(count) }
        return try unreceived(count)
    }

    /// Sends on a socket that is known by its descriptor's number; as the method of the same name.
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

    /// Sends all of the bytes, waiting where the socket blocks.
    ///
    /// - Returns: how many bytes were sent: fewer than all only where the socket's send timeout has passed.
    public func sendAll(_ bytes: Span<UInt8>) throws(SystemCallError) -> Int {
        var sent = 0
        while sent < bytes.count {
            guard case .bytes(let count) = try send(bytes.extracting(sent..<bytes.count)) else { break }
            sent += count
        }
        return sent
    }

    /// Which side of a connection a shutdown ends.
    public enum Side: Sendable {
        /// Nothing more is read; what has come already can be.
        case read
        /// Nothing more is sent: the peer reads the end.
        case write
        /// Both.
        case both
    }

    /// Ends one side of the connection, or both (`shutdown`).
    public func shutdown(_ side: Side) throws(SystemCallError) {
        try SocketOption.shutdown(rawValue, side)
    }

    /// Ends this side of a connection that is known by its descriptor's number; the descriptor stays its owner's.
    public static func shutdown(_ side: Side, on number: Int32) throws(SystemCallError) {
        try SocketOption.shutdown(number, side)
    }

    /// How many bytes have come that are not read yet (`FIONREAD`); 0 where that cannot be told.
    public static func unreadByteCount(on number: Int32) -> Int { max(0, Int(clinux_unread_byte_count(number))) }

    /// What `wait` waits for.
    public enum Readiness: Sendable {
        /// Bytes, or the end, can be received.
        case readable
        /// Bytes can be sent.
        case writable
    }

    /// Waits until the socket is ready, or has failed (`poll`).
    ///
    /// - Returns: whether it is: false where the timeout has passed.
    public func wait(for readiness: Readiness, timeout: Duration) throws(SystemCallError) -> Bool {
        let deadline = ContinuousClock.now.advanced(by: timeout)
        let events = Int16(readiness == .readable ? POLLIN : POLLOUT)
        while true {
            var entry = pollfd(fd: rawValue, events: events, revents: 0)
            let left = ContinuousClock.now.duration(to: deadline)
            let count = unsafe poll(&entry, 1, Int32(clamping: max(0, left.milliseconds)))
            let code = errno
            if count > 0 { return true }
            if count == 0, ContinuousClock.now >= deadline { return false }
            if count < 0, code != EINTR { throw SystemCallError(code: code, call: "poll") }
        }
    }

    /// Closes with a reset instead of an orderly end (`SO_LINGER` of zero, then `close`).
    public consuming func closeReset() throws(SystemCallError) {
        try SocketOption.setLinger(rawValue, seconds: 0)
    }
}

extension Duration {
    /// Whole milliseconds, rounded up and cut to what an `Int` holds.
    var milliseconds: Int {
        let (seconds, attoseconds) = components
        let (product, overflows) = seconds.multipliedReportingOverflow(by: 1000)
        if overflows { return seconds < 0 ? .min : .max }
        let part = attoseconds / 1_000_000_000_000_000 + (attoseconds % 1_000_000_000_000_000 > 0 ? 1 : 0)
        let (sum, sumOverflows) = product.addingReportingOverflow(part)
        return sumOverflows ? .max : Int(clamping: sum)
    }
}
