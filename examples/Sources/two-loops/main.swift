import Foundation
import LibUV

// two-loops [PORT] accepts connections on one loop, and serves them on a second loop in another thread. A handle cannot
// move to another loop. Instead, the program passes the descriptor, and a closure on the second loop adopts it.
let port = CommandLine.arguments.dropFirst().first.flatMap { UInt16($0) } ?? 7000

/// Serves a connection on a loop.
///
/// Call this function on the loop's thread.
func serve(_ descriptor: Int32, on loop: UVLoop) {
    // The stream owns the descriptor and closes it. If the stream cannot be made, this function still owns the
    // descriptor, and must close it.
    guard let stream = try? UVTCPStream(on: loop, adopting: descriptor) else { return _ = Glibc.close(descriptor) }
    try? stream.startReading { stream, event in
        switch event {
        case .bytes(let bytes):
            var answer = stream.makeBuffer(capacity: bytes.count)
            answer.append(copying: bytes)
            try? stream.write(answer)
        case .end: try? stream.shutdown { _ in stream.close() }
        case .failed: stream.close()
        case .written, .drained, .closed: break
        }
    }
}

let ended = DispatchSemaphore(value: 0)
// This loop serves the clients. Its wake-up handle keeps the loop running while there are no clients.
let serving = try UVLoop()
let keepAlive = try UVAsync(on: serving) { _ in }
let thread = Thread {
    do {
        try serving.run()
        // The loop and its handles belong to this thread, because `run` was called here.
        let connections = try serving.close().filter { $0.type == "tcp" }.count
        print(
            "serving loop: \(connections) connections closed; buffers in flight: \(serving.statistics.buffers.inFlight)"
        )
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
        // Duplicates the descriptor, because closing the stream closes the original descriptor.
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
