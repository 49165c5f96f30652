import LibUV

// The protocol of this project's servers: a greeting of `*`; between `^` and `$` each byte is answered with the next one.
// increment-server [PORT]
let port = CommandLine.arguments.dropFirst().first.flatMap { UInt16($0) } ?? 9090
let highWater = 256 * 1024

/// Serves one client, until it ends its side.
func serve(_ stream: UVTCPStream) throws(UVError) {
    var isInMessage = false
    try stream.startReading { stream, event in
        switch event {
        case .bytes(let bytes):
            // The answer is never longer than what is answered. It is made in the buffer that is sent.
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
            // A client that sends and does not read has to wait.
            if stream.writeQueueSize > highWater {
                stream.stopReading()
                stream.reportsWrites = true
            }
        case .written: if stream.writeQueueSize == 0 { try? stream.resumeReading() }
        case .end: try? stream.shutdown { _ in stream.close() }
        case .failed: stream.close()
        case .closed: break
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
