internal import Logging
internal import SocketAddresses

/// Logs when connections are accepted and closed.
///
/// Accepted and closed connections are logged at level `debug`. A connection that the server closes because of a limit
/// is logged at level `notice`, with the reason.
struct ConnectionLog: Sendable {
    let logger: Logger
    /// Whether the level `debug` is enabled.
    let isVerbose: Bool

    init(logger: Logger) {
        self.logger = logger
        isVerbose = logger.logLevel <= .debug
    }

    /// - Parameters:
    ///   - peer: the other end of the connection.
    ///   - client: the client whose connection the peer forwards, if the peer is a proxy.
    func accepted(_ number: UInt32, from peer: SocketAddress?, forwarding client: SocketAddress? = nil) {
        logger.debug("accepted", metadata: metadata(number, peer, client))
    }

    func closed(_ number: UInt32) { if isVerbose { logger.debug("closed", metadata: metadata(number, nil, nil)) } }

    func closed(
        _ number: UInt32, of peer: SocketAddress?, forwarding client: SocketAddress?, because closure: Closure
    ) {
        var metadata = metadata(number, peer, client)
        metadata["limit"] = "\(closure.reason.rawValue)"
        metadata["reason"] = "\(closure.detail)"
        logger.notice("closed a connection", metadata: metadata)
    }

    /// Logs an error of the listener, unless it is `nil`, which means that the error has been logged already.
    func cannotAccept(_ error: (any Error)?) {
        if let error { logger.warning("cannot accept connections", metadata: ["error": "\(error)"]) }
    }

    func draining(_ count: Int) { logger.info("draining", metadata: ["connections": "\(count)"]) }

    private func metadata(_ number: UInt32, _ peer: SocketAddress?, _ client: SocketAddress?) -> Logger.Metadata {
        var metadata: Logger.Metadata = ["connection": "\(number)"]
        if let address = client ?? peer { metadata["client"] = "\(address)" }
        if client != nil, let peer { metadata["proxy"] = "\(peer)" }
        return metadata
    }
}
