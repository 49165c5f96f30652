import Glibc
import LibUV

// echo-callbacks [PORT] runs an echo server that is written with closures.
let port = CommandLine.arguments.dropFirst().first.flatMap { UInt16($0) } ?? 7000
let highWater = 1 << 20

/// Handles the events of one connection.
///
/// Each event comes with its stream, so the function captures nothing.
func echo(_ stream: UVStream, _ event: borrowing UVStreamEvent) {
    switch event {
    case .bytes(let bytes):
        // The bytes are valid only during this call, so they are copied to a buffer from the pool.
        var answer = stream.makeBuffer(capacity: bytes.count)
        answer.append(copying: bytes)
        try? stream.write(answer)
        // Pauses reading while the client does not read its replies. This is called back-pressure.
        if stream.writeQueueSize > highWater {
            stream.stopReading()
            stream.reportsWrites = true
        }
    case .written:
        if stream.writeQueueSize <= highWater / 2 {
            stream.reportsWrites = false
            try? stream.resumeReading()
        }
    case .end: try? stream.shutdown { _ in stream.close() }
    case .failed: stream.close()
    case .drained, .closed: break
    }
}

let loop = try UVLoop()
let listener = try UVTCPListener(on: loop)
try listener.bind(to: .loopback(port: port))
try listener.listen { listener, error in
    guard error == nil, let stream = try? listener.accept() else { return }
    try? stream.startReading(echo)
}
let signal = try UVSignal(on: loop)
try signal.startOnce(SIGTERM) { signal, _ in signal.loop.stop() }
print("listening on \(try listener.localAddress)")
try loop.run()

// Closes everything that is still open, including connections.
let leftOpen = try loop.close().map(\.type).sorted()
let buffers = loop.statistics.buffers
print("stopped; closed for us: \(leftOpen); buffers held: \(buffers.held), in flight: \(buffers.inFlight)")
