import Foundation
import LibUV
import SystemCalls
import Testing

/// Tests of what `serve` does for its connections without a cancellation handler in each task.
@Suite(.timeLimit(.minutes(1))) struct ServedConnectionTests {
    /// When the server is cancelled, the reads of all tasks end, also if other connections have ended before.
    ///
    /// In every third task, a child task reads.
    ///
    /// Promise of the article "Threads and executors".
    @Test func cancellingTheServerEndsAllReads() throws {
        try withTask { loop in
            try await loop.withTCPListener(on: .loopback(port: 0)) { connections in
                let (served, cancelled) = (Counter(), Counter())
                let server = Task(executorPreference: loop) {
                    try await connections.serve { connection in
                        served.add()
                        let inChild = served.value % 3 == 0
                        do throws(UVError) {
                            while try await inChild ? readInChild(connection) : connection.read()?.bytes != nil {}
                        } catch { if error.code == .cancelled { cancelled.add() } }
                    }
                }
                var clients: [UVConnection] = []
                for number in 1...12 {
                    clients.append(try await loop.connect(to: connections.localAddress))
                    while served.value < number { try await loop.sleep(for: .milliseconds(1)) }
                }
                for index in [0, 11, 5, 6] { try await clients[index].shutdown() }
                for index in [0, 11, 5, 6] { #expect(try await clients[index].read() == nil) }
                #expect(cancelled.value == 0)
                server.cancel()
                try await server.value
                #expect(cancelled.value == 8)
                for client in clients { await client.close() }
            }
        }
    }

    /// A task that has cancelled itself does not wait in `read`.
    ///
    /// Promise of the article "Getting started".
    @Test func aTaskThatCancelsItselfDoesNotWait() throws {
        try withTask { loop in
            try await loop.withTCPListener(on: .loopback(port: 0)) { connections in
                let cancelled = Counter()
                let server = Task(executorPreference: loop) {
                    try await connections.serve { connection in
                        unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
                        do throws(UVError) { _ = try await connection.read() } catch {
                            if error.code == .cancelled { cancelled.add() }
                        }
                    }
                }
                let client = try await loop.connect(to: connections.localAddress)
                // The server closes the connection when its task ends.
                #expect(try await client.read() == nil)
                #expect(cancelled.value == 1)
                await client.close()
                server.cancel()
                try await server.value
            }
        }
    }

    /// A connection whose task has not begun when the server is cancelled ends too.
    @Test func aTaskThatBeginsAfterTheCancellationEnds() throws {
        try withTask { loop in
            try await loop.withTCPListener(on: .loopback(port: 0)) { connections in
                let client = try await loop.connect(to: connections.localAddress)
                let server = Task(executorPreference: loop) {
                    try await connections.serve { connection in _ = try await connection.read() }
                }
                for _ in 0..<3 { await Task.yield() }
                server.cancel()
                try await server.value
                await client.close()
            }
        }
    }

    /// A connection that waits when the listener closes is dropped, and is no error.
    @Test func finishDropsAConnectionThatWaits() throws {
        try withTask { loop in
            try await loop.withTCPListener(on: .loopback(port: 0)) { connections in
                let client = try await loop.connect(to: connections.localAddress)
                for _ in 0..<5 { try await loop.sleep(for: .milliseconds(1)) }
                connections.finish()
                try await connections.serve { _ in }
                #expect(try await connections.next() == nil)
                await client.close()
            }
        }
    }

    /// An error that the listener survives is reported, and `serve` continues.
    ///
    /// Promises of the articles "Back-pressure" and "Stopping a server".
    @Test func errorsOfAcceptingAreReported() throws {
        try withTask { loop in
            let listener = try UVTCPListener(on: loop)
            try listener.bind(to: .loopback(port: 0))
            let reported = Counter()
            let connections = try UVIncomingConnections(of: listener) { error in
                if error.systemCode == ENOMEM { reported.add() }
            }
            let server = Task(executorPreference: loop) { try await connections.serve { try await $0.write("x") } }
            listener.acceptFailed(-ENOMEM)
            #expect(reported.value == 1)
            let client = try await loop.connect(to: connections.localAddress)
            #expect(try await client.read()?.bytes == [120])
            await client.close()
            connections.finish()
            try await server.value
        }
    }

    /// The high-water mark of the listener applies to each connection.
    ///
    /// Promise of the article "Stopping a server".
    @Test func connectionsGetTheHighWaterMark() throws {
        try withTask { loop in
            let listener = try UVTCPListener(on: loop)
            try listener.bind(to: .loopback(port: 0))
            let connections = try UVIncomingConnections(of: listener, highWaterMark: 0)
            let client = try await loop.connect(to: connections.localAddress)
            let connection = try #require(try await connections.next())
            let chunk = [UInt8](repeating: 1, count: 64 * 1024)
            await #expect(throws: UVError(.timedOut, operation: "uv_write")) {
                while true { try await connection.write(chunk, within: .milliseconds(50)) }
            }
            // Only the last chunk is queued.
            #expect(connection.stream.writeQueueSize <= chunk.count)
            await connection.close()
            await client.close()
            listener.close()
        }
    }
}

/// Reads in a child task, and returns whether there were bytes.
private func readInChild(_ connection: UVConnection) async throws(UVError) -> Bool {
    async let hasBytes = hasBytes(connection)
    do { return try await hasBytes } catch {
        throw error as? UVError ?? UVError(.invalidArgument, operation: "\(error)")
    }
}

private func hasBytes(_ connection: UVConnection) async throws -> Bool { try await connection.read() != nil }
