import SocketAddresses

/// Parses the header of the PROXY protocol, version 2, which a proxy sends before a client's first byte.
///
/// The result does not depend on how the bytes are split. The parser does no I/O and has no timeout. It keeps the bytes of
/// an incomplete header, and allocates no memory if the header arrives in one piece.
public struct ProxyHeaderParser: Sendable {
    /// The limit on bytes after a header's first 16: addresses and fields.
    ///
    /// The protocol requires that the header fits into one segment.
    public static var maxBlockLength: Int { 1024 }

    /// The limit on the length of a header in bytes.
    public static var maxLength: Int { ProxyHeaderLayout.fixedLength + maxBlockLength }

    /// The result for the bytes received so far.
    public enum Progress: Hashable, Sendable {
        /// All bytes belong to the header, which is not complete.
        case incomplete
        /// The header is complete. It ends after `consumed` bytes of the last call; the rest are the client's.
        case complete(ProxyHeader, consumed: Int)
        /// The bytes are not a valid header.
        case malformed(ProxyHeaderError)
    }

    /// The bytes of an incomplete header.
    private var prefix: [UInt8] = []

    /// The final result, once there is one.
    private var result: Progress?

    /// Makes the parser of a new connection.
    public init() {}

    /// Parses the bytes received since the last call.
    ///
    /// - Returns: the result for all bytes so far. After `complete` or `malformed`, further calls consume nothing and
    ///   return the same result.
    public mutating func receive(_ bytes: Span<UInt8>) -> Progress {
        if let result { return result }
        let known = prefix.count
        if known > 0 { keep(bytes) }
        let progress = known > 0 ? ProxyHeaderLayout.read(prefix.span) : ProxyHeaderLayout.read(bytes)
        switch progress {
        case .incomplete:
            if known == 0 { keep(bytes) }
            return .incomplete
        case .complete(let header, let length):
            result = .complete(header, consumed: 0)
            prefix = []
            // The header was incomplete before, so it ends in the new bytes.
            return .complete(header, consumed: length - known)
        case .malformed:
            result = progress
            prefix = []
            return progress
        }
    }

    /// Keeps bytes up to the limit of a header, which an incomplete header does not exceed: its length has been checked.
    private mutating func keep(_ bytes: Span<UInt8>) {
        let count = min(bytes.count, Self.maxLength - prefix.count)
        prefix.reserveCapacity(prefix.count + count)
        for index in 0..<count { prefix.append(bytes[index]) }
    }
}
