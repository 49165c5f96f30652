internal import LibUV
internal import ProxyProtocol

extension LoopService {
    /// Looks every now and then whether a balancer has let its time pass.
    func startAwaitingHeaders() throws(UVError) {
        guard !proxies.isEmpty else { return }
        let timer = try UVTimer(on: loop)
        timer.unref()
        let pace = TrustedProxies.timeout / 6
        try timer.start(after: pace, repeating: pace) { [unowned self] _ in endLateHeaders() }
    }

    /// A connection is to begin with a header.
    func awaitHeader(on stream: UVTCPStream, _ number: UInt32) {
        awaitedHeaders[number] = (stream, loop.now + TrustedProxies.timeout)
    }

    /// The header of a connection is complete.
    func headerCame(_ number: UInt32, _ header: ProxyHeader, from stream: UVStream) {
        awaitedHeaders[number] = nil
        clients[number] = header.source
        guard log.tellsAll, let stream = stream as? UVTCPStream else { return }
        log.accepted(number, from: try? stream.remoteAddress, forwarding: header.source)
    }

    private func endLateHeaders() {
        for (number, awaited) in awaitedHeaders where awaited.deadline <= loop.now {
            awaitedHeaders[number] = nil
            end(awaited.stream, number, because: TrustedProxies.tooLate)
        }
    }
}
