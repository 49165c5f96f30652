import LibUV
import Testing

/// Tests of tasks that send and receive datagrams.
@Suite(.timeLimit(.minutes(1))) struct AsyncDatagramTests {
    /// Promise of the article "Closures and tasks".
    @Test(arguments: [false, true]) func anEchoThroughTheAsyncFace(receivesBatches: Bool) throws {
        try withTask { loop in
            try await loop.withDatagramSocket(on: .loopback(port: 0), receivesBatches: receivesBatches) { server in
                let address = try server.socket.localAddress
                let serving = Task(executorPreference: loop) {
                    // The server sends the received buffer back without copying it.
                    while true {
                        let datagram = try await server.receive()
                        let sender = datagram.sender
                        try await server.send(datagram.buffer, to: sender)
                    }
                }
                let answers = try await echoes(of: 20, at: address, on: loop)
                #expect(answers == Set((0..<20).map { "hello \($0)" }))
                serving.cancel()
                await #expect(throws: UVError(.cancelled, operation: "uv_udp_recv_start")) { try await serving.value }
            }
        }
    }

    /// Promise of the article "Closures and tasks".
    @Test func aDatagramKnowsItsSenderAndItsEnd() throws {
        try withTask { loop in
            try await loop.withDatagramSocket(on: .loopback(port: 0)) { socket in
                let address = try socket.socket.localAddress
                try await socket.send([], to: address)
                try await socket.send("whole", to: address)
                let empty = try await socket.receive()
                #expect(empty.sender == address && empty.buffer.isEmpty && !empty.isTruncated)
                let whole = try await socket.receive()
                let bytes = whole.buffer.bytes
                #expect(bytes == Array("whole".utf8))
            }
        }
    }

    @Test func nothingIsReceivedBeforeSomebodyAsks() throws {
        try withTask { loop in
            try await loop.withDatagramSocket(on: .loopback(port: 0)) { socket in
                try await socket.send("early", to: try socket.socket.localAddress)
                for _ in 0..<20 { try await loop.sleep(for: .milliseconds(1)) }
                #expect(socket.receivedByteCount == 0)
                #expect(!socket.socket.isActive)
                let early = try await socket.receive().buffer.bytes
                #expect(early == Array("early".utf8))
            }
        }
    }

    /// The memory limit applies to buffered datagrams, both with and without batches.
    ///
    /// The socket loses no datagram that the kernel accepted.
    ///
    /// Promise of the article "Closures and tasks".
    @Test(arguments: [false, true]) func aReceiverThatDoesNotAskBoundsWhatIsBuffered(receivesBatches: Bool) throws {
        try withTask { loop in
            let limit = 16 * 1024
            try await loop.withDatagramSocket(
                on: .loopback(port: 0), receivesBatches: receivesBatches, receiveLimit: limit
            ) { socket in
                let address = try socket.socket.localAddress
                for index in 0..<200 { try await socket.send("\(index)", to: address) }
                var (received, peak): ([String], Int) = ([], 0)
                while received.count < 200 {
                    received.append(String(decoding: try await socket.receive().buffer.bytes, as: UTF8.self))
                    // The receiver is slow. The loop runs iterations in the meantime.
                    if received.count % 10 == 1 { try await loop.sleep(for: .milliseconds(1)) }
                    peak = max(peak, socket.receivedByteCount)
                }
                #expect(received == (0..<200).map { "\($0)" })
                #expect(peak > limit / 2)
                // One datagram or one batch may exceed the limit. Each datagram uses less than 512 bytes.
                #expect(peak <= limit + (receivesBatches ? 20 : 1) * 512)
                #expect(socket.receivedByteCount == 0)
                #expect(loop.statistics.buffers.held == 0)
            }
        }
    }

    /// Empty datagrams use memory too, so the limit applies to them.
    @Test func emptyDatagramsAreBounded() throws {
        try withTask { loop in
            try await loop.withDatagramSocket(on: .loopback(port: 0), receiveLimit: 4096) { socket in
                for _ in 0..<100 { try await socket.send([], to: try socket.socket.localAddress) }
                _ = try await socket.receive()
                for _ in 0..<10 { try await loop.sleep(for: .milliseconds(1)) }
                #expect(loop.statistics.buffers.held <= 4096 / 128 + 1)
                #expect(loop.statistics.buffers.held > 1)
                for _ in 1..<100 { _ = try await socket.receive() }
            }
        }
    }

    @Test func aReceiverThatIsCancelledLeavesTheDatagramToTheNext() throws {
        try withTask { loop in
            try await loop.withDatagramSocket(on: .loopback(port: 0)) { socket in
                let waiting = Task(executorPreference: loop) { _ = try await socket.receive() }
                while !socket.socket.isActive { await Task.yield() }
                await #expect(throws: UVError(.busy, operation: "uv_udp_recv_start")) { _ = try await socket.receive() }
                waiting.cancel()
                await #expect(throws: UVError(.cancelled, operation: "uv_udp_recv_start")) { try await waiting.value }
                try await socket.send("next", to: try socket.socket.localAddress)
                let next = try await socket.receive().buffer.bytes
                #expect(next == Array("next".utf8))
            }
        }
    }

    @Test func aCloseWakesTheReceiverAndGivesBackWhatWaits() throws {
        try withTask { loop in
            let socket = try UVDatagramSocket(UVUDP(on: loop))
            try socket.socket.bind(to: .loopback(port: 0))
            let address = try socket.socket.localAddress
            for _ in 0..<3 { try await socket.send("x", to: address) }
            _ = try await socket.receive()
            while socket.receivedByteCount == 0 { await Task.yield() }
            while loop.statistics.buffers.held < 2 { try await loop.sleep(for: .milliseconds(1)) }
            await socket.close()
            #expect(loop.statistics.buffers.held == 0)
            await #expect(throws: UVError(.cancelled, operation: "uv_udp_recv_start")) {
                _ = try await socket.receive()
            }
            await #expect(throws: UVError.self) { try await socket.send("x", to: address) }

            let other = try UVDatagramSocket(UVUDP(on: loop))
            let waiting = Task(executorPreference: loop) { _ = try await other.receive() }
            while !other.socket.isActive { await Task.yield() }
            await other.close()
            await #expect(throws: UVError(.cancelled, operation: "uv_udp_recv_start")) { try await waiting.value }
        }
    }

    /// The next `receive` throws the error of an earlier datagram; later calls succeed.
    ///
    /// Promise of the article "Closures and tasks".
    @Test func aPortWithNobodyIsReportedOnce() throws {
        try withTask { loop in
            let address = try await loop.withDatagramSocket(on: .loopback(port: 0)) { try $0.socket.localAddress }
            try await loop.withDatagramSocket(to: address) { client in
                try await client.send("ping")
                await #expect(throws: UVError(.connectionRefused, operation: "uv_udp_recv_start")) {
                    _ = try await client.receive()
                }
                try await loop.withDatagramSocket(on: address, to: try client.socket.localAddress) { server in
                    try await server.send("now there is")
                    let answer = try await client.receive().buffer.bytes
                    #expect(answer == Array("now there is".utf8))
                }
            }
        }
    }

    @Test func aSendTellsOfItsOwnDatagram() throws {
        try withTask { loop in
            try await loop.withDatagramSocket(on: .loopback(port: 0)) { socket in
                let address = try socket.socket.localAddress
                await #expect(throws: UVError(.messageTooLarge, operation: "uv_udp_try_send")) {
                    try await socket.send([UInt8](repeating: 0, count: 70_000), to: address)
                }
                await #expect(throws: UVError(.destinationRequired, operation: "uv_udp_try_send")) {
                    try await socket.send("nowhere")
                }
                #expect(loop.statistics.buffers.held == 0 && loop.statistics.buffers.inFlight == 0)
                // Many sends run at the same time, and some of them fail. Each call reports its own result.
                let sent = await withTaskGroup(of: (Int, Bool).self) { group in
                    for index in 0..<20 {
                        group.addTask(executorPreference: loop) {
                            let bytes = [UInt8](repeating: 1, count: index % 5 == 3 ? 70_000 : index)
                            return (index, (try? await socket.send(bytes, to: address)) != nil)
                        }
                    }
                    return await group.reduce(into: Set<Int>()) { if $1.1 { $0.insert($1.0) } }
                }
                #expect(sent == Set(0..<20).subtracting([3, 8, 13, 18]))
            }
        }
    }

    /// A send that waits behind queued sends can be cancelled.
    ///
    /// The cancelled send throws at once, but its datagram is still sent.
    @Test func aSendThatWaitsMayBeCancelled() throws {
        try withTask { loop in
            try await loop.withDatagramSocket(on: .loopback(port: 0)) { socket in
                let address = try socket.socket.localAddress
                // This datagram stays queued until the loop's next iteration. The calls below run in the current
                // iteration.
                try socket.socket.send(loop.buffer(1, count: 1), to: address)
                let waiting = Task(executorPreference: loop) { try await socket.send([2], to: address) }
                let cancelledBefore = Task(executorPreference: loop) { try await socket.send([9], to: address) }
                cancelledBefore.cancel()
                while socket.socket.sendQueueCount < 2 { await Task.yield() }
                waiting.cancel()
                await #expect(throws: UVError(.cancelled, operation: "uv_udp_send")) { try await waiting.value }
                await #expect(throws: UVError(.cancelled, operation: "uv_udp_send")) { try await cancelledBefore.value }
                #expect(loop.statistics.buffers.inFlight == 2 && loop.statistics.buffers.held == 0)
                try await socket.send([3], to: address)
                var received: [[UInt8]] = []
                for _ in 0..<3 { received.append(try await socket.receive().buffer.bytes) }
                #expect(received == [[1], [2], [3]])
                #expect(loop.statistics.buffers.inFlight == 0 && loop.statistics.buffers.held == 0)
            }
        }
    }

    /// Promise of the article "Ownership and lifetime".
    @Test func aScopeClosesOnEveryWayOut() throws {
        struct Reason: Error {}
        try withTask { loop in
            var sockets: [UVUDP] = []
            await #expect(throws: Reason.self) {
                try await loop.withDatagramSocket(on: .loopback(port: 0)) { socket in
                    sockets.append(socket.socket)
                    throw Reason()
                }
            }
            let port = try await loop.withDatagramSocket(on: .loopback(port: 0)) { socket in
                sockets.append(socket.socket)
                return try socket.socket.localAddress.port
            }
            #expect(sockets.map(\.isClosed) == [true, true])
            // The port is free again, so this scope can bind it. The inner scope then finds the port in use. It throws
            // an error, and closes its socket.
            try await loop.withDatagramSocket(on: .loopback(port: port)) { _ in
                _ = await #expect(throws: UVError(.addressInUse, operation: "uv_udp_bind")) {
                    try await loop.withDatagramSocket(on: .loopback(port: port)) { _ in }
                }
            }
            await #expect(throws: UVError(.alreadyInProgress, operation: "uv_udp_recv_start")) {
                try await loop.withDatagramSocket { _ = try UVDatagramSocket($0.socket) }
            }
        }
    }
}
