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
    private var isPaused = false
    private var hasEnded = false
    private var holdsPlace = true
    private let path: WritePath

    init(service: LoopService, path: WritePath) {
        self.service = service
        self.path = path
    }

    /// Begins to serve a connection: the greeting first, then whatever comes.
    func begin(_ stream: UVTCPStream) throws(UVError) {
        try stream.startReading { stream, event in self.received(event, on: stream) }
        let greeting = stream.makeBuffer(capacity: 1) { ServerMachine().greet(into: &$0) }
        // One byte to an empty socket, in both models: nothing to wait for, and no request held for a new client.
        try sendEagerly(greeting, on: stream)
    }

    @inline(__always)
    private func received(_ event: borrowing UVStreamEvent, on stream: UVStream) {
        switch event {
        case .bytes(let bytes): answer(bytes, on: stream)
        case .written: written(on: stream)
        case .end: ended(on: stream)
        case .failed: stream.close()
        case .closed:
            freePlace()
            service.connectionClosed()
        }
    }

    @inline(__always)
    private func answer(_ bytes: Span<UInt8>, on stream: UVStream) {
        // What comes after the end of this side is dropped.
        if service.isDraining, !stream.isWritable { return }
        var machine = self.machine
        let answer = stream.makeBuffer(capacity: bytes.count) { output in machine.receive(bytes, into: &output) }
        self.machine = machine
        do throws(UVError) {
            if path == .eager { try sendEagerly(answer, on: stream) } else { try send(answer, on: stream) }
        } catch { stream.close() }
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
        if waiting > service.pauseThreshold, !isPaused {
            isPaused = true
            stream.reportsWrites = true
            stream.stopReading()
        }
    }

    @inline(__always)
    private func written(on stream: UVStream) {
        if isPaused || hasEnded { unblocked(on: stream) }
    }

    /// Reads on, or closes, once enough of what waited has left.
    private func unblocked(on stream: UVStream) {
        let waiting = stream.writeQueueSize
        if hasEnded {
            if waiting == 0 { close(stream) }
        } else if waiting <= service.pauseThreshold / 2 {
            isPaused = false
            stream.reportsWrites = false
            do throws(UVError) { try stream.resumeReading() } catch { stream.close() }
        }
    }

    /// The client is done: what it sent is answered in full before this side closes.
    private func ended(on stream: UVStream) {
        hasEnded = true
        stream.reportsWrites = true
        if stream.writeQueueSize == 0 { close(stream) }
    }

    /// Closes a connection that is done; its place is free before the client can know of the end, and come again.
    private func close(_ stream: UVStream) {
        freePlace()
        stream.close()
    }

    private func freePlace() {
        guard holdsPlace else { return }
        holdsPlace = false
        service.placeIsFree()
    }
}
