import LibUV
import Testing

/// Tests of sending and receiving datagrams.
///
/// docs/behaviours.md lists the behaviours and pitfalls by number.
@Suite(.timeLimit(.minutes(1))) struct DatagramTests {
    /// Tests behaviour 56 of docs/behaviours.md.
    ///
    /// Promise of the article "Closures and tasks".
    @Test(arguments: ["127.0.0.1", "::1"]) func sendAndReceive(_ host: String) throws {
        try withLoop { loop in
            let (asked, answered) = (Datagrams(), Datagrams())
            let server = try UVUDP(on: loop)
            try server.bind(to: try SocketAddress(parsing: host, port: 0))
            try server.startReceiving { socket, event in
                asked.note(event)
                guard case .datagram(_, let sender, _) = event else { return }
                try? socket.send(socket.buffer("pong"), to: sender)
            }
            let client = try UVUDP.receiver(on: loop, answered, host: host)
            var sent = 0
            try client.send(client.buffer("ping"), to: try server.localAddress) { result in
                if case .success = result { sent += 1 }
            }
            #expect(sent == 0)
            #expect(loop.statistics.buffers.inFlight == 1)
            try loop.runUntil { !answered.received.isEmpty && sent == 1 }
            #expect(asked.received == [.init(text: "ping", sender: try client.localAddress)])
            #expect(answered.received == [.init(text: "pong", sender: try server.localAddress)])
            server.close()
            client.close()
            try loop.run()
            #expect(asked.closedCount == 1 && answered.closedCount == 1)
            #expect(asked.failures.isEmpty && answered.failures.isEmpty)
        }
    }

    /// Pitfall 47: a socket reports an empty datagram, but reports nothing if a read finds no datagram.
    @Test(arguments: [false, true]) func anEmptyDatagramArrives(receivesBatches: Bool) throws {
        try withLoop { loop in
            let datagrams = Datagrams()
            let receiver = try UVUDP.receiver(on: loop, datagrams, receivesBatches: receivesBatches)
            let sender = try UVUDP(on: loop)
            let address = try receiver.localAddress
            try sender.send(loop.makeBuffer(capacity: 0), to: address)
            try sender.send(UVBufferVector(), to: address)
            #expect(try sender.offer([], to: address) == false)
            try loop.runUntil { datagrams.byteCounts.count == 2 }
            #expect(try sender.offer([], to: address))
            try loop.runUntil { datagrams.byteCounts.count == 3 }
            for _ in 0..<5 { try loop.run(.noWait) }
            #expect(datagrams.byteCounts == [0, 0, 0])
        }
    }

    @Test func severalBuffersAreOneDatagram() throws {
        try withLoop { loop in
            let datagrams = Datagrams()
            let receiver = try UVUDP.receiver(on: loop, datagrams)
            var vector = UVBufferVector()
            for index in 0..<10 { vector.append(receiver.buffer("part \(index);")) }
            var completions = 0
            try receiver.send(vector, to: try receiver.localAddress) { _ in completions += 1 }
            #expect(loop.statistics.buffers.inFlight == 10)
            try loop.runUntil { datagrams.received.count == 1 && completions == 1 }
            #expect(datagrams.texts == [(0..<10).map { "part \($0);" }.joined()])
            #expect(loop.statistics.buffers.inFlight == 0 && loop.statistics.buffers.held == 0)
        }
    }

    /// Each send adds to the queue, and the sends complete in order.
    ///
    /// In the last completion, the queue is empty.
    @Test func aHundredSendsCompleteInOrder() throws {
        try withLoop { loop in
            let datagrams = Datagrams()
            let receiver = try UVUDP.receiver(on: loop, datagrams)
            let sender = try UVUDP(on: loop)
            var completed: [Int] = []
            for index in 0..<100 {
                try sender.send(sender.buffer("\(100 + index)"), to: try receiver.localAddress) { result in
                    #expect((try? result.get()) != nil)
                    completed.append(index)
                    if index == 99 { #expect(sender.sendQueueCount == 0 && sender.sendQueueSize == 0) }
                }
                #expect(sender.sendQueueCount == index + 1)
                #expect(sender.sendQueueSize == 3 * (index + 1))
            }
            #expect(loop.statistics.buffers.inFlight == 100)
            try loop.runUntil { completed.count == 100 && datagrams.received.count == 100 }
            #expect(completed == Array(0..<100))
            #expect(datagrams.texts == (100..<200).map { "\($0)" })
        }
    }

    /// Behaviour 56, pitfall 47: many datagrams that arrive in batches are reported in order.
    @Test func manyDatagramsComeInBatchesInOrder() throws {
        try withLoop { loop in
            let datagrams = Datagrams()
            let receiver = try UVUDP.receiver(on: loop, datagrams, receivesBatches: true)
            #expect(receiver.receivesBatches)
            let sender = try UVUDP(on: loop)
            let address = try receiver.localAddress
            for index in 0..<100 { #expect(try sender.offer("\(index)", to: address)) }
            try loop.runUntil { datagrams.received.count == 100 }
            #expect(datagrams.texts == (0..<100).map { "\($0)" })
            #expect(datagrams.received.allSatisfy { $0.sender.port == datagrams.received[0].sender.port })
        }
    }

    /// Pitfall 47: a socket that is closed in the middle of a batch reports no further datagram.
    ///
    /// libuv itself continues with the batch after the close.
    @Test func aCloseInTheMiddleOfABatchIsTheLastButClosed() throws {
        try withLoop { loop in
            let datagrams = Datagrams()
            let receiver = try UVUDP(on: loop, receivesBatches: true)
            try receiver.bind(to: .loopback(port: 0))
            let sender = try UVUDP(on: loop)
            for _ in 0..<10 { #expect(try sender.offer([1], to: try receiver.localAddress)) }
            try receiver.startReceiving { socket, event in
                datagrams.note(event)
                if datagrams.byteCounts.count == 3 { socket.close() }
            }
            try loop.run()
            #expect(datagrams.byteCounts.count == 3)
            #expect(datagrams.closedCount == 1)
        }
    }

    @Test func aStoppedSocketReportsNothingUntilItIsResumed() throws {
        try withLoop { loop in
            let datagrams = Datagrams()
            let receiver = try UVUDP(on: loop)
            #expect(throws: UVError(.invalidArgument, operation: "uv_udp_recv_start")) {
                try receiver.resumeReceiving()
            }
            try receiver.bind(to: .loopback(port: 0))
            let address = try receiver.localAddress
            try receiver.startReceiving { socket, event in
                datagrams.note(event)
                if datagrams.texts.last == "stop" { socket.stopReceiving() }
            }
            #expect(throws: UVError(.alreadyInProgress, operation: "uv_udp_recv_start")) {
                try receiver.resumeReceiving()
            }
            #expect(throws: UVError(.alreadyInProgress, operation: "uv_udp_recv_start")) {
                try receiver.startReceiving { _, _ in }
            }
            let sender = try UVUDP(on: loop)
            for text in ["go", "stop", "late"] { #expect(try sender.offer(text, to: address)) }
            try loop.runUntil { datagrams.received.count == 2 }
            #expect(!receiver.isActive)
            for _ in 0..<5 { try loop.run(.noWait) }
            #expect(datagrams.texts == ["go", "stop"])
            receiver.stopReceiving()
            try receiver.resumeReceiving()
            try loop.runUntil { datagrams.received.count == 3 }
            #expect(datagrams.texts == ["go", "stop", "late"])
        }
    }

    /// A datagram that is longer than the read buffer is truncated, but the next datagram arrives complete.
    @Test func aDatagramBeyondTheReadBufferIsTruncated() throws {
        var configuration = UVLoop.Configuration()
        configuration.readBufferSize = 100
        try withLoop(configuration: configuration) { loop in
            let datagrams = Datagrams()
            let receiver = try UVUDP.receiver(on: loop, datagrams)
            let batches = try UVUDP.receiver(on: loop, datagrams, receivesBatches: true)
            let sender = try UVUDP(on: loop)
            for count in [101, 100] {
                #expect(try sender.offer([UInt8](repeating: 1, count: count), to: try receiver.localAddress))
            }
            try loop.runUntil { datagrams.byteCounts.count == 2 }
            #expect(datagrams.byteCounts == [100, 100])
            #expect(datagrams.truncatedCount == 1)
            // Batches do not use the read buffer. With a small read buffer, the datagrams of a batch are still
            // complete, and the loop does not spin.
            #expect(try sender.offer([UInt8](repeating: 1, count: 60_000), to: try batches.localAddress))
            try loop.runUntil { datagrams.byteCounts.count == 3 }
            #expect(datagrams.byteCounts.last == 60_000)
            #expect(datagrams.truncatedCount == 1)
        }
    }

    /// Behaviour 56: only an unconnected socket needs and accepts a destination.
    ///
    /// libuv reports a missing destination as EDESTADDRREQ, even if the system reports ENOTCONN.
    @Test func aConnectedSocketTakesNoDestinationAndAnUnconnectedOneNeedsIt() throws {
        try withLoop { loop in
            let datagrams = Datagrams()
            let receiver = try UVUDP.receiver(on: loop, datagrams)
            let address = try receiver.localAddress
            let sender = try UVUDP(on: loop)
            #expect(throws: UVError(.badDescriptor, operation: "uv_udp_getpeername")) { try sender.remoteAddress }
            #expect(throws: UVError(.destinationRequired, operation: "uv_udp_send")) {
                try sender.send(sender.buffer("x"))
            }
            #expect(throws: UVError(.destinationRequired, operation: "uv_udp_try_send")) {
                try sender.offer([1])
            }
            #expect(throws: UVError(.notConnected, operation: "uv_udp_connect")) { try sender.disconnect() }
            try sender.connect(to: address)
            #expect(try sender.remoteAddress == address)
            #expect(throws: UVError(.alreadyConnected, operation: "uv_udp_connect")) { try sender.connect(to: address) }
            #expect(throws: UVError(.alreadyConnected, operation: "uv_udp_send")) {
                try sender.send(sender.buffer("x"), to: address) { _ in Issue.record("called") }
            }
            #expect(throws: UVError(.alreadyConnected, operation: "uv_udp_try_send")) {
                try sender.offer([1], to: address)
            }
            #expect(loop.statistics.buffers.held == 0 && loop.statistics.buffers.inFlight == 0)
            try sender.send(sender.buffer("connected"))
            try loop.runUntil { datagrams.received.count == 1 }
            #expect(try sender.offer("tried"))
            try sender.disconnect()
            #expect(throws: UVError(.notConnected, operation: "uv_udp_getpeername")) { try sender.remoteAddress }
            try sender.send(sender.buffer("again"), to: address)
            try loop.runUntil { datagrams.received.count == 3 }
            #expect(datagrams.texts == ["connected", "tried", "again"])
        }
    }

    /// Only a connected socket learns that no socket is bound to the port.
    @Test func aPortWithNobodyIsReportedToAConnectedSocket() throws {
        try withLoop { loop in
            let gone = try UVUDP(on: loop)
            try gone.bind(to: .loopback(port: 0))
            let address = try gone.localAddress
            gone.close()
            try loop.run()
            let datagrams = Datagrams()
            let sender = try UVUDP(on: loop)
            try sender.connect(to: address)
            try sender.startReceiving { _, event in datagrams.note(event) }
            #expect(try sender.offer([1]))
            try loop.runUntil { !datagrams.failures.isEmpty }
            #expect(datagrams.failures == [UVError(.connectionRefused, operation: "uv_udp_recv_start")])
            #expect(sender.isActive)
            // If a send without a completion fails, the socket reports the error as an event.
            #expect(try sender.offer([1]))
            try sender.send(sender.buffer("x"))
            try loop.runUntil { datagrams.failures.count == 2 }
            #expect(datagrams.failures.last?.code == .connectionRefused)
            #expect(loop.statistics.buffers.inFlight == 0 && loop.statistics.buffers.held == 0)
        }
    }

    /// A socket that only sends completes every send, although no socket is bound to the port.
    ///
    /// The kernel reports the error of the first datagram in the same iteration in which libuv sends the others.
    @Test(arguments: [false, true]) func aSocketThatOnlySendsOutlivesThatNobodyIsThere(hasStopped: Bool) throws {
        try withLoop { loop in
            let gone = try UVUDP(on: loop)
            try gone.bind(to: .loopback(port: 0))
            let address = try gone.localAddress
            gone.close()
            let sender = try UVUDP(on: loop)
            try sender.connect(to: address)
            if hasStopped {
                try sender.startReceiving { _, _ in }
                sender.stopReceiving()
            }
            var results: [Bool] = []
            try UVPrepare(on: loop).start { prepare in
                for _ in 0..<5 {
                    try? sender.send(sender.buffer("x")) { result in results.append((try? result.get()) != nil) }
                }
                prepare.close()
            }
            try loop.runUntil { results.count == 5 }
            #expect(results.first == true && results.contains(false))
            #expect(loop.statistics.buffers.inFlight == 0 && loop.statistics.buffers.held == 0)
        }
    }

    /// Tests behaviour 56 of docs/behaviours.md.
    @Test func aDatagramTooLargeFailsAndItsBufferComesBack() throws {
        try withLoop { loop in
            let datagrams = Datagrams()
            let receiver = try UVUDP.receiver(on: loop, datagrams)
            let sender = try UVUDP(on: loop)
            let address = try receiver.localAddress
            let tooLarge = [UInt8](repeating: 0, count: 65_508)
            #expect(throws: UVError(.messageTooLarge, operation: "uv_udp_try_send")) {
                try sender.offer(tooLarge, to: address)
            }
            var failures: [UVError] = []
            try sender.send(sender.buffer(tooLarge), to: address) { result in
                if case .failure(let error) = result { failures.append(error) }
            }
            try loop.runUntil { failures.count == 1 }
            #expect(failures == [UVError(.messageTooLarge, operation: "uv_udp_send")])
            #expect(loop.statistics.buffers.inFlight == 0 && loop.statistics.buffers.held == 0)
            try sender.send(sender.buffer(Array(tooLarge.dropLast())), to: address)
            try loop.runUntil { datagrams.byteCounts == [65_507] }
        }
    }

    /// A datagram that cannot be sent does not make other sends fail.
    ///
    /// In libuv before 1.50, the other sends fail too.
    @Test func eachDatagramFailsOrArrivesAlone() throws {
        try withLoop { loop in
            let datagrams = Datagrams()
            let receiver = try UVUDP.receiver(on: loop, datagrams)
            let sender = try UVUDP(on: loop)
            let address = try receiver.localAddress
            var results: [Bool] = []
            for index in 0..<6 {
                let bytes = [UInt8](repeating: 1, count: index % 3 == 2 ? 70_000 : 10 + index)
                try sender.send(sender.buffer(bytes), to: address) { result in
                    results.append((try? result.get()) != nil)
                    if index == 5 {
                        // A completion queues this datagram behind all others.
                        #expect(throws: Never.self) { try sender.send(sender.buffer("last"), to: address) }
                    }
                }
            }
            #expect(sender.sendQueueCount == 6)
            #expect(sender.sendQueueSize == 10 + 11 + 70_000 + 13 + 14 + 70_000)
            try loop.runUntil { datagrams.byteCounts.count == 5 }
            #expect(datagrams.byteCounts == [10, 11, 13, 14, 4])
            #expect(results == [true, true, false, true, true, false])
            try loop.runUntil { sender.sendQueueCount == 0 }
            #expect(sender.sendQueueSize == 0)
            #expect(loop.statistics.buffers.inFlight == 0 && loop.statistics.buffers.held == 0)
        }
    }

    /// An iteration sends a limited number of datagrams, even if completions keep queuing more.
    @Test func aCompletionThatSendsOnDoesNotKeepTheLoop() throws {
        try withLoop { loop in
            let receiver = try UVUDP.receiver(on: loop, Datagrams())
            let sender = try UVUDP(on: loop)
            let address = try receiver.localAddress
            var (sent, rounds) = (0, 0)
            func sendOn() {
                sent += 1
                if sent < 5000 { try? sender.send(sender.buffer("x"), to: address) { _ in sendOn() } }
            }
            let check = try UVCheck(on: loop)
            try check.start { _ in rounds += 1 }
            check.unref()
            for _ in 0..<3 { try sender.send(sender.buffer("x"), to: address) { _ in sendOn() } }
            try loop.runUntil { sender.sendQueueCount == 0 }
            #expect(sent >= 5000)
            #expect(rounds >= 5)
        }
    }

    /// Pitfall 20: `trySend` does not overtake queued datagrams.
    @Test func aTryDoesNotOvertake() throws {
        try withLoop { loop in
            let datagrams = Datagrams()
            let receiver = try UVUDP.receiver(on: loop, datagrams)
            let sender = try UVUDP(on: loop)
            let address = try receiver.localAddress
            #expect(try sender.offer("first", to: address))
            try sender.send(sender.buffer("second"), to: address)
            #expect(try sender.offer("never", to: address) == false)
            var vector = UVBufferVector()
            vector.append(sender.buffer("never"))
            #expect(try sender.trySendEach(vector, to: address) == 0)
            try loop.runUntil { datagrams.received.count == 2 }
            #expect(datagrams.texts == ["first", "second"])
        }
    }

    @Test func eachBufferOfAVectorIsADatagramOfItsOwn() throws {
        try withLoop { loop in
            let datagrams = Datagrams()
            let receiver = try UVUDP.receiver(on: loop, datagrams)
            let address = try receiver.localAddress
            let sender = try UVUDP(on: loop)
            var vector = UVBufferVector()
            #expect(try sender.trySendEach(vector, to: address) == 0)
            for index in 0..<70 { vector.append(sender.buffer("\(index)")) }
            #expect(throws: UVError(.invalidArgument, operation: "uv_udp_try_send2")) {
                try sender.trySendEach(vector, to: address)
            }
            try sender.bind(to: .loopback(port: 0))
            #expect(try sender.trySendEach(vector, to: address) == 70)
            try loop.runUntil { datagrams.received.count == 70 }
            #expect(datagrams.texts == (0..<70).map { "\($0)" })
            #expect(loop.statistics.buffers.held == 70)
            // The call stops at the first datagram that fails. It throws that error only if it has sent no datagram.
            var failing = UVBufferVector()
            failing.append(sender.buffer("fits"))
            failing.append(sender.buffer([UInt8](repeating: 0, count: 70_000)))
            #expect(try sender.trySendEach(failing, to: address) == 1)
            var failed = UVBufferVector()
            failed.append(sender.buffer([UInt8](repeating: 0, count: 70_000)))
            #expect(throws: UVError(.messageTooLarge, operation: "uv_udp_try_send2")) {
                try sender.trySendEach(failed, to: address)
            }
            var small = UVBufferVector()
            small.append(sender.buffer("x"))
            #expect(throws: UVError(.destinationRequired, operation: "uv_udp_try_send2")) {
                try sender.trySendEach(small)
            }
        }
    }
}
