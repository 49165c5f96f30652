import LibUV
import Testing

/// A list of events, in the order in which callbacks noted them.
final class Record {
    private(set) var events: [String] = []
    func note(_ event: String) { events.append(event) }
    func count(_ event: String) -> Int { events.count { $0 == event } }
}

/// Runs `body` with a new loop and a time limit, and closes the loop.
///
/// Fails the test if `body` leaves a buffer held or in flight.
func withLoop(
    configuration: UVLoop.Configuration = .init(), sourceLocation: SourceLocation = #_sourceLocation,
    _ body: (UVLoop) throws -> Void
) throws {
    let loop = try UVLoop(configuration: configuration)
    let deadline = try UVTimer(on: loop)
    try deadline.start(after: .seconds(30)) { _ in
        Issue.record("the loop did not end within 30 seconds", sourceLocation: sourceLocation)
        loop.stop()
    }
    deadline.unref()
    do { try body(loop) } catch {
        try loop.close()
        throw error
    }
    try loop.close()
    #expect(loop.statistics.buffers.inFlight == 0, sourceLocation: sourceLocation)
    #expect(loop.statistics.buffers.held == 0, sourceLocation: sourceLocation)
    #expect(loop.statistics.buffers.pooled == 0, sourceLocation: sourceLocation)
}

/// Both ends of a TCP connection on the same loop.
struct Connection {
    let client: UVTCPStream
    let server: UVTCPStream

    /// Creates a connection, and closes the listener that accepted it.
    static func make(on loop: UVLoop, address: SocketAddress = .loopback(port: 0)) throws -> Connection {
        let listener = try UVTCPListener(on: loop)
        try listener.bind(to: address)
        var accepted: UVTCPStream?
        try listener.listen { listener, _ in
            accepted = try? listener.accept()
            listener.close()
        }
        let client = try UVTCPStream(on: loop)
        var isConnected = false
        try client.connect(to: try listener.localAddress) { result in isConnected = (try? result.get()) != nil }
        while accepted == nil || !isConnected || !listener.isClosed { try loop.run(.once) }
        return Connection(client: client, server: try #require(accepted))
    }

    func close() {
        client.close()
        server.close()
    }
}

extension UVStream {
    /// Creates a buffer with the bytes.
    func buffer(_ bytes: [UInt8]) -> UVBuffer {
        var buffer = makeBuffer(capacity: bytes.count)
        buffer.append(copying: bytes.span)
        return buffer
    }

    func buffer(_ text: String) -> UVBuffer { buffer(Array(text.utf8)) }

    /// Reads up to end of stream, then calls `atEnd`.
    func collect(_ record: Collected, atEnd: @escaping (UVStream) -> Void = { $0.close() }) throws {
        try startReading { stream, event in
            switch event {
            case .bytes(let span): record.append(span)
            case .end:
                record.endCount += 1
                atEnd(stream)
            case .failed(let error):
                record.failures.append(error)
                stream.close()
            case .written: record.writtenCount += 1
            case .drained: record.drainedCount += 1
            case .closed: record.closedCount += 1
            }
        }
    }
}

/// The events that a stream has reported.
final class Collected {
    var bytes: [UInt8] = []
    var chunkCount = 0
    var endCount = 0
    var writtenCount = 0
    var drainedCount = 0
    var closedCount = 0
    var failures: [UVError] = []
    var text: String { String(decoding: bytes, as: UTF8.self) }

    func append(_ span: Span<UInt8>) {
        chunkCount += 1
        unsafe span.withUnsafeBufferPointer { unsafe bytes.append(contentsOf: $0) }
    }
}
