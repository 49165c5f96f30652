import LibUV

// increment-server [PORT] runs a server with the protocol of this project. The server greets each client with `*`, and
// replies to each byte between `^` and `$` with the byte plus one.
let port = CommandLine.arguments.dropFirst().first.flatMap { UInt16($0) } ?? 9090
let highWater = 256 * 1024

/// Serves one client until the client shuts down its write side.
func serve(_ stream: UVTCPStream) throws(UVError) {
    var isInMessage = false
    try stream.startReading { stream, event in
        switch event {
        case .bytes(let bytes):
            // The reply is never longer than the input. The closure writes the reply directly into the buffer that is
            // sent.
            let answer = stream.makeBuffer(capacity: bytes.count) { output in
                for index in bytes.indices {
                    switch (isInMessage, bytes[index]) {
                    case (false, UInt8(ascii: "^")): isInMessage = true
                    case (false, _): break
                    case (true, UInt8(ascii: "$")): isInMessage = false
                    case (true, let byte): output.append(byte &+ 1)
                    }
                }
            }
            try? stream.write(answer)
            // Pauses reading while the client does not read its replies. This is called back-pressure.
            if stream.writeQueueSize > highWater {
                stream.stopReading()
                stream.reportsWrites = true
            }
        case .written: if stream.writeQueueSize == 0 { try? stream.resumeReading() }
        case .end: try? stream.shutdown { _ in stream.close() }
        case .failed: stream.close()
        case .drained, .closed: break
        }
    }
    try stream.write(stream.makeBuffer(capacity: 1) { output in output.append(UInt8(ascii: "*")) })
}

try UVLoop.with { loop throws(UVError) in
    let listener = try UVTCPListener(on: loop)
    try listener.bind(to: .loopback(port: port))
    try listener.listen { listener, error in
        guard error == nil, let stream = try? listener.accept() else { return }
        do { try serve(stream) } catch { stream.close() }
    }
    print("listening on \(try listener.localAddress)")
    try loop.run()
}
