internal import HTTPProtocol
internal import LibUV
internal import SystemCalls

/// A connection to the administration server, for one request and one response.
///
/// After the response, the server shuts down the write side of the connection. It then reads and drops bytes until the
/// client closes the connection. If the server closed the connection before it had read all bytes, the kernel would
/// send a reset, and the client could lose the response. A timeout limits the duration of the connection.
final class AdminConnection {
    /// The number of connections that the server has accepted before this one.
    let number: Int
    private unowned let owner: AdminLoop
    private let stream: UVTCPStream
    private var timeout: UVTimer?
    private var parser = HTTPRequestParser()
    private var hasResponded = false
    private var hasSent = false
    private var isAtEndOfStream = false

    init(_ number: Int, on stream: UVTCPStream, of owner: AdminLoop) {
        self.number = number
        self.stream = stream
        self.owner = owner
    }

    /// Starts reading from the client, and starts the timeout.
    func start() {
        do throws(UVError) {
            try stream.startReading { [self] _, event in received(event) }
            let timer = try UVTimer(on: owner.loop)
            timeout = timer
            owner.loop.updateTime()
            try timer.start(after: owner.limits.connectionTimeout) { [self] _ in stream.close() }
        } catch {
            timeout?.close()
            // If reading has not started, no `closed` event arrives, so the close callback reports the closure.
            stream.close { [self] in owner.closed(self) }
        }
    }

    /// Closes the connection at the end of the grace period, or immediately if the server has not begun a response.
    func stop() {
        guard hasResponded else { return stream.close() }
        do throws(UVError) {
            owner.loop.updateTime()
            try timeout?.start(after: owner.limits.stopGrace) { [self] _ in stream.close() }
        } catch { stream.close() }
    }

    /// Whether the connection is closing.
    var isClosing: Bool { stream.isClosing }

    /// Whether the kernel has accepted the whole response.
    var isFinished: Bool { hasSent }

    /// Whether the client has not sent a complete request yet.
    var isWaiting: Bool { !hasResponded }

    /// Closes the connection, so that another connection can be accepted.
    func makeRoom() { stream.close() }

    private func received(_ event: borrowing UVStreamEvent) {
        switch event {
        case .bytes(let bytes): if !hasResponded { respond(to: parser.receive(bytes)) }
        case .end:
            isAtEndOfStream = true
            if !hasResponded || hasSent { stream.close() }
        case .written, .drained: break
        case .failed: stream.close()
        case .closed:
            timeout?.close()
            owner.closed(self)
        }
    }

    private func respond(to progress: HTTPRequestParser.Progress) {
        switch progress {
        case .incomplete: break
        case .complete(let request):
            send(owner.routes.response(to: request), withoutContent: request.method == .head)
        case .rejected(let status): send(HTTPResponse(status, "\(status.reason)\n"))
        }
    }

    private func send(_ response: HTTPResponse, withoutContent: Bool = false) {
        hasResponded = true
        let bytes = response.bytes(date: WallClock.httpDate(), withoutContent: withoutContent)
        var buffer = stream.makeBuffer(capacity: bytes.count)
        buffer.append(copying: bytes.span)
        do throws(UVError) {
            try stream.write(buffer)
            try stream.shutdown { [self] result in
                hasSent = true
                if isAtEndOfStream || (try? result.get()) == nil { stream.close() }
                owner.finished()
            }
        } catch { stream.close() }
    }
}
