import LibUV

// A server that sends back what it gets, on the port that is given as its argument.
let port = UInt16(CommandLine.arguments.dropFirst().first ?? "7000") ?? 7000

try UVLoop.with { loop throws(UVError) in
    let listener = try UVTCPListener(on: loop)
    try listener.bind(to: .loopback(port: port))
    try listener.listen { listener, error in
        guard error == nil, let stream = try? listener.accept() else { return }
        try? stream.startReading { stream, event in
            switch event {
            case .bytes(let bytes):
                // The bytes are lent for this call only: what is to be sent goes into a buffer of the pool.
                let echo = stream.makeBuffer(capacity: bytes.count) { output in
                    for index in bytes.indices { output.append(bytes[index]) }
                }
                try? stream.write(echo)
                // Where the client does not read, neither do we.
                if stream.writeQueueSize > 1 << 20 {
                    stream.stopReading()
                    stream.reportsWrites = true
                }
            case .written:
                if stream.writeQueueSize == 0 { try? stream.resumeReading() }
            case .end: try? stream.shutdown { _ in stream.close() }
            case .failed: stream.close()
            case .closed: break
            }
        }
    }
    print("listening on \(try listener.localAddress)")
    try loop.run()
}
