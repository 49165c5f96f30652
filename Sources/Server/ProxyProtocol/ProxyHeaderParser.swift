import SocketAddresses

/// Reads the header that a proxy sends before a client's first byte: the PROXY protocol, version 2.
///
/// Bytes come in as they are received, cut anywhere; the result does not depend on where. The parser does no I/O, keeps
/// what it has seen of an unfinished header and nothing else, and holds no memory where the header comes in one piece.
/// How long a peer may take is the caller's to decide.
public struct ProxyHeaderParser: Sendable {
    /// Bytes that are accepted behind a header's first 16: addresses, and fields of which senders must not send more
    /// than fit into one segment with them.
    public static var maxBlockLength: Int { 1024 }

    /// Bytes that a whole header may have.
    public static var maxLength: Int { ProxyHeaderLayout.fixedLength + maxBlockLength }

    /// What the received bytes amount to.
    public enum Progress: Hashable, Sendable {
        /// All bytes belong to the header, and more are expected.
        case incomplete
        /// The header is complete. It ends `consumed` bytes into those that were passed in last; the rest is the client's.
        case complete(ProxyHeader, consumed: Int)
        /// No valid header can come any more.
        case malformed(ProxyHeaderError)
    }

    /// What has come of a header that is not complete.
    private var prefix: [UInt8] = []

    /// Whether the result is known, which ends the parser's life.
    private var result: Progress?

    /// Makes the parser of a new connection.
    public init() {}

    /// Takes bytes that were received.
    ///
    /// - Parameter bytes: what has come since the last call.
    /// - Returns: what all bytes so far amount to. Once that is `complete` or `malformed`, further calls consume nothing
    ///   and return the same.
    public mutating func receive(_ bytes: Span<UInt8>) -> Progress {
        if let result { return result }
        let progress = prefix.isEmpty ? read(bytes) : readBehindPrefix(bytes)
        switch progress {
        case .incomplete: return .incomplete
        case .complete(let header, _): result = .complete(header, consumed: 0)
        case .malformed: result = progress
        }
        prefix = []
        return progress
    }

    /// The usual case: the whole header lies in the bytes themselves.
    private mutating func read(_ bytes: Span<UInt8>) -> Progress {
        let progress = ProxyHeaderLayout.read(bytes)
        // An incomplete header is shorter than the limit, which is checked before its end is waited for.
        if progress == .incomplete { keep(bytes, count: bytes.count) }
        return progress
    }

    private mutating func readBehindPrefix(_ bytes: Span<UInt8>) -> Progress {
        let known = prefix.count
        keep(bytes, count: min(bytes.count, Self.maxLength - known))
        let progress = ProxyHeaderLayout.read(prefix.span)
        // What came before was not enough: the end lies in the new bytes.
        if case .complete(let header, let length) = progress { return .complete(header, consumed: length - known) }
        return progress
    }

    private mutating func keep(_ bytes: Span<UInt8>, count: Int) {
        prefix.reserveCapacity(prefix.count + count)
        for index in 0..<count { prefix.append(bytes[index]) }
    }
}
