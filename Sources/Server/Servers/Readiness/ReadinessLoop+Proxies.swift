internal import ProxyProtocol
internal import SocketAddresses
internal import SystemCalls

/// Connections whose proxy has not sent its header yet, and whose connections proxies forward.
struct ForwardedConnections {
    let proxies: TrustedProxies
    var parsers: [Int32: (parser: ProxyHeaderParser, deadline: Duration)] = [:]
    var clients: [Int32: SocketAddress] = [:]

    /// Forgets a connection that has closed.
    mutating func forget(_ descriptor: Int32) {
        if proxies.isEmpty { return }
        parsers[descriptor] = nil
        clients[descriptor] = nil
    }
}

extension ReadinessLoop where Waiting: ~Copyable {
    /// Reads the header that a proxy sends before the client's first byte; the greeting follows it.
    mutating func readHeader(_ descriptor: Int32) {
        guard var awaited = forwarded.parsers[descriptor] else { return }
        switch input.withBytes({ awaited.parser.receive($0) }) {
        case .incomplete: forwarded.parsers[descriptor] = awaited
        case .malformed(let error): end(descriptor, because: TrustedProxies.end(error))
        case .complete(let header, let count):
            forwarded.parsers[descriptor] = nil
            forwarded.clients[descriptor] = header.source
            if log.tellsAll {
                log.accepted(
                    connections[Int(descriptor)].number, from: StreamSocket.remoteAddress(of: descriptor),
                    forwarding: header.source)
            }
            input.removeFirst(count)
            connections[Int(descriptor)].phase = .serving
            greet(descriptor)
            let connection = connections[Int(descriptor)]
            if input.count > 0, connection.phase == .serving { answer(descriptor, connection) }
        }
    }

    mutating func endLateHeaders() {
        for (descriptor, awaited) in forwarded.parsers where awaited.deadline <= now {
            end(descriptor, because: TrustedProxies.tooLate)
        }
    }
}
