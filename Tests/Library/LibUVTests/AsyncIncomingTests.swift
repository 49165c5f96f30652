import LibUV
import Testing

/// Tests of tasks that accept connections.
@Suite(.timeLimit(.minutes(1))) struct AsyncIncomingTests {
    /// Promise of the article "Back-pressure".
    @Test func oneConnectionAtMostIsAcceptedWhileNobodyAsks() throws {
        try withTask { loop in
            try await loop.withTCPListener(on: .loopback(port: 0)) { connections in
                let clients = try await withThrowingTaskGroup(of: UVConnection.self) { group in
                    for _ in 0..<5 { group.addTask { try await loop.connect(to: connections.localAddress) } }
                    return try await group.reduce(into: [UVConnection]()) { $0.append($1) }
                }
                // The kernel has connected all clients, but the server has not created a handle for any of them yet.
                var tcpHandles = 0
                loop.walk { if $0.typeName == "tcp" { tcpHandles += 1 } }
                #expect(tcpHandles == 1 + 5)
                for _ in 0..<5 { await (try #require(try await connections.next())).close() }
                for client in clients { await client.close() }
            }
        }
    }

    /// Promise of the article "Back-pressure".
    @Test func serveKeepsToItsLimit() throws {
        try withTask { loop in
            try await loop.withTCPListener(on: .loopback(port: 0)) { connections in
                let busy = Counter()
                let peak = Counter()
                let served = Counter()
                let server = Task(executorPreference: loop) {
                    try await connections.serve(limit: 3) { connection in
                        busy.add()
                        if busy.value > peak.value { peak.add() }
                        while let buffer = try await connection.read() { try await connection.write(buffer) }
                        busy.add(-1)
                        served.add()
                    }
                }
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<12 {
                        group.addTask {
                            try await loop.withTCPConnection(to: connections.localAddress) { connection in
                                try await connection.write("x")
                                // Keeps the connection open until the server has reached its limit of connections.
                                while busy.value < min(3, 12 - served.value) { await Task.yield() }
                                try await connection.shutdown()
                                #expect(try await connection.readAll() == [120])
                            }
                        }
                    }
                    try await group.waitForAll()
                }
                #expect(peak.value == 3)
                #expect(served.value == 12)
                server.cancel()
                try await server.value
            }
        }
    }

    /// Promise of the article "Threads and executors".
    @Test func cancellingServeEndsItsConnections() throws {
        try withTask { loop in
            try await loop.withTCPListener(on: .loopback(port: 0)) { connections in
                let server = Task(executorPreference: loop) {
                    try await connections.serve { connection in _ = try await connection.read() }
                }
                let clients = [
                    try await loop.connect(to: connections.localAddress),
                    try await loop.connect(to: connections.localAddress),
                ]
                for _ in 0..<10 { await Task.yield() }
                server.cancel()
                try await server.value
                for client in clients {
                    #expect(try await client.readAll().isEmpty)
                    await client.close()
                }
            }
        }
    }

    /// Promise of the article "Threads and executors".
    @Test func theSequenceEndsWhereTheTaskIsCancelled() throws {
        try withTask { loop in
            try await loop.withTCPListener(on: .loopback(port: 0)) { connections in
                let counter = Task(executorPreference: loop) {
                    var count = 0
                    for try await connection in connections {
                        count += 1
                        await connection.close()
                    }
                    return count
                }
                for _ in 0..<3 { await (try loop.connect(to: connections.localAddress)).close() }
                for _ in 0..<50 { try await loop.sleep(for: .milliseconds(1)) }
                counter.cancel()
                #expect(try await counter.value == 3)
            }
        }
    }
}
