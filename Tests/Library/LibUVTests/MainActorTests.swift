import LibUV
import Testing

/// State of the main actor.
@MainActor private final class Settings {
    static let shared = Settings()
    var count = 0
}

/// Tests of the main actor together with loops.
///
/// The test process has an async `main`, so its main actor does not depend on a loop. The example `main-actor` has a
/// plain `main.swift`, in which the loop serves the main actor.
@Suite(.timeLimit(.minutes(1))) struct MainActorTests {
    /// Promise of the article "Threads and executors".
    @MainActor @Test func aBlockingRunOnTheMainActorSaysWhatToDo() async {
        func run() throws { try UVLoop.run { _ in } }
        func runPlain() throws {
            let loop = try UVLoop()
            defer { _ = try? loop.close() }
            try loop.run(.noWait)
        }
        for body in [run, runPlain] {
            do {
                try body()
                Issue.record("the loop ran")
            } catch let error as UVError {
                #expect(error.code == .notSupported)
                #expect(error.operation == "uv_run")
                #expect(error.detail?.contains("try await UVLoop.run(onThreadNamed:)") == true)
            } catch { Issue.record(error) }
        }
    }

    /// Promise of the article "Threads and executors".
    @MainActor @Test func anAwaitedRunLeavesTheMainActorFree() async throws {
        let loopCount = 5
        let counted = try await UVLoop.run(onThreadNamed: "a test") { loop in
            var counted = 0
            for _ in 0..<loopCount {
                await MainActor.run { Settings.shared.count += 1 }
                try await loop.sleep(for: .milliseconds(1))
                counted += loop.isOnThread ? 1 : 0
            }
            return counted
        }
        #expect(counted == loopCount)
        #expect(Settings.shared.count == loopCount)
    }

    /// Promise of the article "Threads and executors".
    @MainActor @Test func theMainActorCallsTheLibraryDirectly() async throws {
        let thread = try UVLoopThread()
        let loop = thread.loop
        var text = ""
        try await loop.withTCPListener(on: .loopback(port: 0)) { connections in
            let client = try await loop.connect(to: connections.localAddress)
            let server = try #require(try await connections.next())
            try await client.write("text")
            let buffer = try await loop.withTimeout(.seconds(20)) { try await server.read() }
            text = String(decoding: buffer?.bytes ?? [], as: UTF8.self)
            await client.close()
            await server.close()
        }
        #expect(text == "text")
        #expect(try await thread.shutdown().isEmpty)
    }
}
