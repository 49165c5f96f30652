import CLibUV
import Foundation
import SystemCalls
import Testing

@testable import LibUV

// Scopes and servers.

extension ArticlePromiseTests {
    /// The peer does not read.
    ///
    /// If a scope waited for it, the test would exceed its time limit.
    ///
    /// Promise of the article "Ownership and lifetime".
    @Test(arguments: [false, true]) func aScopeThatThrowsOrIsCancelledDropsTheQueue(_ isCancelled: Bool) throws {
        struct Failure: Error {}
        try withTask { loop in
            let (connection, peer) = try await UVConnection.pair(on: loop)
            let begun = Counter()
            let scope = Task(executorPreference: loop) {
                try await connection.closing(within: .seconds(1000)) { connection in
                    try connection.stream.write(loop.buffer(1, count: 20_000_000))
                    #expect(connection.stream.writeQueueSize > 0)
                    begun.add()
                    if !isCancelled { throw Failure() }
                    try await loop.sleep(for: .seconds(1000))
                }
            }
            while begun.value == 0 { try await loop.sleep(for: .milliseconds(1)) }
            if isCancelled { scope.cancel() }
            let result = await scope.result
            #expect(throws: (any Error).self) { try result.get() }
            #expect(connection.isClosing)
            var received = 0
            do throws(UVError) {
                while let bytes = try await peer.read() { received += bytes.count }
            } catch { #expect(error.code == .connectionReset) }
            #expect(received < 20_000_000)
            await peer.close()
        }
    }

    /// The faulty connection has queued bytes that its client does not read.
    ///
    /// The third client is served only after the faulty connection has closed, because there are two slots.
    ///
    /// Promise of the article "Stopping a server".
    @Test func anErrorOfABodyClosesItsOwnConnection() throws {
        struct Failure: Error {}
        try withTask { loop in
            try await loop.withTCPListener(on: .loopback(port: 0)) { connections in
                let server = Task(executorPreference: loop) {
                    try await connections.serve(limit: 2, closingWithin: .seconds(1000)) { connection in
                        while let bytes = try await connection.read()?.bytes {
                            if bytes == [0] {
                                try connection.stream.write(loop.buffer(0, count: 20_000_000))
                                throw Failure()
                            }
                            try await connection.write(bytes)
                        }
                    }
                }
                let (good, faulty) = (
                    try await loop.connect(to: connections.localAddress),
                    try await loop.connect(to: connections.localAddress)
                )
                try await faulty.write([0])
                let late = try await loop.connect(to: connections.localAddress)
                for client in [good, late] {
                    try await client.write([1])
                    #expect(try await client.read()?.bytes == [1])
                }
                var received = 0
                while let bytes = try await faulty.read() { received += bytes.count }
                #expect(received < 20_000_000)
                for client in [good, late, faulty] { await client.close() }
                connections.finish()
                try await server.value
            }
        }
    }

    /// Promise of the article "Stopping a server".
    @Test func theLimitForClosingDoesNotLimitTheBody() throws {
        try withTask { loop in
            try await loop.withTCPListener(on: .loopback(port: 0)) { connections in
                let server = Task(executorPreference: loop) {
                    try await connections.serve(closingWithin: .milliseconds(1)) { connection in
                        while let bytes = try await connection.read() { try await connection.write(bytes) }
                    }
                }
                let client = try await loop.connect(to: connections.localAddress)
                for index in 0..<3 as Range<UInt8> {
                    try await loop.sleep(for: .milliseconds(10))
                    try await client.write([index])
                    #expect(try await client.read()?.bytes == [index])
                }
                await client.close()
                connections.finish()
                try await server.value
            }
        }
    }

    /// The task that handles the signals is that of the article.
    ///
    /// Promise of the article "Stopping a server".
    @Test func aSecondSignalClosesAllConnections() async {
        await #expect(processExitsWith: .success) {
            try withTask { loop in
                try await loop.withTCPListener(on: .loopback(port: 0)) { connections in
                    let served = Counter()
                    let server = Task(executorPreference: loop) {
                        try await connections.serve { connection in
                            served.add()
                            _ = try await connection.read()
                        }
                    }
                    let client = try await loop.connect(to: connections.localAddress)
                    while served.value == 0 { try await loop.sleep(for: .milliseconds(1)) }
                    let signals = try loop.signals([SIGTERM])
                    let stopping = loop.task {
                        var limit = Duration.seconds(1000)
                        for try await _ in signals {
                            connections.finish(within: limit)
                            limit = .zero
                        }
                    }
                    kill(getpid(), SIGTERM)
                    while !connections.isFinishing { try await loop.sleep(for: .milliseconds(1)) }
                    await #expect(throws: UVError(.timedOut, operation: "uv_read_start")) {
                        _ = try await client.read(within: .milliseconds(10))?.count
                    }
                    kill(getpid(), SIGTERM)
                    try await server.value
                    #expect(try await client.read() == nil)
                    await client.close()
                    stopping.cancel()
                    try await stopping.value
                }
            }
        }
    }

    /// The path of a listener that has closed remains if the socket has been renamed, as after a crash.
    ///
    /// Promise of the article "Stopping a server".
    @Test func aPathWithoutAServerIsInUseAndRefusesConnections() throws {
        try withTask { loop in
            let (path, left) = (temporaryPath(), temporaryPath())
            try await loop.withPipeListener(on: .path(path)) { _ in #expect(unsafe rename(path, left) == 0) }
            await #expect(throws: UVError(.addressInUse, operation: "uv_pipe_bind")) {
                try await loop.withPipeListener(on: .path(left)) { _ in }
            }
            await #expect(throws: UVError(.connectionRefused, operation: "uv_pipe_connect")) {
                try await loop.withPipeConnection(to: .path(left)) { _ in }
            }
            #expect(unsafe unlink(left) == 0)
            try await loop.withPipeListener(on: .path(left)) { _ in }
        }
    }

    /// Promise of the article "Threads and executors".
    @Test func listenersThatShareAPortShareTheConnections() throws {
        try withLoop { loop in
            let listeners = [try UVTCPListener(on: loop), try UVTCPListener(on: loop)]
            try listeners[0].bind(to: .loopback(port: 0), sharesPort: true)
            let address = try listeners[0].localAddress
            try listeners[1].bind(to: address, sharesPort: true)
            var counts = [0, 0]
            for (index, listener) in listeners.enumerated() {
                try listener.listen { listener, _ in
                    guard let stream = try? listener.accept() else { return }
                    counts[index] += 1
                    stream.close()
                }
            }
            for _ in 0..<64 {
                let client = try UVTCPStream(on: loop)
                try client.connect(to: address) { _ in client.close() }
            }
            try loop.runUntil { counts[0] + counts[1] == 64 }
            // The probability that the kernel picks one listener for all clients is practically zero.
            #expect(counts[0] > 0 && counts[1] > 0)
            for listener in listeners { listener.close() }
            try loop.run()
        }
    }
}
