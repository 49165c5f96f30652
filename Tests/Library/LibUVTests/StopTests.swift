import LibUV
import Testing

/// Tests of `UVLoop.stop` while `run` waits for its task.
@Suite(.timeLimit(.minutes(1))) struct StopTests {
    /// Ways to wait, which end differently when the task is cancelled.
    enum Wait: CaseIterable {
        case sleep, standardSleep, read, serve, childTask, timeout

        nonisolated(nonsending) func run(on loop: UVLoop) async throws {
            switch self {
            case .sleep: try await loop.sleep(for: .seconds(1000))
            case .standardSleep: try await Task.sleep(for: .seconds(1000))
            case .read:
                let (client, server) = try await UVConnection.pair(on: loop)
                try await client.closing { client in
                    try await server.closing { _ in _ = try await client.read() }
                }
            case .serve:
                try await loop.withTCPListener(on: .loopback(port: 0)) { connections in
                    async let sweeping: Void = loop.sleep(for: .seconds(1000))
                    try await connections.serve { _ in }
                    try await sweeping
                }
            case .childTask:
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await loop.sleep(for: .seconds(1000)) }
                    try await group.waitForAll()
                }
            case .timeout: try await loop.withTimeout(.seconds(500)) { try await loop.sleep(for: .seconds(1000)) }
            }
        }
    }

    /// Promise of the article "Threads and executors".
    @Test(arguments: Wait.allCases) func runReturnsNormallyAfterAStopAndRunsAgain(_ wait: Wait) async throws {
        try await onOwnThread { try stopAndRunAgain(wait) }
    }

    private func stopAndRunAgain(_ wait: Wait) throws {
        try withLoop { loop in
            for _ in 0..<3 {
                let timer = try UVTimer(on: loop)
                try timer.start(after: .milliseconds(2)) { timer in
                    loop.stop()
                    timer.close()
                }
                let ended = Counter()
                try loop.runTask {
                    defer { ended.add() }
                    try await wait.run(on: loop)
                }
                #expect(ended.value == 1)
            }
            #expect(try loop.runTask { 7 } == 7)
        }
    }

    /// Promise of the article "Threads and executors".
    @Test func aRunWithAValueSaysThatItWasStopped() throws {
        try withLoop { loop in
            let timer = try UVTimer(on: loop)
            try timer.start(after: .zero) { timer in
                loop.stop()
                timer.close()
            }
            #expect(throws: UVError(.cancelled, operation: "sleep")) {
                _ = try loop.runTask {
                    try await loop.sleep(for: .seconds(1000))
                    return 5
                }
            }
        }
    }

    /// Promise of the article "Threads and executors".
    @Test func otherErrorsPassAStopAndCancellationPassesWithoutOne() throws {
        struct Failure: Error {}
        try withLoop { loop in
            #expect(throws: Failure.self) {
                try loop.runTask {
                    loop.stop()
                    try? await loop.sleep(for: .seconds(1000))
                    throw Failure()
                }
            }
            // The stop belonged to the run that it ended.
            #expect(throws: CancellationError.self) { try loop.runTask { throw CancellationError() } }
            try loop.runTask { try await loop.sleep(for: .zero) }
        }
    }

    @Test func aStopFromAnotherThreadEndsTheStaticRun() throws {
        try UVLoop.run { loop in
            let threads = LibUVTests.ThreadGroup()
            try threads.start { loop.stop() }
            defer { threads.join() }
            try await loop.sleep(for: .seconds(1000))
        }
    }
}
