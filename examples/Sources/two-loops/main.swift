import Foundation
import LibUV

// One loop accepts, and a loop on another thread serves: two-loops [PORT]. A handle never moves to another loop.
// Instead, the program passes the descriptor, and a closure on the other loop makes a stream of it.
let port = CommandLine.arguments.dropFirst().first.flatMap { UInt16($0) } ?? 7000

/// Serves a connection; call it on the loop's thread.
func serve(_ descriptor: Int32, on loop: UVLoop) {
    guard let stream = try? UVTCPStream(on: loop) else { return _ = Glibc.close(descriptor) }
    // From here on, the stream owns the descriptor and closes it.
    do { try stream.adopt(descriptor: descriptor) } catch { return _ = Glibc.close(descriptor) }
    try? stream.startReading { stream, event in
        switch event {
        case .bytes(let bytes):
            var answer = stream.makeBuffer(capacity: bytes.count)
            answer.append(copying: bytes)
            try? stream.write(answer)
        case .end: try? stream.shutdown { _ in stream.close() }
        case .failed: stream.close()
        case .written, .closed: break
        }
    }
}

let ended = DispatchSemaphore(value: 0)
// The loop that serves. Only this wake-up handle keeps it running while it has no client.
let serving = try UVLoop()
let keepAlive = try UVAsync(on: serving) { _ in }
let thread = Thread {
    do {
        try serving.run()
        // `run` moved the loop, and everything on it, to this thread.
        let connections = try serving.close().filter { $0.type == "tcp" }.count
        print("serving loop: \(connections) connections closed; buffers in flight: \(serving.ledger.inFlight)")
    } catch { print("serving loop: \(error)") }
    ended.signal()
}
thread.start()

try UVLoop.with { accepting throws(UVError) in
    var passed = 0
    let listener = try UVTCPListener(on: accepting)
    try listener.bind(to: .loopback(port: port))
    try listener.listen { listener, error in
        guard error == nil, let stream = try? listener.accept() else { return }
        // Duplicates the descriptor, because closing the handle closes the first one.
        let descriptor = try? stream.withUnsafeDescriptor { fcntl($0, F_DUPFD_CLOEXEC, 0) }
        stream.close()
        guard let descriptor, descriptor >= 0 else { return }
        do {
            try serving.execute { serve(descriptor, on: serving) }
            passed += 1
        } catch { _ = Glibc.close(descriptor) }
    }
    let signal = try UVSignal(on: accepting)
    try signal.startOnce(SIGTERM) { signal, _ in signal.loop.stop() }
    print("listening on \(try listener.localAddress)")
    try accepting.run()
    print("accepting loop: \(passed) connections passed on")
}
serving.stop()
ended.wait()
