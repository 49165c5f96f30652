import SocketAddresses

/// Parses a header of the PROXY protocol, version 2.
///
/// A proxy sends the header before the client's bytes.
///
/// The result does not depend on how the bytes are split into reads. The parser performs no I/O and has no timeout. It
/// stores the bytes of an incomplete header, and allocates no memory if the whole header arrives in one read.
public struct ProxyHeaderParser: Sendable {
    /// The maximum number of bytes in a header after its first 16 bytes.
    ///
    /// These bytes contain the addresses and the fields.
    ///
    /// The protocol requires a proxy to send the header in one segment. The headers of real proxies are much shorter
    /// than this limit.
    public static var maxBlockLength: Int { 1024 }

    /// The maximum length of a whole header in bytes.
    public static var maxLength: Int { ProxyHeaderLayout.fixedLength + maxBlockLength }

    /// The result of parsing the bytes received so far.
    public enum Progress: Hashable, Sendable {
        /// The header is not complete. All bytes so far belong to it.
        case incomplete
        /// The header is complete. It ends after the first `consumed` bytes of the last call. The remaining bytes are
        /// from the client.
        case complete(ProxyHeader, consumed: Int)
        /// The bytes are not a valid header.
        case malformed(ProxyHeaderError)
    }

    /// The bytes of an incomplete header.
    private var prefix: [UInt8] = []

    /// The final result, or `nil` if the header is not complete.
    private var result: Progress?

    /// Makes a parser for a new connection.
    public init() {}

    /// Parses the bytes received since the last call.
    ///
    /// - Returns: the result for all bytes so far. After `complete` or `malformed`, later calls consume nothing and
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
            // The header was incomplete before this call, so it ends within the new bytes.
            return .complete(header, consumed: length - known)
        case .malformed:
            result = progress
            prefix = []
            return progress
        }
    }

    /// Stores bytes, up to the maximum length of a header.
    ///
    /// The function drops bytes beyond this length. An incomplete header has no such bytes, because a header that
    /// exceeds this length is malformed.
    private mutating func keep(_ bytes: Span<UInt8>) {
        let count = min(bytes.count, Self.maxLength - prefix.count)
        prefix.reserveCapacity(prefix.count + count)
        for index in 0..<count { prefix.append(bytes[index]) }
    }
}
