import LibUV
import Testing

/// Tests of closing a datagram socket.
///
/// docs/behaviours.md lists the pitfalls by number.
@Suite(.timeLimit(.minutes(1))) struct DatagramCloseTests {
    /// Pitfall 7: a close completes every send exactly once and in order.
    ///
    /// The kernel has already accepted the first datagram. The other datagrams are still queued, so the close cancels
    /// them.
    ///
    /// Promise of the article "Ownership and lifetime".
    @Test func closeCompletesEverySendOnceInOrderBeforeTheClose() throws {
        try withLoop { loop in
            let receiver = try UVUDP.receiver(on: loop, Datagrams())
            let sender = try UVUDP(on: loop)
            let record = Record()
            for index in 0..<20 {
                try sender.send(sender.buffer("x"), to: try receiver.localAddress) { result in
                    switch result {
                    case .success: record.note("\(index) sent")
                    case .failure(let error):
                        #expect(error == UVError(.cancelled, operation: "uv_udp_send"))
                        record.note("\(index) cancelled")
                    }
                }
            }
            sender.close { record.note("closed") }
            sender.close { record.note("closed again") }
            receiver.close()
            #expect(record.events.isEmpty)
            #expect(loop.statistics.buffers.inFlight == 20)
            try loop.run()
            #expect(record.events == ["0 sent"] + (1..<20).map { "\($0) cancelled" } + ["closed", "closed again"])
            #expect(loop.statistics.buffers.inFlight == 0 && loop.statistics.buffers.held == 0)
        }
    }

    /// Pitfall 1: a socket that is closed in its receive callback stays in memory for one more iteration.
    ///
    /// After the close, libuv before 1.48 accesses the handle once more, and sends on the closed descriptor.
    @Test func aCloseInTheReceiptOfASocketThatIsSendingCancelsAndKeepsItsMemoryForARound() throws {
        weak var weakSocket: UVUDP?
        try withLoop { loop in
            let record = Record()
            do {
                let socket = try UVUDP(on: loop)
                weakSocket = socket
                try socket.bind(to: .loopback(port: 0))
                let address = try socket.localAddress
                var received = 0
                try socket.startReceiving { socket, event in
                    guard case .datagram = event else { return }
                    received += 1
                    // A queued send is due later in the same iteration.
                    if received == 2 {
                        #expect(socket.sendQueueCount > 0 || DatagramCloseTests.sendsAllAtOnce)
                        socket.close { record.note("closed") }
                    }
                }
                // The sends start directly before the loop waits. The first datagram is sent at once, and the other
                // datagrams are sent in the next iterations.
                try UVPrepare(on: loop).start { prepare in
                    for index in 0..<100 {
                        try? socket.send(socket.buffer("x"), to: address) { result in
                            if case .failure(let error) = result { #expect(error.code == .cancelled) }
                            record.note("\(index) \((try? result.get()) == nil ? "cancelled" : "sent")")
                        }
                    }
                    prepare.close()
                }
            }
            while record.count("closed") == 0 { try loop.run(.noWait) }
            #expect(weakSocket != nil || DatagramCloseTests.sendsAllAtOnce)
            try loop.run()
            #expect(weakSocket == nil)
            let sent = record.events.count { $0.hasSuffix("sent") }
            #expect(sent > 0 && (sent < 100 || DatagramCloseTests.sendsAllAtOnce))
            #expect(
                record.events == (0..<sent).map { "\($0) sent" } + (sent..<100).map { "\($0) cancelled" } + ["closed"])
        }
    }

    /// Whether libuv sends all queued datagrams in one iteration (1.50 and later).
    ///
    /// A close then finds no queued datagram to cancel.
    private static var sendsAllAtOnce: Bool { UVVersion.running >= UVVersion(encoded: 0x013200) }

    /// Pitfall 9: a rejected send returns its buffer at once.
    @Test func aClosingSocketRefusesEverything() throws {
        try withLoop { loop in
            let socket = try UVUDP(on: loop)
            let address = SocketAddress.loopback(port: 9)
            socket.close()
            func refused(_ operation: String) -> UVError { UVError(.invalidArgument, operation: operation) }
            #expect(throws: refused("uv_udp_bind")) { try socket.bind(to: address) }
            #expect(throws: refused("uv_udp_connect")) { try socket.connect(to: address) }
            #expect(throws: refused("uv_udp_recv_start")) { try socket.startReceiving { _, _ in } }
            #expect(throws: refused("uv_udp_try_send")) { try socket.offer([1], to: address) }
            #expect(throws: refused("uv_udp_set_ttl")) { try socket.setTTL(1) }
            #expect(throws: refused("uv_udp_send")) {
                try socket.send(socket.buffer("x"), to: address) { _ in Issue.record("called") }
            }
            #expect(loop.statistics.buffers.held == 0 && loop.statistics.buffers.inFlight == 0)
            socket.stopReceiving()
            try loop.run()
            #expect(socket.isClosed)
        }
    }

    /// Tests pitfall 12 of docs/behaviours.md.
    ///
    /// Promise of the article "Ownership and lifetime".
    @Test func aSocketsClosureIsReleasedByItsClose() throws {
        final class Handler {}
        weak var leaked: Handler?
        weak var weakSocket: UVUDP?
        try withLoop { loop in
            let handler = Handler()
            leaked = handler
            let socket = try UVUDP(on: loop)
            weakSocket = socket
            try socket.startReceiving { _, _ in _ = (handler, socket) }
            socket.close()
            try loop.run()
        }
        #expect(leaked == nil)
        #expect(weakSocket == nil)
    }

    @Test func aLoopThatClosesCompletesWhatIsBeingSent() throws {
        let loop = try UVLoop()
        let socket = try UVUDP(on: loop)
        var completions = 0
        for _ in 0..<10 { try socket.send(socket.buffer("x"), to: .loopback(port: 9)) { _ in completions += 1 } }
        #expect(try loop.close().map(\.type) == ["udp"])
        #expect(completions == 10)
        #expect(loop.statistics.buffers.made == 0)
        #expect(throws: UVError(.cancelled, operation: "uv_udp_init_ex")) { try UVUDP(on: loop) }
    }

    @Test func aSocketMayBeClosedInTheCompletionOfASend() throws {
        try withLoop { loop in
            let socket = try UVUDP(on: loop)
            let record = Record()
            try socket.send(socket.buffer("x"), to: .loopback(port: 9)) { _ in
                record.note("sent")
                socket.close { record.note("closed") }
                #expect(throws: UVError.self) { try socket.send(socket.buffer("y"), to: .loopback(port: 9)) }
            }
            try socket.send(socket.buffer("z"), to: .loopback(port: 9)) { _ in record.note("second") }
            try loop.run()
            #expect(record.events == ["sent", "second", "closed"])
        }
    }
}
