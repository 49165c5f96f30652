import LibUV
import Testing

/// Tests of the time limits for connecting.
@Suite(.timeLimit(.minutes(1))) struct ConnectLimitTests {
    private static let timedOut = UVError(.timedOut, operation: "uv_tcp_connect")

    /// `withTask` fails the test if an attempt stays open.
    ///
    /// Promise of the article "Back-pressure".
    @Test(arguments: [false, true]) func anAddressThatDoesNotReplyTimesOut(isElsewhere: Bool) async throws {
        try await withOuterTask { loop in
            try await withSilentAddress(on: loop) { address in
                let before = handleTypes(of: loop)
                let attempts: [@Sendable () async throws -> Void] = [
                    { _ = try await loop.connect(to: address, within: .milliseconds(20)) },
                    { _ = try await loop.connect(toHost: "127.0.0.1", port: address.port, within: .milliseconds(20)) },
                    {
                        _ = try await loop.connect(
                            toFirstOf: [address, address, address], attemptDelay: .milliseconds(5),
                            within: .milliseconds(20))
                    },
                    { try await loop.withTCPConnection(to: address, connectingWithin: .milliseconds(20)) { _ in } },
                    {
                        try await loop.withTCPConnection(
                            toHost: "127.0.0.1", port: address.port, connectingWithin: .milliseconds(20)
                        ) { _ in }
                    },
                ]
                for attempt in attempts {
                    let begin = loop.clock.now
                    if isElsewhere {
                        let result = await Task.detached { try await attempt() }.result
                        #expect(throws: ConnectLimitTests.timedOut) { try result.get() }
                    } else {
                        await #expect(throws: ConnectLimitTests.timedOut) { try await attempt() }
                    }
                    let took = begin.duration(to: loop.clock.now)
                    #expect(took >= .milliseconds(20))
                    #expect(took < .seconds(1))
                }
                try await loop.sleep(for: .milliseconds(1))
                #expect(handleTypes(of: loop) == before)
            }
        }
    }

    /// The limit applies to the lookup and to the attempts together.
    @Test func aNameTimesOut() throws {
        try withTask { loop in
            try await withSilentAddress(on: loop) { address in
                // If `localhost` also has an IPv6 address, it refuses the port.
                await #expect(throws: ConnectLimitTests.timedOut) {
                    try await loop.connect(toHost: "localhost", port: address.port, within: .milliseconds(200))
                }
            }
            let pool = try BusyPool(on: loop)
            await #expect(throws: UVError(.timedOut, operation: "uv_getaddrinfo")) {
                try await loop.connect(toHost: "localhost", port: 1, within: .milliseconds(20))
            }
            pool.release()
            while pool.completed < BusyPool.size { try await loop.sleep(for: .milliseconds(1)) }
        }
    }

    /// A connection in time leaves no timer, whatever the limit, and other errors stay what they are.
    @Test(arguments: [Duration.seconds(30), .seconds(Int64.max)]) func aConnectionInTimeIsLikeOneWithoutALimit(
        limit: Duration
    ) throws {
        try withTask { loop in
            let address = try await loop.withTCPListener(on: .loopback(port: 0)) { connections in
                let address = connections.localAddress
                let all = [
                    try await loop.connect(to: address, within: limit),
                    try await loop.connect(toHost: "127.0.0.1", port: address.port, within: limit),
                    try await loop.connect(toFirstOf: [address], within: limit),
                ]
                try await loop.sleep(for: .milliseconds(1))
                // The timer is the deadline of the test.
                #expect(handleTypes(of: loop).count { $0 == "timer" } == 1)
                for connection in all { await connection.close() }
                try await loop.withTCPConnection(
                    toHost: "127.0.0.1", port: address.port, connectingWithin: limit, closingWithin: .seconds(5)
                ) { try await $0.write("x") }
                return address
            }
            await #expect(throws: UVError(.connectionRefused, operation: "uv_tcp_connect")) {
                try await loop.connect(to: address, within: limit)
            }
        }
    }

    @Test func aTimedAttemptMayBeCancelled() throws {
        try withTask { loop in
            try await withSilentAddress(on: loop) { address in
                let attempt = Task(executorPreference: loop) {
                    _ = try await loop.connect(to: address, within: .seconds(1000))
                }
                try await loop.sleep(for: .milliseconds(1))
                attempt.cancel()
                let result = await attempt.result
                #expect(throws: UVError(.cancelled, operation: "uv_tcp_connect")) { try result.get() }
            }
        }
    }

    @Test func closingTheLoopEndsATimedAttempt() throws {
        let loop = try UVLoop()
        let ended = Counter()
        // No host has this address.
        let address = try SocketAddress(parsing: "192.0.2.1", port: 1)
        Task(executorPreference: loop) {
            do throws(UVError) {
                _ = try await loop.connect(to: address, within: .seconds(1000))
            } catch { ended.add(1) }
        }
        for _ in 0..<5 { try loop.run(.noWait) }
        try loop.close()
        #expect(ended.value == 1)
        #expect(loop.refusedTaskCount == 0)
    }

    /// `connect(to:)` of a Unix domain socket has no time limit, because the kernel never waits.
    @Test func aFullQueueOfAUnixDomainSocketFailsImmediately() throws {
        try withTask { loop in
            let name = UVPipeName.path(temporaryPath())
            try await loop.withPipeListener(on: name, backlog: 0) { _ in
                var clients: [UVConnection] = []
                do throws(UVError) {
                    for _ in 0..<20 { clients.append(try await loop.connect(to: name)) }
                } catch { #expect(error.code == .wouldBlock) }
                #expect(clients.count < 20)
                for client in clients { await client.close() }
            }
        }
    }
}

/// Returns the types of all open handles.
private func handleTypes(of loop: UVLoop) -> [String] {
    var types: [String] = []
    loop.walk { if !$0.isClosing { types.append($0.typeName) } }
    return types.sorted()
}

/// Calls `body` with the address of a listener whose queue is full, so that the kernel drops requests to connect.
private nonisolated(nonsending) func withSilentAddress(
    on loop: UVLoop, _ body: nonisolated(nonsending) (SocketAddress) async throws -> Void
) async throws {
    try await loop.withTCPListener(on: .loopback(port: 0), backlog: 0) { connections in
        var clients: [UVConnection] = []
        do throws(UVError) {
            // The listener accepts one connection, and the queue has room for one or two.
            for _ in 0..<10 {
                clients.append(try await loop.connect(to: connections.localAddress, within: .milliseconds(200)))
            }
        } catch { #expect(error.code == .timedOut) }
        #expect(clients.count < 10)
        try await body(connections.localAddress)
        for client in clients { await client.close() }
    }
}
