internal import HTTPProtocol
internal import LibUV
internal import SystemCalls

/// One connection of the administration: a request, its answer, and the end.
///
/// The answer ends this side of the connection. What the client still sends is read and dropped until it ends its own
/// side, so that no reset overtakes the answer; a deadline ends all that.
final class AdminConversation {
    private unowned let service: AdminService
    private let stream: UVTCPStream
    private var deadline: UVTimer?
    private var parser = HTTPRequestParser()
    private var hasAnswered = false
    private var hasSent = false
    private var clientHasEnded = false

    init(on stream: UVTCPStream, of service: AdminService) {
        self.stream = stream
        self.service = service
    }

    /// Begins to read, until the deadline.
    func begin() {
        do throws(UVError) {
            try stream.startReading { [self] _, event in received(event) }
            let timer = try UVTimer(on: service.loop)
            deadline = timer
            service.loop.updateTime()
            try timer.start(after: service.limits.connectionTimeout) { [self] _ in stream.close() }
        } catch { failed() }
    }

    /// Closes at once where nothing has been asked, and soon where an answer is under way.
    func stop() {
        guard hasAnswered else { return stream.close() }
        do throws(UVError) {
            service.loop.updateTime()
            try deadline?.start(after: service.limits.stopGrace) { [self] _ in stream.close() }
        } catch { stream.close() }
    }

    /// A connection that could not be begun: without a closure, its close is not reported.
    private func failed() {
        deadline?.close()
        stream.close { [self] in service.ended(self) }
    }

    private func received(_ event: borrowing UVStreamEvent) {
        switch event {
        case .bytes(let bytes): if !hasAnswered { answer(parser.receive(bytes)) }
        case .end:
            clientHasEnded = true
            // Without a request, there is nothing to wait for.
            if !hasAnswered || hasSent { stream.close() }
        case .written: break
        case .failed: stream.close()
        case .closed: closed()
        }
    }

    private func answer(_ progress: HTTPRequestParser.Progress) {
        switch progress {
        case .incomplete: break
        case .complete(let request):
            send(service.answers.answer(to: request), withoutContent: request.method == .head)
        case .refused(let status): send(HTTPAnswer(status, "\(status.reason)\n"))
        }
    }

    private func send(_ answer: HTTPAnswer, withoutContent: Bool = false) {
        hasAnswered = true
        let bytes = answer.bytes(
            secondsSince1970: Int64(WallClock.secondsSince1970), withoutContent: withoutContent)
        var buffer = stream.makeBuffer(capacity: bytes.count)
        buffer.append(copying: bytes.span)
        do throws(UVError) {
            try stream.write(buffer)
            try stream.shutdown { [self] result in sent(result) }
        } catch { stream.close() }
    }

    private func sent(_ result: Result<Void, UVError>) {
        hasSent = true
        if clientHasEnded || (try? result.get()) == nil { stream.close() }
    }

    private func closed() {
        deadline?.close()
        service.ended(self)
    }
}
