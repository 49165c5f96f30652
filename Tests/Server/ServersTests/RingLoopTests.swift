import Glibc
import IncrementProtocol
import Logging
import SocketAddresses
import SystemCalls
import Testing

@testable import Servers

/// Tests of the loop of `io-uring` in states that the kernel's results seldom cause.
@Suite(
    .timeLimit(.minutes(1)), .enabled(if: ServerModel.ioUring.isAvailable(), "this system does not permit io_uring"))
struct RingLoopTests {
    /// Makes a loop with a listener, and lets it serve one end of a pair of sockets.
    ///
    /// - Returns: the outcome of `body`, which receives the loop, the served descriptor, and the other end.
    private static func withLoop(
        requestCount: Int = 1024, completionCount: Int = 4096, faults: IORing.Faults? = nil,
        maxBufferedBytes: Int? = nil, _ body: (inout RingLoop, Int32, borrowing StreamSocket) throws -> Void
    ) throws {
        var configuration = ServerConfiguration(address: .loopback(port: 0))
        if let maxBufferedBytes { configuration.maxBufferedBytes = maxBufferedBytes }
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let operations = Operations(
            configuration, Admission(configuration), readSize: configuration.readSize, isLoop: true,
            logger)
        var loop = try RingLoop(
            try IORing(
                requestCount: min(requestCount, completionCount), completionCount: completionCount, bufferCount: 32,
                bufferSize: 1024, spareReplyBytes: 16 * 1024 + 1024, faults: faults),
            try SharedListener(configuration, isNonBlocking: false), try WakeUp(), operations, bufferSize: 1024, { 0 })
        var ends: [Int32] = [-1, -1]
        try #require(unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
        let client = StreamSocket(adopting: ends[1])
        loop.begin(ends[0])
        try body(&loop, ends[0], client)
    }

    @Test func deferredWorkIsListedOnce() throws {
        try Self.withLoop { loop, descriptor, _ in
            for _ in 0..<3 { loop.postpone(descriptor) }
            #expect(loop.deferred == [descriptor])
            try loop.iterate(timeout: .milliseconds(1))
            #expect(loop.deferred.isEmpty)
            loop.postpone(descriptor)
            #expect(loop.deferred == [descriptor])
        }
    }

    /// The client has sent FIN while the session had paused, so kept bytes must still get their reply.
    @Test func keptBytesAreServedAfterTheEndOfTheStream() throws {
        try Self.withLoop { loop, descriptor, client in
            try loop.iterate(timeout: .milliseconds(1))
            loop.input.fill { output in for byte in "^abc$".utf8 { output.append(byte) } }
            loop.keepInput(descriptor)
            loop.connections[Int(descriptor)].state.insert(.hasEnded)
            loop.updateReading(descriptor)
            for _ in 0..<4 { try loop.iterate(timeout: .milliseconds(1)) }
            var buffer = ReusableBuffer(capacity: 16)
            _ = try buffer.fill { output throws(SystemCallError) in try client.receive(into: &output) }
            #expect(buffer.withBytes { copy($0) } == Array("*bcd".utf8))
            #expect(loop.connections[Int(descriptor)].session.phase == .closed)
        }
    }

    /// Kept bytes get their reply before the loop receives more bytes, even if the session pauses again in between.
    @Test func nothingIsReceivedWhileBytesAreKept() throws {
        try Self.withLoop(maxBufferedBytes: 4096) { loop, descriptor, client in
            let row = Int(descriptor)
            func keep(_ byte: UInt8) {
                loop.input.fill { output in for _ in 0..<1024 { output.append(byte) } }
                loop.keepInput(descriptor)
            }
            try loop.iterate(timeout: .milliseconds(1))
            // More bytes are queued than the high-water mark, so the session pauses, and the request ends.
            loop.unsent[descriptor] = ByteQueue()
            loop.connections[row].state.insert(.hasUnsent)
            _ = loop.connections[row].session.bufferChanged(to: 1 << 20, loop.operations.waterMarks)
            loop.updateReading(descriptor)
            while loop.connections[row].state.contains(.isReceiving) { try loop.iterate(timeout: .milliseconds(1)) }
            keep(0x5E)
            for _ in 0..<15 { keep(0x61) }
            // The session resumes. The socket is not writable, so the replies are queued until the session pauses.
            loop.connections[row].state.insert(.isPolling)
            loop.updateBackPressure(descriptor)
            loop.replyToUnanswered(descriptor)
            #expect(loop.unanswered[descriptor] != nil)
            #expect(!loop.connections[row].session.mayRead)
            #expect(loop.connections[row].state.isDisjoint(with: [.isReceiving, .isCancelling]))
        }
    }

    /// FIN must not precede the reply to kept bytes, which the ring has not submitted yet.
    @Test func aDrainSendsTheReplyToKeptBytesBeforeFIN() throws {
        try Self.withLoop { loop, descriptor, client in
            try loop.iterate(timeout: .milliseconds(1))
            loop.input.fill { output in for byte in "^abc$".utf8 { output.append(byte) } }
            loop.keepInput(descriptor)
            #expect(loop.connections[Int(descriptor)].session.beginDrain() == .keep)
            loop.updateReading(descriptor)
            for _ in 0..<4 { try loop.iterate(timeout: .milliseconds(1)) }
            var buffer = ReusableBuffer(capacity: 16)
            _ = try buffer.fill { output throws(SystemCallError) in try client.receive(into: &output) }
            #expect(buffer.withBytes { copy($0) } == Array("*bcd".utf8))
            _ = try buffer.fill { output throws(SystemCallError) in try client.receive(into: &output) }
            #expect(buffer.count == 0)
        }
    }

    /// If the queue of requests is full, the ring submits them, and bytes may arrive that this iteration does not serve.
    ///
    /// A drain must not send FIN before these bytes have a reply.
    @Test func bytesThatArriveWithinAnIterationAreCounted() throws {
        try Self.withLoop(requestCount: 2) { loop, descriptor, client in
            for _ in 0..<3 { try loop.iterate(timeout: .milliseconds(1)) }
            loop.unserved = 0..<0
            #expect(try client.sendAll(Array("^abc".utf8).span) == 4)
            #expect(loop.receivedByteCount(descriptor) == 0)
            for _ in 0..<3 { loop.ring.cancel(.max) }
            #expect(loop.receivedByteCount(descriptor) == 4)
            #expect(loop.receivedByteCounts() == [descriptor: 4])
        }
    }

    /// A kernel without memory may take no request for seconds; the server then ends with an error.
    @Test func aKernelThatTakesNoRequestEndsTheLoop() throws {
        var faults = IORing.Faults()
        faults.rejectsSubmissions = true
        // The requests of the loop already exceed the queue.
        try Self.withLoop(completionCount: 2, faults: faults) { loop, _, _ in
            let error = #expect(throws: SystemCallError.self) { try loop.iterate(timeout: .milliseconds(1)) }
            #expect(error?.call == "io_uring_enter")
        }
    }

    /// The kernel keeps completions for which the queue has no room; a partial send may be among them.
    @Test func partialSendsBehindAFullQueueOfCompletionsAreFound() throws {
        var faults = IORing.Faults()
        faults.longestSend = 2
        let replies = Array("*bcdefgh".utf8)
        try Self.withLoop(completionCount: 2, faults: faults) { loop, _, client in
            var others: [(Int32, Int32)] = []
            for _ in 0..<20 {
                var ends: [Int32] = [-1, -1]
                try #require(unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
                others.append((ends[0], ends[1]))
                loop.begin(ends[0])
            }
            try loop.iterate(timeout: .milliseconds(1))
            for (_, other) in others {
                let socket = StreamSocket(adopting: other)
                _ = try socket.sendAll(Array("^abcdefg".utf8).span)
                _ = socket.release()
            }
            for _ in 0..<60 { try loop.iterate(timeout: .milliseconds(1)) }
            for (_, other) in others {
                let socket = StreamSocket(adopting: other)
                var buffer = ReusableBuffer(capacity: 64)
                _ = try buffer.fill { output throws(SystemCallError) in try socket.receive(into: &output) }
                #expect(buffer.withBytes { copy($0) } == replies)
            }
            #expect(loop.counters.sent.value == 21 + 20 * 7)
        }
    }

    /// The reply area has room for a limited number of greetings; the others wait for the next iteration.
    @Test func moreGreetingsThanTheAreaHasRoomForAreSent() async {
        await #expect(processExitsWith: .success) {
            try Self.withLoop { loop, descriptor, client in
                for _ in 0..<40_000 { loop.greet(descriptor) }
                var received = 0
                var buffer = ReusableBuffer(capacity: 1 << 16)
                while received < 40_001 {
                    try loop.iterate(timeout: .milliseconds(1))
                    while try client.wait(for: .readable, timeout: .zero) {
                        _ = try buffer.fill { output throws(SystemCallError) in try client.receive(into: &output) }
                        received += buffer.count
                    }
                }
                #expect(received == 40_001)
            }
        }
    }

    /// Without a free descriptor, a request to accept fails immediately, even if no client waits.
    @Test func withoutDescriptorsTheLoopWaits() async {
        await #expect(processExitsWith: .success) {
            try DescriptorLimit.set(soft: 128)
            try Self.withLoop { loop, _, _ in
                while dup(0) >= 0 {}
                loop.isAccepting = false
                loop.accept()
                var busyCount = 0
                for _ in 0..<20 {
                    let begin = ContinuousClock.now
                    try loop.iterate(timeout: .milliseconds(5))
                    if begin.duration(to: .now) < .milliseconds(4) { busyCount += 1 }
                }
                #expect(busyCount <= 5, "\(busyCount) of 20 iterations did not wait")
            }
        }
    }
}
