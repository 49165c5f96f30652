import LibUV
import Testing

/// Tests of what the body of a served connection sees of a graceful shutdown.
@Suite(.timeLimit(.minutes(1))) struct FinishingTests {
    /// The body replies to the request that it is waiting for, and then ends although its client stays connected.
    ///
    /// Promises of the articles "Getting started" and "Stopping a server".
    @Test(arguments: [false, true]) func aBodyEndsAfterTheRequestThatItServes(isElsewhere: Bool) async throws {
        try await withOuterTask { loop in
            try await loop.withTCPListener(on: .loopback(port: 0)) { connections in
                let address = connections.localAddress
                let served = Counter()
                let server = Task(executorPreference: loop) {
                    try await connections.serve { connection in
                        while !connections.isFinishing, let request = try await connection.read() {
                            try await connection.write(request)
                        }
                        served.add()
                    }
                }
                try await loop.withTCPConnection(to: address) { client in
                    try await client.write("a")
                    #expect(try await client.read()?.bytes == [97])
                    #expect(!connections.isFinishing)
                    if isElsewhere {
                        await Task.detached { connections.finish() }.value
                    } else {
                        connections.finish()
                    }
                    #expect(connections.isFinishing)
                    try await client.write("b")
                    #expect(try await client.readAll() == [98])
                    #expect(served.value == 1)
                }
                try await server.value
            }
        }
    }

    /// Cancelling `serve` is not a graceful shutdown.
    ///
    /// Promise of the article "Stopping a server".
    @Test func onlyFinishSetsIt() throws {
        try withTask { loop in
            try await loop.withTCPListener(on: .loopback(port: 0)) { connections in
                let server = Task(executorPreference: loop) { try await connections.serve { _ in } }
                await Task.yield()
                server.cancel()
                try await server.value
                #expect(!connections.isFinishing)
                connections.finish(within: .zero)
                #expect(connections.isFinishing)
                try await connections.serve { _ in }
            }
        }
    }
}
