internal import LibUV
internal import ProxyProtocol

/// A connection that a trusted proxy forwards: takes the stream's events until the proxy's header is complete, and hands
/// them to the protocol's handler from there on.
final class ForwardedConnection {
    private let service: LoopService
    private let handler: ProtocolHandler
    private let number: UInt32
    private var parser = ProxyHeaderParser()
    private var isPastHeader = false

    init(_ handler: ProtocolHandler, number: UInt32, service: LoopService) {
        self.handler = handler
        self.number = number
        self.service = service
    }

    /// Begins to wait for the header; the greeting follows it.
    func begin(_ stream: UVTCPStream) throws(UVError) {
        try stream.startReading { stream, event in self.received(event, on: stream) }
        service.awaitHeader(on: stream, number)
    }

    private func received(_ event: borrowing UVStreamEvent, on stream: UVStream) {
        if isPastHeader { return handler.received(event, on: stream) }
        switch event {
        case .bytes(let bytes): readHeader(bytes, on: stream)
        case .end, .failed: stream.close()
        case .written, .closed: handler.received(event, on: stream)
        }
    }

    private func readHeader(_ bytes: Span<UInt8>, on stream: UVStream) {
        switch parser.receive(bytes) {
        case .incomplete: service.dropped(bytes.count)
        case .malformed(let error): service.end(stream, number, because: TrustedProxies.end(error))
        case .complete(let header, let count):
            isPastHeader = true
            service.dropped(count)
            service.headerCame(number, header, from: stream)
            do throws(UVError) { try handler.greet(stream) } catch { return stream.close() }
            if count < bytes.count { handler.answer(bytes.extracting(count..<bytes.count), on: stream) }
        }
    }
}
