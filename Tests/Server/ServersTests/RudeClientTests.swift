import IncrementProtocol
import Servers
import SystemCalls
import Testing

/// Tests of every model with clients that behave badly.
@Suite(.serialized, .timeLimit(.minutes(4))) struct RudeClientTests {
    @Test(arguments: Model.all) func halfClosesBeforeReadingAnything(_ model: Model) throws {
        let server = try RunningServer(model)
        let client = try TestClient(server.address)
        try client.send([0x5E] + [UInt8](repeating: 0x61, count: 100_000))
        try client.socket.shutdown(.write)
        #expect(try client.receiveToEnd() == [0x2A] + [UInt8](repeating: 0x62, count: 100_000))
        try server.stop()
    }

    /// The server pauses reading several times, and the end of the client's bytes arrives during a pause.
    @Test(arguments: Model.all, [1 << 12, 1 << 15, 1 << 18])
    func halfClosesWhileTheServerPausesReading(_ model: Model, _ count: Int) throws {
        let server = try RunningServer(model, maxBufferedBytes: 2048)
        let client = try TestClient(server.address)
        try client.send("^" + String(repeating: "a", count: count) + "$")
        try client.socket.shutdown(.write)
        let received = try client.receiveToEnd()
        #expect(received.count == count + 1)
        #expect(received.dropFirst().allSatisfy { $0 == 0x62 })
        #expect(try server.stop().sentByteCount == count + 1)
    }

    @Test(arguments: Model.all) func resetsInTheMiddleOfAReply(_ model: Model) throws {
        let server = try RunningServer(model)
        for _ in 0..<20 {
            let client = try TestClient.greeted(by: server)
            try client.send([0x5E] + [UInt8](repeating: 0x61, count: 200_000))
            _ = try client.receive(1000)
            try client.socket.closeReset()
        }
        // The server still runs, and serves the next client.
        let client = try TestClient.greeted(by: server)
        try client.exchange("still here")
        try client.socket.shutdown(.write)
        #expect(try client.receiveToEnd().isEmpty)
        #expect(try server.stop().acceptedConnections == 21)
    }

    @Test(arguments: Model.simultaneous) func aSilentClientDoesNotDelayOthers(_ model: Model) throws {
        let server = try RunningServer(model)
        let silent = try TestClient.greeted(by: server)
        let other = try TestClient.greeted(by: server)
        try other.exchange("abc")
        try silent.exchange("after all")
        try server.stop()
    }

    @Test(arguments: Model.simultaneous) func aClientThatDoesNotReadDoesNotDelayOthers(_ model: Model) throws {
        let server = try RunningServer(model)
        let stalled = try TestClient.greeted(by: server)
        try stalled.socket.setSendTimeout(.milliseconds(200))
        let block = [UInt8](repeating: 0x61, count: 1 << 20)
        _ = try stalled.socket.sendAll([0x5E].span)
        while try stalled.socket.sendAll(block.span) == block.count {}
        // The server buffers the stalled client's replies up to the limit, and still serves other clients.
        for _ in 0..<3 {
            let other = try TestClient.greeted(by: server)
            try other.exchange("abc")
            try other.exchange("def")
        }
        try stalled.socket.closeReset()
        #expect(try server.stop().acceptedConnections == 4)
    }

    @Test(arguments: Model.oneAtATime) func aSilentClientDelaysAllOthers(_ model: Model) throws {
        let server = try RunningServer(model)
        let silent = try TestClient.greeted(by: server)
        let waiting = try TestClient(server.address)
        // The second client stays in the backlog until the silent client disconnects.
        #expect(try !waiting.socket.wait(for: .readable, timeout: .milliseconds(300)))
        try silent.socket.shutdown(.write)
        #expect(try silent.receiveToEnd().isEmpty)
        #expect(try waiting.receive(1) == [0x2A])
        try waiting.exchange("at last")
        try waiting.socket.shutdown(.write)
        #expect(try waiting.receiveToEnd().isEmpty)
        #expect(try server.stop().acceptedConnections == 2)
    }

    @Test(arguments: Model.all) func sends64MBWithoutReading(_ model: Model) throws {
        let limit = 256 * 1024
        let server = try RunningServer(model, maxBufferedBytes: limit)
        let client = try TestClient.greeted(by: server)
        // Linux buffers up to 10 MB in the sockets, before the server has to buffer replies.
        let total = Sanitizer.isThread ? 32 << 20 : 64 << 20
        // The pattern reveals a lost or repeated byte. The pattern does not contain the byte that closes a message.
        let pattern = (0..<65521).map { index in UInt8(truncatingIfNeeded: index % 251) }.map { $0 == 0x24 ? 0x25 : $0 }
        let replies = Array(repeatElement(pattern.map { $0 &+ 1 }, count: 6).joined())
        let address = client.socket.rawValue
        let sender = try PosixThread {
            let socket = StreamSocket(adopting: address)
            _ = try? socket.sendAll([0x5E].span)
            var sent = 0
            while sent < total,
                let count = try? socket.sendAll(pattern.span.extracting(0..<min(pattern.count, total - sent))),
                count > 0
            {
                sent += count
            }
            try? socket.shutdown(.write)
            _ = socket.release()
        }
        // The client reads nothing until the server's buffers are full and the sender can send no more.
        while try client.socket.wait(for: .writable, timeout: .milliseconds(200)) {}
        let deadline = ContinuousClock.now.advanced(by: .seconds(60))
        while server.server.metrics.peakBufferedByteCount == 0, ContinuousClock.now < deadline { PosixThread.yield() }
        var received = 0
        var isRight = true
        var buffer = ReusableBuffer(capacity: 1 << 18)
        while received < total {
            let result = try buffer.fill { output throws(SystemCallError) in try client.socket.receive(into: &output) }
            guard case .bytes(let count) = result else { break }
            let place = received % pattern.count
            let expected = replies.span.extracting(place..<place + count)
            if buffer.withBytes({ firstDifference($0, expected) }) != nil { isRight = false }
            received += count
        }
        sender.join()
        #expect(received == total, "\(model.testDescription)")
        #expect(isRight)
        #expect(try client.receiveToEnd().isEmpty)
        let summary = try server.stop()
        #expect(summary.receivedByteCount == total + 1)
        #expect(summary.sentByteCount == total + 1)
        #expect(summary.peakBufferedByteCount > 0)
        #expect(
            summary.peakBufferedByteCount <= limit, "\(model.testDescription) held \(summary.peakBufferedByteCount)")
    }

    @Test(arguments: Model.all.indices) func manyClientsAtOnce(_ index: Int) async {
        // Runs in its own process, because it uses low descriptor numbers that tests of `select` need.
        await #expect(processExitsWith: .success) { [index] in
            try DescriptorLimit.set(soft: .max)
            try Self.manyClients(of: Model.all[index])
        }
    }

    private static func manyClients(of model: Model) throws {
        let server = try RunningServer(model)
        // The clients and the server use descriptors of the same process. `select` supports 1024 descriptors, which is
        // enough for 400 clients.
        let count = model.model.capacity != .unbounded && model.model.capacity != .poolThreads ? 400 : 1000
        // The clients are stored as descriptors, because an array cannot hold noncopyable values.
        let clients = try (0..<count).map { _ in
            let client = try StreamSocket.connect(to: server.address, timeout: .seconds(20))
            try client.setReceiveTimeout(.seconds(20))
            return client.release()
        }
        for (index, descriptor) in clients.enumerated() {
            let socket = StreamSocket(adopting: descriptor)
            let text = "client \(index)"
            #expect(try socket.sendAll(Array("^\(text)$".utf8).span) == text.utf8.count + 2)
            if model.servesSimultaneously {
                _ = socket.release()
            } else {
                try finish(socket, text)
            }
        }
        if model.servesSimultaneously {
            for (index, descriptor) in clients.enumerated() {
                try finish(StreamSocket(adopting: descriptor), "client \(index)")
            }
        }
        #expect(try server.stop().acceptedConnections == count)
    }

    private static func finish(_ socket: consuming StreamSocket, _ text: String) throws {
        try socket.shutdown(.write)
        var buffer = ReusableBuffer(capacity: 100)
        var received: [UInt8] = []
        while case .bytes = try buffer.fill({ output throws(SystemCallError) in try socket.receive(into: &output) }) {
            buffer.withBytes { span in received += span.indices.map { span[$0] } }
        }
        #expect(received == [0x2A] + text.utf8.map { $0 &+ 1 })
    }
}
