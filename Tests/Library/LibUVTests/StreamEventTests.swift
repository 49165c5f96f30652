import LibUV
import Testing

/// Tests of the events of streams and sockets that only write.
@Suite(.timeLimit(.minutes(1))) struct StreamEventTests {
    /// The peer closes the connection while a write is queued.
    ///
    /// Promises of the articles "Back-pressure", "Errors" and "What is not guaranteed".
    @Test(arguments: StreamKind.allCases) func aFailureReachesAStreamThatDoesNotRead(_ kind: StreamKind) throws {
        try withLoop { loop in
            let pair = try StreamPair.make(kind, on: loop)
            let record = Record()
            try pair.client.onEvent { stream, event in
                record.note(event)
                if case .failed = event { stream.close() }
            }
            try pair.client.write(pair.client.buffer([UInt8](repeating: 1, count: 16 << 20)))
            for _ in 0..<5 { try loop.run(.noWait) }
            #expect(pair.client.writeQueueSize > 0)
            #expect(record.events.isEmpty)
            // The peer has not read the bytes that it has received, so this is a reset.
            pair.server.close()
            try loop.runUntil { pair.client.isClosed && pair.server.isClosed }
            #expect(record.events == ["failed", "closed"])
        }
    }

    @Test(arguments: StreamKind.allCases) func aCloseReachesAStreamThatDoesNotRead(_ kind: StreamKind) throws {
        try withLoop { loop in
            let pair = try StreamPair.make(kind, on: loop)
            let record = Record()
            try pair.client.onEvent { _, event in record.note(event) }
            pair.close()
            try loop.runUntil { pair.client.isClosed && pair.server.isClosed }
            #expect(record.events == ["closed"])
        }
    }

    /// A writer with water marks continues when its queue has drained, although it never reads.
    ///
    /// Promise of the article "Back-pressure".
    @Test(arguments: StreamKind.allCases) func aDrainedQueueReachesAStreamThatDoesNotRead(_ kind: StreamKind) throws {
        try withLoop { loop in
            let pair = try StreamPair.make(kind, on: loop)
            let record = Record()
            pair.client.waterMarks = UVWaterMarks(high: 64 * 1024)
            var sent = 0
            func fill(_ stream: UVStream) throws {
                while !stream.isFull, sent < 64 << 20 {
                    try stream.write(stream.buffer([UInt8](repeating: 1, count: 1 << 20)))
                    sent += 1 << 20
                }
            }
            try pair.client.onEvent { stream, event in
                record.note(event)
                if case .drained = event { try? fill(stream) }
                if sent == 64 << 20, !stream.isClosing { try? stream.shutdown { _ in stream.close() } }
            }
            try fill(pair.client)
            let collected = Collected()
            try pair.server.collect(collected)
            try loop.runUntil { pair.client.isClosed && pair.server.isClosed }
            #expect(collected.bytes.count == sent)
            #expect(record.count("drained") > 1)
            #expect(record.count("closed") == 1)
            #expect(record.count("failed") == 0)
        }
    }

    /// The proxy of the article on back-pressure ends and closes both of its streams, also if its sink fails.
    ///
    /// Promise of the article "Back-pressure".
    @Test(arguments: [false, true]) func aProxyClosesBothStreams(doesSinkFail: Bool) throws {
        try withLoop { loop in
            let (incoming, outgoing) = (try Connection.make(on: loop), try Connection.make(on: loop))
            let (source, sink) = (incoming.server, outgoing.client)
            var peak = 0
            sink.waterMarks = UVWaterMarks(high: 256 * 1024)
            try sink.onEvent { sink, event in
                switch event {
                case .drained: try? source.resumeReading()
                case .failed, .closed:
                    source.close()
                    sink.close()
                case .bytes, .end, .written: break
                }
            }
            try source.startReading { source, event in
                switch event {
                case .bytes(let bytes):
                    do throws(UVError) { try sink.write(copying: bytes) } catch { return source.close() }
                    peak = max(peak, sink.writeQueueSize)
                    if sink.isFull { source.stopReading() }
                case .end:
                    do throws(UVError) { try sink.shutdown { _ in sink.close() } } catch { source.close() }
                case .failed, .closed:
                    source.close()
                    sink.close()
                case .written, .drained: break
                }
            }
            let count = 32 << 20
            try incoming.client.write(incoming.client.buffer([UInt8](repeating: 1, count: count))) { _ in }
            try incoming.client.shutdown()
            // The peer of the sink reads nothing yet.
            try loop.runUntil { sink.isFull }
            for _ in 0..<20 { try loop.run(.noWait) }
            let collected = Collected()
            if doesSinkFail { outgoing.server.close() } else { try outgoing.server.collect(collected) }
            // The peer of the sink closes its end at the end of the stream.
            try loop.runUntil { source.isClosed && sink.isClosed && outgoing.server.isClosed }
            // One read may exceed the high-water mark.
            #expect(peak <= 256 * 1024 + UVLoop.Configuration().readBufferSize)
            if !doesSinkFail {
                #expect(collected.bytes.count == count)
                #expect(collected.endCount == 1)
                #expect(collected.failures.isEmpty)
            }
            incoming.client.close()
            try loop.runUntil { incoming.client.isClosed }
        }
    }

    /// The closure may be set before the stream has connected, and reading begins with `resumeReading`.
    ///
    /// Promise of the article "Back-pressure".
    @Test func readingMayBeginLater() throws {
        try withLoop { loop in
            let listener = try UVTCPListener(on: loop)
            try listener.bind(to: .loopback(port: 0))
            var accepted: UVTCPStream?
            try listener.listen { listener, _ in
                accepted = try? listener.accept()
                listener.close()
            }
            let client = try UVTCPStream(on: loop)
            let record = Record()
            try client.onEvent { stream, event in
                record.note(event)
                if case .end = event { stream.close() }
            }
            #expect(throws: UVError(.notConnected, operation: "uv_read_start")) { try client.resumeReading() }
            let second = UVError(.alreadyInProgress, operation: "uv_read_start")
            #expect(throws: second) { try client.onEvent { _, _ in } }
            var isConnected = false
            try client.connect(to: try listener.localAddress) { isConnected = (try? $0.get()) != nil }
            try loop.runUntil { accepted != nil && isConnected }
            let server = try #require(accepted)
            #expect(throws: second) { try client.startReading { _, _ in } }
            #expect(throws: second) { _ = try UVConnection(client) }
            try server.write("x")
            try server.shutdown()
            for _ in 0..<5 { try loop.run(.noWait) }
            #expect(record.events.isEmpty)
            try client.resumeReading()
            try loop.runUntil { client.isClosed }
            #expect(record.events == ["bytes", "end", "closed"])
            server.close()
            #expect(throws: UVError(.invalidArgument, operation: "uv_read_start")) { try server.onEvent { _, _ in } }
        }
    }

    /// A connected socket that only sends learns that its datagrams are refused.
    @Test func aSocketThatOnlySendsReportsFailuresAndItsClose() throws {
        try withLoop { loop in
            let peer = try UVUDP(on: loop)
            try peer.bind(to: .loopback(port: 0))
            let address = try peer.localAddress
            peer.close()
            let socket = try UVUDP(on: loop)
            let datagrams = Datagrams()
            try socket.onEvent { _, event in datagrams.note(event) }
            #expect(throws: UVError(.alreadyInProgress, operation: "uv_udp_recv_start")) {
                try socket.startReceiving { _, _ in }
            }
            try socket.connect(to: address)
            // The kernel reports the fate of a datagram with the next call.
            for _ in 0..<100 where datagrams.failures.isEmpty {
                try socket.send(socket.buffer("refused"))
                try loop.run(.once)
            }
            #expect(datagrams.failures.first?.code == .connectionRefused)
            #expect(!socket.isActive)
            socket.close()
            try loop.runUntil { socket.isClosed && peer.isClosed }
            #expect(datagrams.closedCount == 1)
            #expect(datagrams.received.isEmpty)
        }
    }
}

extension Record {
    fileprivate func note(_ event: borrowing UVStreamEvent) {
        switch event {
        case .bytes: note("bytes")
        case .end: note("end")
        case .written: note("written")
        case .drained: note("drained")
        case .failed: note("failed")
        case .closed: note("closed")
        }
    }
}
