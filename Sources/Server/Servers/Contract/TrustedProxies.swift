internal import ProxyProtocol
internal import SocketAddresses

/// The balancers that say whose connections they forward, and what a server owes to such a connection.
///
/// Whether a connection begins with a header of the PROXY protocol is known by where it comes from, and never guessed.
struct TrustedProxies: Sendable {
    private let blocks: [AddressBlock]

    /// How long a balancer has for its header.
    static let timeout = Duration.seconds(3)

    init(_ blocks: [AddressBlock]) { self.blocks = blocks }

    /// Whether no connection is forwarded.
    var isEmpty: Bool { blocks.isEmpty }

    /// Whether a connection from an address must begin with a header.
    func contains(_ address: SocketAddress?) -> Bool {
        guard let address else { return false }
        return blocks.contains { $0.contains(address.ip) }
    }

    /// Why a connection without a good header in time is ended.
    static func end(_ error: ProxyHeaderError) -> ConnectionEnd {
        ConnectionEnd(reason: .proxyHeader, detail: "\(error) (--proxy-protocol)")
    }

    static let tooLate = ConnectionEnd(
        reason: .proxyHeader, detail: "no PROXY protocol header came within \(timeout.text) (--proxy-protocol)")
}
