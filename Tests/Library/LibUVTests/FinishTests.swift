import LibUV
import Testing

/// Tests of `finish` while a connection has been accepted that no task has taken yet.
@Suite(.timeLimit(.minutes(1))) struct FinishTests {
    /// The client arrives while the body of the `for` loop runs.
    @Test func aLoopOverTheConnectionsEndsNormally() throws {
        try withTask { loop in
            try await loop.withTCPListener(on: .loopback(port: 0)) { connections in
                var clients = [try await loop.connect(to: connections.localAddress)]
                var count = 0
                for try await connection in connections {
                    count += 1
                    clients.append(try await loop.connect(to: connections.localAddress))
                    // The loop accepts the second client.
                    for _ in 0..<5 { try await loop.sleep(for: .milliseconds(1)) }
                    connections.finish()
                    await connection.close()
                }
                #expect(count == 1)
                #expect(try await connections.next() == nil)
                for client in clients { await client.close() }
            }
        }
    }

    /// The loop accepts the second client and finishes in one pass of I/O, before the task of `serve` runs.
    ///
    /// Promise of the article "Stopping a server".
    @Test func finishBeforeTheTaskRunsLetsServedConnectionsEnd() throws {
        try withTask { loop in
            try await loop.withTCPListener(on: .loopback(port: 0)) { connections in
                let server = Task(executorPreference: loop) {
                    try await connections.serve { connection in
                        while let bytes = try await connection.read() { try await connection.write(bytes) }
                    }
                }
                let client = try await loop.connect(to: connections.localAddress)
                try await client.write("a")
                #expect(try await client.read()?.bytes == [97])
                let (writer, reader) = try UVTCPStream.pair(on: loop)
                try reader.startReading { reader, event in
                    guard case .bytes = event else { return }
                    connections.finish()
                    reader.close()
                }
                // The loop begins to watch the reader.
                try await loop.sleep(for: .milliseconds(1))
                // Both the listener and the reader become readable, in this order.
                let late = try UVTCPStream(on: loop)
                try late.connect(to: connections.localAddress) { _ in }
                #expect(try writer.tryWrite([1].span) == 1)
                while !reader.isClosed { try await loop.sleep(for: .milliseconds(1)) }
                // The first client is still served.
                try await client.write("b")
                #expect(try await client.read()?.bytes == [98])
                await client.close()
                try await server.value
                late.close()
                writer.close()
            }
        }
    }

    /// By default, the time limit of `finish` is 30 seconds.
    ///
    /// With `nil`, there is no limit.
    ///
    /// Promises of the articles "Back-pressure" and "Stopping a server".
    @Test(arguments: [true, false]) func finishIsLimitedByDefault(_ isDefault: Bool) throws {
        try withTask { loop in
            try await loop.withTCPListener(on: .loopback(port: 0)) { connections in
                let server = Task(executorPreference: loop) {
                    try await connections.serve { connection in _ = try await connection.read() }
                }
                let client = try await loop.connect(to: connections.localAddress)
                try await loop.sleep(for: .milliseconds(2))
                func timers() -> [UVTimer] {
                    var timers: [UVTimer] = []
                    loop.walk { if let timer = $0 as? UVTimer, !timer.isClosing { timers.append(timer) } }
                    return timers
                }
                let earlier = timers()
                if isDefault { connections.finish() } else { connections.finish(within: nil) }
                let added = timers().filter { timer in !earlier.contains { $0 === timer } }
                #expect(added.count == (isDefault ? 1 : 0))
                for timer in added { #expect(timer.dueIn > .seconds(29) && timer.dueIn <= .seconds(30)) }
                await client.close()
                try await server.value
            }
        }
    }
}
