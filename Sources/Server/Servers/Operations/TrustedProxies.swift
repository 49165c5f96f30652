internal import ProxyProtocol
internal import SocketAddresses

/// The proxies whose connections begin with a header of the PROXY protocol.
///
/// The peer's address alone decides whether a connection begins with a header; the bytes are never guessed at.
struct TrustedProxies: Sendable {
    private let blocks: [CIDRBlock]

    /// How long a proxy may take to send its header.
    static let timeout = Duration.seconds(3)

    init(_ blocks: [CIDRBlock]) { self.blocks = blocks }

    /// Whether no proxy is trusted.
    var isEmpty: Bool { blocks.isEmpty }

    /// Whether a connection from an address must begin with a header.
    func contains(_ address: SocketAddress?) -> Bool {
        guard let address else { return false }
        return blocks.contains { $0.contains(address.ip) }
    }

    /// The closure of a connection with an invalid header.
    static func invalid(_ error: ProxyHeaderError) -> Closure {
        Closure(reason: .proxyHeader, detail: "\(error) (--proxy-protocol)")
    }

    static let tooLate = Closure(
        reason: .proxyHeader, detail: "no PROXY protocol header arrived within \(timeout.text) (--proxy-protocol)")
}
