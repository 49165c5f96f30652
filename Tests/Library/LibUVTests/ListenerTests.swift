import LibUV
import SystemCalls
import Testing

/// Tests of the TCP listener.
@Suite(.timeLimit(.minutes(1))) struct ListenerTests {
    /// Tests behaviour 46 of docs/behaviours.md.
    @Test func anAddressInUseIsReportedByListen() throws {
        try withLoop { loop in
            let (first, second) = (try UVTCPListener(on: loop), try UVTCPListener(on: loop))
            try first.bind(to: .loopback(port: 0))
            try first.listen { _, _ in }
            try second.bind(to: try first.localAddress)
            #expect(throws: UVError(.addressInUse, operation: "uv_listen")) { try second.listen { _, _ in } }
        }
    }

    /// Tests behaviour 46 of docs/behaviours.md.
    @Test func aForeignAddressAndASecondBindAreRefused() throws {
        try withLoop { loop in
            let listener = try UVTCPListener(on: loop)
            let foreign = try SocketAddress(parsing: "192.0.2.1:0")
            #expect(throws: UVError(.addressNotAvailable, operation: "uv_tcp_bind")) { try listener.bind(to: foreign) }
            try listener.bind(to: .loopback(port: 0))
            #expect(throws: UVError(.invalidArgument, operation: "uv_tcp_bind")) {
                try listener.bind(to: .loopback(port: 0))
            }
        }
    }

    /// Tests behaviour 47 of docs/behaviours.md.
    @Test func aClosingListenerNeitherBindsNorListens() throws {
        try withLoop { loop in
            let listener = try UVTCPListener(on: loop)
            listener.close()
            #expect(throws: UVError(.invalidArgument, operation: "uv_tcp_bind")) {
                try listener.bind(to: .loopback(port: 0))
            }
            #expect(throws: UVError(.invalidArgument, operation: "uv_listen")) { try listener.listen { _, _ in } }
            // A listener that is not bound uses any free port.
            let unbound = try UVTCPListener(on: loop)
            try unbound.listen { _, _ in }
            #expect(try unbound.localAddress.port != 0)
        }
    }

    /// Tests behaviour 48 and pitfall 24 of docs/behaviours.md.
    ///
    /// Promise of the article "Back-pressure".
    @Test func aConnectionThatIsNotTakenWaitsAndHoldsUpTheNext() throws {
        try withLoop { loop in
            let listener = try UVTCPListener(on: loop)
            try listener.bind(to: .loopback(port: 0))
            var reported = 0
            try listener.listen { _, _ in reported += 1 }
            #expect(throws: UVError(.wouldBlock, operation: "uv_accept")) { try listener.accept() }
            let clients = try (0..<2).map { _ in try UVTCPStream(on: loop) }
            var connected = 0
            for client in clients {
                try client.connect(to: try listener.localAddress) { result in
                    if case .success = result { connected += 1 }
                }
            }
            while connected < 2 || reported < 1 { try loop.run(.once) }
            for _ in 0..<5 { try loop.run(.noWait) }
            #expect(reported == 1)
            let first = try listener.accept()
            while reported < 2 { try loop.run(.once) }
            let second = try listener.accept()
            #expect(first !== second)
        }
    }

    /// Tests behaviour 48 of docs/behaviours.md.
    @Test func aListenerMayBeClosedInItsOwnCallback() throws {
        try withLoop { loop in
            let listener = try UVTCPListener(on: loop)
            try listener.bind(to: .loopback(port: 0))
            var closed = 0
            try listener.listen { listener, _ in listener.close { closed += 1 } }
            let client = try UVTCPStream(on: loop)
            try client.connect(to: try listener.localAddress) { _ in client.close() }
            try loop.run()
            #expect(closed == 1)
        }
    }

    /// Tests behaviour 48 of docs/behaviours.md.
    @Test func listeningAgainReplacesTheClosure() throws {
        try withLoop { loop in
            let listener = try UVTCPListener(on: loop)
            try listener.bind(to: .loopback(port: 0))
            let record = Record()
            try listener.listen { _, _ in record.note("first") }
            try listener.listen { listener, _ in
                record.note("second")
                listener.close()
            }
            let client = try UVTCPStream(on: loop)
            try client.connect(to: try listener.localAddress) { _ in client.close() }
            try loop.run()
            #expect(record.events == ["second"])
        }
    }

    /// Tests behaviour 49 and pitfall 23 of docs/behaviours.md in a process that runs out of descriptors.
    ///
    /// Promises of the articles "Back-pressure" and "Coming from libuv in C".
    @Test func withoutDescriptorsClientsAreShedAndTheLoopDoesNotSpin() async {
        await #expect(processExitsWith: .success) {
            let loop = try UVLoop()
            let listener = try UVTCPListener(on: loop)
            try listener.bind(to: .loopback(port: 0))
            var (calls, errors) = (0, 0)
            var streams: [UVTCPStream] = []
            try listener.listen { listener, error in
                calls += 1
                if error != nil { errors += 1 } else if let stream = try? listener.accept() { streams.append(stream) }
            }
            let address = try listener.localAddress
            var clients: [Int32] = []
            for _ in 0..<20 { clients.append(try StreamSocket.connect(to: address, timeout: .seconds(5)).release()) }
            // Leaves enough descriptors to accept three of the twenty clients.
            let highest = try #require(clients.max())
            try DescriptorLimit.set(soft: Int(highest) + 4)
            var rounds = 0
            while rounds < 50 {
                try loop.run(.noWait)
                rounds += 1
            }
            // The other clients were accepted and closed, and each received end of stream. The callback ran at most
            // once for each client.
            #expect(streams.count <= 4)
            #expect(calls <= 20)
            #expect(errors <= 1)
            var ended = 0
            for client in clients {
                let socket = StreamSocket(adopting: client)
                if try socket.wait(for: .readable, timeout: .milliseconds(10)) { ended += 1 }
            }
            #expect(ended >= 16)
            try loop.close()
        }
    }
}
