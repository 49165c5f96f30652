internal import IncrementProtocol
internal import LibUV

/// How answers leave: the one difference between `libuv` and `libuv-eager`.
enum WritePath {
    /// Every answer goes through `uv_write`.
    case queued
    /// An answer goes through `uv_try_write`, and through `uv_write` what the kernel did not take.
    case eager
}

/// The protocol on top of one stream: takes its events, runs the machine, and writes the answers.
///
/// The answer is computed straight into a buffer of the loop's pool, and the buffer is moved into the write. The
/// handler lives as long as the stream's closure, which holds nothing but it.
final class ProtocolHandler {
    private let service: LoopService
    // The machine is copied out and back around each use: no access is held across a call.
    private var machine = ServerMachine()
    private var flags: Flags = []
    private let path: WritePath
    private let number: UInt32
    /// How many bytes of answers the service counts as held for this client.
    private var held: UInt32 = 0

    private struct Flags: OptionSet {
        let rawValue: UInt8
        /// The client does not take its answers, and is not read.
        static let paused = Flags(rawValue: 1)
        /// The client has ended its side.
        static let clientEnded = Flags(rawValue: 2)
        /// This side has ended.
        static let ended = Flags(rawValue: 4)
        /// The connection's place is another's.
        static let placeFreed = Flags(rawValue: 8)
    }

    init(service: LoopService, path: WritePath, number: UInt32) {
        self.service = service
        self.path = path
        self.number = number
    }

    /// Begins to serve a connection: the greeting first, then whatever comes.
    func begin(_ stream: UVTCPStream) throws(UVError) {
        try stream.startReading { stream, event in self.received(event, on: stream) }
        try greet(stream)
    }

    func greet(_ stream: UVStream) throws(UVError) {
        let greeting = stream.makeBuffer(capacity: 1) { ServerMachine().greet(into: &$0) }
        // One byte to an empty socket, in both models: nothing to wait for, and no request held for a new client.
        try sendEagerly(greeting, on: stream)
    }

    @inline(__always)
    func received(_ event: borrowing UVStreamEvent, on stream: UVStream) {
        switch event {
        case .bytes(let bytes): answer(bytes, on: stream)
        case .written: written(on: stream)
        case .end: ended(on: stream)
        case .failed: stream.close()
        case .closed: closed()
        }
    }

    @inline(__always)
    func answer(_ bytes: Span<UInt8>, on stream: UVStream) {
        if service.isAttentive { return answerAttentively(bytes, on: stream) }
        var machine = self.machine
        let answer = stream.makeBuffer(capacity: bytes.count) { output in machine.receive(bytes, into: &output) }
        self.machine = machine
        do throws(UVError) {
            if path == .eager { try sendEagerly(answer, on: stream) } else { try send(answer, on: stream) }
        } catch { stream.close() }
    }

    /// Answers while the server drains or measures.
    private func answerAttentively(_ bytes: Span<UInt8>, on stream: UVStream) {
        // What comes after the end of this side is dropped.
        if flags.contains(.ended) { return service.dropped(bytes.count) }
        service.willAnswer()
        let closed = machine.messageCount(closedBy: bytes)
        var machine = self.machine
        let answer = stream.makeBuffer(capacity: bytes.count) { output in machine.receive(bytes, into: &output) }
        self.machine = machine
        let isLast = service.isLastAnswer(on: stream, isInMessage: machine.isInMessage)
        do throws(UVError) {
            if path == .eager { try sendEagerly(answer, on: stream) } else { try send(answer, on: stream) }
        } catch { return stream.close() }
        service.hasAnswered(messages: closed)
        if isLast, stream.writeQueueSize == 0 { endThisSide(of: stream) }
    }

    /// Offers the answer to the kernel, and queues what it does not take.
    @inline(__always)
    private func sendEagerly(_ answer: consuming UVWriteBuffer, on stream: UVStream) throws(UVError) {
        if answer.isEmpty { return }
        let taken = try answer.withBytes { bytes throws(UVError) in try stream.tryWrite(bytes) }
        if taken == answer.count { return }
        answer.removeFirst(taken)
        try send(answer, on: stream)
    }

    @inline(__always)
    private func send(_ answer: consuming UVWriteBuffer, on stream: UVStream) throws(UVError) {
        try stream.write(answer)
        let waiting = stream.writeQueueSize
        if waiting != 0 { queued(waiting, on: stream) }
    }

    /// Reads no more from a client that does not take its answers.
    private func queued(_ waiting: Int, on stream: UVStream) {
        service.noteBuffered(waiting)
        if waiting > service.pauseThreshold, !flags.contains(.paused) {
            flags.insert(.paused)
            stream.reportsWrites = true
            stream.stopReading()
        }
        if service.countsHeld { hold(waiting, on: stream) }
    }

    /// Counts what waits among that of all clients, until it waits no more.
    private func hold(_ waiting: Int, on stream: UVStream) {
        stream.reportsWrites = true
        let now = UInt32(clamping: waiting)
        guard service.hold(Int(now) - Int(held)) else { return service.endForWantOfRoom(stream, number) }
        held = now
    }

    private func written(on stream: UVStream) {
        if service.isAttending { return attended(stream) }
        let waiting = stream.writeQueueSize
        if held > 0 { hold(waiting, on: stream) }
        if flags.contains(.clientEnded) {
            if waiting == 0 { close(stream) }
        } else if flags.contains(.paused) {
            if waiting <= service.pauseThreshold / 2 { unpause(stream) }
        } else if waiting == 0 {
            stream.reportsWrites = false
        }
    }

    /// Reads on, since enough of what waited has left.
    private func unpause(_ stream: UVStream) {
        flags.remove(.paused)
        if held == 0 { stream.reportsWrites = false }
        do throws(UVError) { try stream.resumeReading() } catch { stream.close() }
    }

    /// The client is done: what it sent is answered in full before this side closes.
    private func ended(on stream: UVStream) {
        flags.insert(.clientEnded)
        stream.reportsWrites = true
        if stream.writeQueueSize == 0 { close(stream) }
    }

    /// The service looks at all connections.
    private func attended(_ stream: UVStream) {
        let view = ConnectionView(
            number: number, isInMessage: machine.isInMessage, hasEnded: flags.contains(.ended))
        if service.attend(to: stream, view) { endThisSide(of: stream) }
    }

    /// Sends the end, behind all answers.
    private func endThisSide(of stream: UVStream) {
        flags.insert(.ended)
        service.endThisSide(of: stream)
    }

    /// Closes a connection that is done; its place is free before the client can know of the end, and come again.
    private func close(_ stream: UVStream) {
        freePlace()
        stream.close()
    }

    private func closed() {
        freePlace()
        if held > 0 { _ = service.hold(-Int(held)) }
        service.connectionClosed(number)
    }

    private func freePlace() {
        guard !flags.contains(.placeFreed) else { return }
        flags.insert(.placeFreed)
        service.placeIsFree()
    }
}
