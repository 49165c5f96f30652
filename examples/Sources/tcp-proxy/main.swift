import LibUV

// tcp-proxy LISTEN-PORT TARGET-PORT forwards connections to another server. If one side reads slowly, the proxy buffers
// bytes from the other side, up to the high-water mark plus the size of one read.
let ports = CommandLine.arguments.dropFirst().compactMap { UInt16($0) }
guard ports.count == 2 else { fatalError("usage: tcp-proxy LISTEN-PORT TARGET-PORT") }
let highWater = 256 * 1024

/// A connection to a client, and the connection to the target for that client.
final class Relay {
    private let client: UVStream
    private let target: UVStream
    private var endedDirections = 0

    init(_ client: UVStream, _ target: UVStream) {
        self.client = client
        self.target = target
    }

    func start() throws(UVError) {
        try pump(from: client, to: target)
        try pump(from: target, to: client)
    }

    private func pump(from source: UVStream, to sink: UVStream) throws(UVError) {
        try source.startReading { [self] source, event in
            switch event {
            case .bytes(let bytes): pass(bytes, from: source, to: sink)
            case .end:
                // The source has sent everything. The other direction may still carry bytes.
                do { try sink.shutdown { _ in self.endDirection() } } catch { close() }
            case .failed, .closed: close()
            case .written, .drained: break
            }
        }
    }

    private func pass(_ bytes: Span<UInt8>, from source: UVStream, to sink: UVStream) {
        var copy = sink.makeBuffer(capacity: bytes.count)
        copy.append(copying: bytes)
        do {
            guard sink.writeQueueSize + bytes.count > highWater else { return try sink.write(copy) }
            // Writes complete in order. When this write completes, the queue is empty, and reading can resume.
            source.stopReading()
            try sink.write(copy) { _ in try? source.resumeReading() }
        } catch { close() }
    }

    private func endDirection() {
        endedDirections += 1
        if endedDirections == 2 { close() }
    }

    private func close() {
        client.close()
        target.close()
    }
}

try UVLoop.with { loop throws(UVError) in
    let listener = try UVTCPListener(on: loop)
    try listener.bind(to: .loopback(port: ports[0]))
    try listener.listen { listener, error in
        guard error == nil, let client = try? listener.accept() else { return }
        guard let target = try? UVTCPStream(on: listener.loop) else { return client.close() }
        do {
            try target.connect(to: .loopback(port: ports[1])) { result in
                do {
                    try result.get()
                    try Relay(client, target).start()
                } catch {
                    print("cannot connect to the target: \(error)")
                    client.close()
                    target.close()
                }
            }
        } catch {
            print("cannot connect to the target: \(error)")
            client.close()
            target.close()
        }
    }
    print("listening on \(try listener.localAddress)")
    try loop.run()
}
