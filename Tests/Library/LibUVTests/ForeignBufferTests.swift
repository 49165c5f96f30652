import LibUV
import Testing

/// Tests of buffers that are written to the streams and sockets of another loop, in callbacks.
///
/// `withLoop` checks the counts of both loops after they have closed.
@Suite(.timeLimit(.minutes(1))) struct ForeignBufferTests {
    /// A way to write buffers.
    enum Way: CaseIterable {
        case plain, withACompletion, asAVector, betweenOwnBuffers, empty, withAHandle
    }

    private func withTwoLoops(_ body: (UVLoop, UVLoop) throws -> Void) throws {
        try withLoop { loop in try withLoop { other in try body(loop, other) } }
    }

    /// Writes buffers of another loop, and returns the bytes that the peer must get.
    private func write(_ way: Way, to stream: UVPipe, from other: UVLoop, _ record: Record) throws -> [UInt8] {
        let loop = stream.loop
        let noted: (Result<Void, UVError>) -> Void = { record.note((try? $0.get()) == nil ? "failed" : "completed") }
        switch way {
        case .plain:
            try stream.write(other.buffer(1, count: 5000))
            try stream.write(other.buffer(2, count: 10))
            return [UInt8](repeating: 1, count: 5000) + [UInt8](repeating: 2, count: 10)
        case .withACompletion:
            try stream.write(other.buffer(1, count: 10), completion: noted)
            return [UInt8](repeating: 1, count: 10)
        case .asAVector:
            var vector = UVBufferVector()
            for byte in UInt8(1)...3 { vector.append(other.buffer(byte, count: 2)) }
            try stream.write(vector, completion: noted)
            return [1, 1, 2, 2, 3, 3]
        case .betweenOwnBuffers:
            var vector = UVBufferVector()
            for byte in UInt8(1)...4 { vector.append((byte % 2 == 0 ? other : loop).buffer(byte, count: 2)) }
            try stream.write(vector)
            return [1, 1, 2, 2, 3, 3, 4, 4]
        case .empty:
            try stream.write(other.makeBuffer(capacity: 500))
            try stream.write(other.makeBuffer(capacity: 500), completion: noted)
            return []
        case .withAHandle:
            let sent = try UVTCPStream.pair(on: loop)
            sent.1.close()
            try stream.write(other.buffer(1, count: 10), sending: sent.0) { result in
                noted(result)
                sent.0.close()
            }
            return [UInt8](repeating: 1, count: 10)
        }
    }

    /// Each way is tried on an idle stream and behind a write that is pending.
    ///
    /// Promise of the article "Ownership and lifetime".
    @Test(arguments: Way.allCases, [0, 4 << 20])
    func aStreamCopiesABufferOfAnotherLoop(_ way: Way, _ pendingByteCount: Int) throws {
        try withTwoLoops { loop, other in
            let (sender, receiver) = try UVPipe.pair(on: loop, passesHandles: true)
            let record = Record()
            if pendingByteCount > 0 { try sender.write(loop.buffer(0, count: pendingByteCount)) }
            var expected = [UInt8](repeating: 0, count: pendingByteCount)
            expected += try write(way, to: sender, from: other, record)
            // The buffers have returned to their own pool, and the writes are counted in the pool of the stream's loop.
            #expect(other.statistics.buffers.made == other.statistics.buffers.pooled)
            #expect(other.statistics.buffers.made > 0)
            #expect(loop.statistics.buffers.held == 0)
            let received = Collected()
            try receiver.collect(received)
            try sender.shutdown()
            while received.endCount == 0, received.failures.isEmpty { try loop.run(.once) }
            let isEqual = received.bytes == expected
            #expect(isEqual)
            let completionCount = way == .plain || way == .betweenOwnBuffers ? 0 : 1
            #expect(record.events == [String](repeating: "completed", count: completionCount))
            sender.close()
            try loop.run()
        }
    }

    /// A failed write returns the buffer to its own pool, too.
    ///
    /// Promise of the article "Ownership and lifetime".
    @Test func aRejectedBufferOfAnotherLoopComesBack() throws {
        try withTwoLoops { loop, other in
            let (sender, receiver) = try UVTCPStream.pair(on: loop)
            sender.close()
            receiver.close()
            #expect(throws: UVError.self) { try sender.write(other.buffer(1, count: 10)) }
            #expect(throws: UVError.self) { try sender.write(other.buffer(1, count: 10)) { _ in } }
            let socket = try UVUDP(on: loop)
            #expect(throws: UVError.self) { try socket.send(other.buffer(1, count: 10)) }
            socket.close()
            #expect(throws: UVError.self) { try socket.send(other.buffer(1, count: 10)) }
            for buffers in [loop.statistics.buffers, other.statistics.buffers] {
                #expect(buffers.held == 0)
                #expect(buffers.inFlight == 0)
                #expect(buffers.made == buffers.pooled)
            }
            try loop.run()
        }
    }

    /// The proxy passes each buffer on to the other loop, in both directions.
    @Test func aProxyOverTwoLoopsPassesBuffersOn() throws {
        try withTwoLoops { front, back in
            let (client, entry) = try UVTCPStream.pair(on: front)
            let (exit, server) = try UVTCPStream.pair(on: back)
            func pass(_ source: UVTCPStream, _ target: UVTCPStream) throws {
                try source.startReading { stream, event in
                    do throws(UVError) {
                        switch event {
                        case .bytes(let bytes): try target.write(stream.makeBuffer(copying: bytes))
                        case .end: try target.shutdown()
                        default: break
                        }
                    } catch { Issue.record(error) }
                }
            }
            try pass(entry, exit)
            try pass(exit, entry)
            try pass(server, server)
            let received = Collected()
            try client.collect(received) { _ in }
            for index in 0..<200 { try client.write(front.buffer(UInt8(index), count: 1 + index * 50)) }
            try client.shutdown()
            while received.endCount == 0, received.failures.isEmpty {
                for loop in [front, back] {
                    try loop.run(.noWait)
                    #expect(loop.statistics.buffers.held == 0)
                }
            }
            let isEqual = received.bytes == (0..<200).flatMap { [UInt8](repeating: UInt8($0), count: 1 + $0 * 50) }
            #expect(isEqual)
            for stream in [client, entry, exit, server] { stream.close() }
            try front.run()
            try back.run()
        }
    }

    /// Promise of the article "Ownership and lifetime".
    @Test func aDatagramSocketCopiesABufferOfAnotherLoop() throws {
        try withTwoLoops { loop, other in
            let datagrams = Datagrams()
            let receiver = try UVUDP.receiver(on: loop, datagrams)
            let sender = try UVUDP(on: loop)
            let destination = try receiver.localAddress
            let record = Record()
            try sender.send(other.makeBuffer(copying: "one"), to: destination)
            try sender.send(other.makeBuffer(copying: "two"), to: destination) { _ in record.note("sent") }
            var vector = UVBufferVector()
            vector.append(other.makeBuffer(copying: "th"))
            vector.append(loop.makeBuffer(copying: "r"))
            vector.append(other.makeBuffer(copying: "ee"))
            try sender.send(vector, to: destination) { _ in record.note("sent") }
            #expect(other.statistics.buffers.made == other.statistics.buffers.pooled)
            #expect(loop.statistics.buffers.inFlight == 5)
            #expect(loop.statistics.buffers.held == 0)
            try loop.runUntil { datagrams.received.count == 3 && record.events.count == 2 }
            #expect(datagrams.texts == ["one", "two", "three"])
            sender.close()
            receiver.close()
            try loop.run()
        }
    }

    // @unchecked Sendable: one thread fills the box, and the other one empties it later.
    private final class Box<Value: ~Copyable>: @unchecked Sendable {
        private var value: Value?
        init(_ value: consuming Value) { self.value = consume value }
        func take() -> Value? { value.take() }
    }

    // @unchecked Sendable: only the thread of the loop uses the stream.
    private final class Shared: @unchecked Sendable {
        let value: UVTCPStream
        init(_ value: UVTCPStream) { self.value = value }
    }

    /// The other loop runs on another thread, and closes while its buffers are being written.
    @Test func buffersOfALoopOnAnotherThreadAreCopied() throws {
        try withLoop { loop in
            let (sender, receiver) = try UVTCPStream.pair(on: loop)
            let received = Collected()
            try receiver.collect(received)
            let stream = Shared(sender)
            let threads = LibUVTests.ThreadGroup()
            try threads.start {
                do throws(UVError) {
                    let other = try UVLoop()
                    for index in 0..<200 {
                        let box = Box(other.buffer(UInt8(index), count: 1000))
                        try loop.execute {
                            guard let buffer = box.take() else { return }
                            do throws(UVError) {
                                try stream.value.write(buffer)
                                if index == 199 { try stream.value.shutdown() }
                            } catch { Issue.record(error) }
                        }
                    }
                    try other.close()
                } catch { Issue.record(error) }
            }
            try loop.runUntil { received.endCount == 1 }
            threads.join()
            let isEqual = received.bytes == (0..<200).flatMap { [UInt8](repeating: UInt8($0), count: 1000) }
            #expect(isEqual)
            sender.close()
            try loop.run()
        }
    }
}
