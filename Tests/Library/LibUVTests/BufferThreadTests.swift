import LibUV
import Testing

/// Tests of buffers on threads other than that of their loop.
@Suite(.timeLimit(.minutes(1))) struct BufferThreadTests {
    /// A buffer on its way to a closure, which cannot consume what it captures.
    private final class Box<Value: ~Copyable>: @unchecked Sendable {
        private var value: Value?
        init(_ value: consuming Value) { self.value = consume value }
        func take() -> Value? { value.take() }
    }

    /// Promises of the articles "Ownership and lifetime" and "Threads and executors".
    @Test(arguments: [1, 1000, 8000, 65_000, 131_072, 1 << 20]) func aBufferThatIsDroppedElsewhereComesBack(
        _ size: Int
    ) throws {
        try withLoop { loop in
            for _ in 0..<5 {
                let box = Box(loop.buffer(7, count: size))
                let threads = LibUVTests.ThreadGroup()
                try threads.start {
                    guard var buffer = box.take() else { return }
                    buffer.removeFirst(size / 2)
                    buffer.append(copying: [1, 2].span)
                    let first = buffer.withBytes { $0[0] }
                    #expect(first == 7 || size < 2)
                }
                threads.join()
            }
            let buffers = loop.statistics.buffers
            #expect(buffers.held == 0)
            #expect(buffers.made == (size > 131_072 ? 0 : 1))
            #expect(buffers.pooled == buffers.made)
        }
    }

    /// The loop's thread takes buffers while other threads drop them.
    ///
    /// Promise of the article "Threads and executors".
    @Test func buffersAreDroppedByManyThreadsAtOnce() throws {
        try withLoop { loop in
            for _ in 0..<20 {
                let threads = LibUVTests.ThreadGroup()
                for _ in 0..<4 {
                    let boxes = (0..<50).map { Box(loop.buffer(UInt8($0), count: 100 * $0)) }
                    try threads.start {
                        for (index, box) in boxes.enumerated() {
                            let buffer = box.take()
                            #expect(buffer?.count == 100 * index)
                        }
                    }
                    for _ in 0..<50 { _ = loop.makeBuffer(capacity: 500) }
                }
                threads.join()
            }
            #expect(loop.statistics.buffers.held == 0)
            #expect(loop.statistics.buffers.made <= 400)
        }
    }

    @Test func aVectorMayBeDroppedElsewhere() throws {
        try withLoop { loop in
            var vector = UVBufferVector()
            for _ in 0..<3 { vector.append(loop.buffer(1, count: 10)) }
            let box = Box(vector)
            let threads = LibUVTests.ThreadGroup()
            try threads.start { #expect(box.take()?.byteCount == 30) }
            threads.join()
            #expect(loop.statistics.buffers.held == 0)
            #expect(loop.statistics.buffers.pooled == 3)
        }
    }

    /// Promise of the article "Threads and executors".
    @Test func aBufferIsMadeOnAnyThread() throws {
        try withLoop { loop in
            let threads = LibUVTests.ThreadGroup()
            for _ in 0..<4 {
                try threads.start {
                    for _ in 0..<100 {
                        let buffer = loop.makeBuffer(capacity: 1000)
                        #expect(buffer.capacity == 1024)
                    }
                }
            }
            threads.join()
            #expect(loop.statistics.buffers.held == 0)
            #expect(loop.statistics.buffers.made == 400)
        }
    }

    /// The buffers keep the loop object alive, until the last of them is dropped on some thread.
    ///
    /// Promise of the article "Ownership and lifetime".
    @Test func buffersThatOutliveTheLoopAreDroppedOnAnyThread() throws {
        weak var object: UVLoop?
        let threads = LibUVTests.ThreadGroup()
        let mayDrop = Counter()
        do {
            let loop = try UVLoop()
            object = loop
            for thread in 0..<4 {
                let boxes = (0..<25).map { _ in Box(loop.buffer(3, count: thread * 1000)) }
                try threads.start {
                    // Half of the buffers are dropped while the loop closes.
                    for box in boxes.prefix(12) { _ = box.take() }
                    while mayDrop.value == 0 {}
                    for box in boxes { _ = box.take() }
                }
            }
            try loop.close()
            // Buffers that are made after the close are counted, too.
            let late = loop.makeBuffer(capacity: 10)
            #expect(late.capacity == 128)
            let other = LibUVTests.ThreadGroup()
            try other.start { #expect(loop.makeBuffer(capacity: 10).capacity == 128) }
            other.join()
        }
        #expect(object != nil)
        mayDrop.add()
        threads.join()
        #expect(object == nil)
    }

    @Test func aBufferOfAnotherLoopIsWrittenAsACopy() throws {
        try withTask { loop in
            let (client, server) = try await UVConnection.pair(on: loop)
            try await onAnotherLoop(than: loop) { other in
                for _ in 0..<3 { try await client.write(other.buffer(9, count: 5000)) }
                #expect(other.statistics.buffers.held == 0)
                #expect(other.statistics.buffers.made == 1)
                try await other.withDatagramSocket(on: .loopback(port: 0)) { socket in
                    let address = try socket.socket.localAddress
                    try await socket.send(loop.buffer(1, count: 10), to: address)
                    let count = try await socket.receive().buffer.count
                    #expect(count == 10)
                }
            }
            try await client.shutdown()
            #expect(try await server.readAll() == [UInt8](repeating: 9, count: 15_000))
            await client.close()
            await server.close()
        }
    }

    /// Promise of the article "Ownership and lifetime".
    @Test func aReceivedBufferIsUsedAndDroppedByAnyTask() async throws {
        try await withOuterTask { loop in
            let (client, server) = try await UVConnection.pair(on: loop)
            let reader = Task.detached {
                var total = 0
                while let buffer = try await server.read() { total += buffer.withBytes { $0.count } }
                return total
            }
            for _ in 0..<200 { try await client.write(loop.buffer(1, count: 3000)) }
            try await client.shutdown()
            #expect(try await reader.value == 600_000)
            await client.close()
            await server.close()
        }
    }
}
