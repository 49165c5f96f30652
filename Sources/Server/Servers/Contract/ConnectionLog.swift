internal import Logging
internal import SocketAddresses

/// Says in the log what becomes of connections, each by its number.
///
/// The life of a connection is told at `debug`; what a limit ends at `notice`, with the reason.
struct ConnectionLog: Sendable {
    let logger: Logger
    /// Whether the lives of connections are told.
    let tellsAll: Bool

    init(logger: Logger) {
        self.logger = logger
        tellsAll = logger.logLevel <= .debug
    }

    /// - Parameters:
    ///   - peer: the other end of the connection.
    ///   - client: whose connection the peer forwards, where it is a proxy.
    func accepted(_ number: UInt32, from peer: SocketAddress?, forwarding client: SocketAddress? = nil) {
        logger.debug("accepted", metadata: metadata(number, peer, client))
    }

    func closed(_ number: UInt32) { if tellsAll { logger.debug("closed", metadata: metadata(number, nil, nil)) } }

    func ended(
        _ number: UInt32, of peer: SocketAddress?, forwarding client: SocketAddress? = nil, because end: ConnectionEnd
    ) {
        var metadata = metadata(number, peer, client)
        metadata["limit"] = "\(end.reason.rawValue)"
        metadata["reason"] = "\(end.detail)"
        logger.notice("ended a connection", metadata: metadata)
    }

    func draining(_ count: Int) { logger.info("draining", metadata: ["connections": "\(count)"]) }

    private func metadata(_ number: UInt32, _ peer: SocketAddress?, _ client: SocketAddress?) -> Logger.Metadata {
        var metadata: Logger.Metadata = ["connection": "\(number)"]
        if let address = client ?? peer { metadata["client"] = "\(address)" }
        if client != nil, let peer { metadata["proxy"] = "\(peer)" }
        return metadata
    }
}
