import LibUV
import Testing

/// Tests of serving datagrams in tasks.
@Suite(.timeLimit(.minutes(1))) struct DatagramServeTests {
    /// Promise of the article "Closures and tasks".
    @Test(arguments: [false, true]) func eachDatagramIsServedOnTheLoop(isElsewhere: Bool) async throws {
        try await withOuterTask { loop in
            try await loop.withDatagramSocket(on: .loopback(port: 0)) { socket in
                let address = try socket.socket.localAddress
                let served = Counter()
                let body: @Sendable (consuming UVDatagram) async throws -> Void = { datagram in
                    // Handles may be used only on the loop's thread.
                    #expect(try socket.socket.localAddress == address)
                    served.add()
                    let sender = datagram.sender
                    try await socket.send(datagram.buffer, to: sender)
                }
                let server =
                    isElsewhere
                    ? Task.detached { try await socket.serve(limit: 4, body) }
                    : Task(executorPreference: loop) { try await socket.serve(limit: 4, body) }
                let replies = try await echoes(of: 20, at: address, on: loop)
                #expect(replies == Set((0..<20).map { "hello \($0)" }))
                #expect(served.value == 20)
                server.cancel()
                try await server.value
            }
        }
    }

    /// At the limit, the socket receives one datagram ahead, and the kernel drops what does not fit into its buffer.
    ///
    /// Promise of the article "Closures and tasks".
    @Test func atTheLimitTheKernelDrops() throws {
        try withTask { loop in
            try await loop.withDatagramSocket(on: .loopback(port: 0), receiveLimit: 1) { socket in
                try socket.socket.setReceiveBufferSize(4096)
                let address = try socket.socket.localAddress
                let (busy, peak, served, released) = (Counter(), Counter(), Counter(), Counter())
                let server = Task(executorPreference: loop) {
                    try await socket.serve(limit: 3) { datagram in
                        let isLast = datagram.buffer.bytes == Array("last".utf8)
                        busy.add()
                        if busy.value > peak.value { peak.add() }
                        while released.value == 0 { try await loop.sleep(for: .milliseconds(1)) }
                        busy.add(-1)
                        if isLast { released.add() } else { served.add() }
                    }
                }
                try await loop.withDatagramSocket(to: address) { client in
                    for index in 0..<500 {
                        try await client.send("datagram \(index)")
                        if index % 50 == 0 { try await loop.sleep(for: .milliseconds(1)) }
                    }
                    #expect(busy.value == 3)
                    #expect(socket.receivedByteCount < 1024)
                    released.add()
                    // The kernel may drop this datagram too while its buffer is full.
                    while released.value == 1 {
                        try await client.send("last")
                        try await loop.sleep(for: .milliseconds(1))
                    }
                }
                #expect(peak.value == 3)
                #expect(served.value >= 4)
                #expect(served.value < 500)
                server.cancel()
                try await server.value
                #expect(busy.value == 0)
            }
        }
    }

    /// A body that throws, and one that ignores its datagram, cost only that datagram.
    ///
    /// Promise of the article "Closures and tasks".
    @Test func anErrorEndsOnlyItsOwnTask() throws {
        struct Faulty: Error {}
        try withTask { loop in
            try await loop.withDatagramSocket(on: .loopback(port: 0)) { socket in
                let address = try socket.socket.localAddress
                let served = Counter()
                let server = Task(executorPreference: loop) {
                    try await socket.serve(limit: 1) { datagram in
                        if datagram.buffer.isEmpty { throw Faulty() }
                        served.add()
                    }
                }
                for _ in 0..<5 {
                    try await socket.send([], to: address)
                    try await socket.send("good", to: address)
                }
                while served.value < 5 { try await loop.sleep(for: .milliseconds(1)) }
                server.cancel()
                try await server.value
            }
        }
    }

    /// A cancelled call returns normally, whether it waits for a slot or for a datagram, and cancels its tasks.
    ///
    /// Promise of the article "Closures and tasks".
    @Test(arguments: [2, 100]) func aCancelledCallEndsItsTasks(limit: Int) throws {
        try withTask { loop in
            try await loop.withDatagramSocket(on: .loopback(port: 0)) { socket in
                let address = try socket.socket.localAddress
                let (begun, cancelled) = (Counter(), Counter())
                let server = Task(executorPreference: loop) {
                    try await socket.serve(limit: limit) { _ in
                        begun.add()
                        do { try await loop.sleep(for: .seconds(1000)) } catch {
                            cancelled.add()
                            throw error
                        }
                    }
                }
                for _ in 0..<5 { try await socket.send("x", to: address) }
                while begun.value < min(limit, 5) { try await loop.sleep(for: .milliseconds(1)) }
                server.cancel()
                try await server.value
                #expect(begun.value == min(limit, 5))
                #expect(cancelled.value == begun.value)
                // The socket can be used further.
                if limit == 2 {
                    let next = try await socket.receive().buffer.bytes
                    #expect(next == [120])
                }
            }
        }
    }

    /// When the socket is closed, the call waits for its tasks, which are not cancelled.
    ///
    /// Promise of the article "Closures and tasks".
    @Test func closingTheSocketEndsTheCall() throws {
        try withTask { loop in
            let socket = try UVDatagramSocket(UVUDP(on: loop))
            try socket.socket.bind(to: .loopback(port: 0))
            let address = try socket.socket.localAddress
            let (begun, released, ended) = (Counter(), Counter(), Counter())
            let server = Task(executorPreference: loop) {
                try await socket.serve(limit: 10) { _ in
                    begun.add()
                    while released.value == 0 { try await loop.sleep(for: .milliseconds(1)) }
                    ended.add()
                }
            }
            for _ in 0..<3 { try await socket.send("x", to: address) }
            while begun.value < 3 { try await loop.sleep(for: .milliseconds(1)) }
            await socket.close()
            #expect(ended.value == 0)
            released.add()
            try await server.value
            #expect(ended.value == 3)
            // A call on a closed socket returns at once.
            try await socket.serve(limit: 1) { _ in ended.add() }
            #expect(ended.value == 3)
        }
    }

    /// The kernel reports a refused datagram as an error of the socket, which does not end the call.
    @Test func aReportedErrorDoesNotEndTheCall() throws {
        try withTask { loop in
            let address = try await loop.withDatagramSocket(on: .loopback(port: 0)) { try $0.socket.localAddress }
            try await loop.withDatagramSocket(to: address) { client in
                let served = Counter()
                let server = Task(executorPreference: loop) {
                    try await client.serve(limit: 10) { datagram in served.add(datagram.buffer.count) }
                }
                while !client.socket.isActive { await Task.yield() }
                try await client.send("refused")
                try await loop.sleep(for: .milliseconds(5))
                try await loop.withDatagramSocket(on: address, to: try client.socket.localAddress) { peer in
                    try await peer.send("123")
                    while served.value == 0 { try await loop.sleep(for: .milliseconds(1)) }
                }
                #expect(served.value == 3)
                server.cancel()
                try await server.value
            }
        }
    }

    @Test func onlyOneTaskServesOrReceives() throws {
        try withTask { loop in
            try await loop.withDatagramSocket(on: .loopback(port: 0)) { socket in
                let server = Task(executorPreference: loop) { try await socket.serve(limit: 1) { _ in } }
                while !socket.socket.isActive { await Task.yield() }
                await #expect(throws: UVError(.busy, operation: "serve")) { try await socket.serve(limit: 1) { _ in } }
                await #expect(throws: UVError(.busy, operation: "uv_udp_recv_start")) { _ = try await socket.receive() }
                server.cancel()
                try await server.value
                let receiver = Task(executorPreference: loop) { _ = try await socket.receive() }
                for _ in 0..<5 { await Task.yield() }
                await #expect(throws: UVError(.busy, operation: "uv_udp_recv_start")) {
                    try await socket.serve(limit: 1) { _ in }
                }
                receiver.cancel()
                await #expect(throws: UVError(.cancelled, operation: "uv_udp_recv_start")) { try await receiver.value }
            }
        }
    }
}
