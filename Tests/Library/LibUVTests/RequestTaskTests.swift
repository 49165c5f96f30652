import Foundation
import LibUV
import SystemCalls
import Testing

/// Tests of tasks that await requests and processes.
///
/// A cancelled task resumes at once, and exactly once. docs/behaviours.md lists the pitfalls by number.
@Suite(.timeLimit(.minutes(1))) struct RequestTaskTests {
    /// Promise of the article "Threads and executors".
    @Test func requestsAreAwaitedOnTheLoop() throws {
        let outcome = try UVLoop.run { loop in
            let addresses = try await loop.resolve("127.0.0.1", service: "80", options: .numericNode).addresses
            let name = try await loop.resolveName(of: .loopback(port: 80), options: [.numericHost, .numericService])
            let bytes = try await loop.random(byteCount: 16)
            let wasOffLoop = try await loop.work { !loop.isOnThread }
            return (addresses, name.host, bytes.count, wasOffLoop, loop.isOnThread)
        }
        #expect(outcome == ([.loopback(port: 80)], "127.0.0.1", 16, true, true))
    }

    private struct Refusal: Error, Equatable { let reason: String }

    @Test func failuresAreThrownByTheAwaitingTask() throws {
        try UVLoop.run { loop in
            await #expect(throws: UVError(.nameNotFound, operation: "uv_getaddrinfo")) {
                try await loop.resolve("no address", options: .numericNode)
            }
            await #expect(throws: UVError(.invalidArgument, operation: "uv_getaddrinfo")) {
                try await loop.resolve(nil)
            }
            await #expect(throws: UVError(.argumentTooLong, operation: "uv_random")) {
                try await loop.random(byteCount: 1 << 31)
            }
            await #expect(throws: Refusal(reason: "no")) { try await loop.work { throw Refusal(reason: "no") } }
        }
    }

    /// Pitfall 40: cancelling a task ends its wait for queued work.
    ///
    /// The pool is busy during the whole test, so only the cancellation can end the wait.
    @Test func cancellingATaskEndsItsWaitForQueuedWork() throws {
        try UVLoop.run { loop in
            let pool = try BusyPool(on: loop)
            let wasDone = Flag()
            let task = Task(executorPreference: loop) {
                try await loop.work { wasDone.set() }
            }
            await Task.yield()
            task.cancel()
            #expect(await task.result.failure as? UVError == UVError(.cancelled, operation: "uv_queue_work"))
            pool.release()
            while pool.completed < BusyPool.size { try await loop.sleep(for: .milliseconds(1)) }
            #expect(!wasDone.isSet)
        }
    }

    /// Pitfall 40: work that a thread has started cannot be cancelled.
    ///
    /// The task resumes anyway, and the work's result is discarded.
    ///
    /// Promise of the article "Threads and executors".
    @Test func cancellingATaskEndsItsWaitForWorkThatRuns() throws {
        let state = Monitor((hasBegun: false, mayEnd: false, hasEnded: false))
        try UVLoop.run { loop in
            let task = Task(executorPreference: loop) {
                try await loop.work {
                    state.withLock { $0.hasBegun = true }
                    state.notifyAll()
                    state.wait { $0.mayEnd ? () : nil }
                    state.withLock { $0.hasEnded = true }
                }
            }
            await Task.yield()
            state.wait { $0.hasBegun ? () : nil }
            task.cancel()
            #expect(await task.result.failure as? UVError == UVError(.cancelled, operation: "uv_queue_work"))
            #expect(state.withLock { !$0.hasEnded })
            state.withLock { $0.mayEnd = true }
            state.notifyAll()
        }
        // Closing the loop waited until the work had ended.
        #expect(state.withLock { $0.hasEnded })
    }

    /// Promise of the article "Errors".
    @Test func aTaskThatIsCancelledBeforehandBeginsNothing() throws {
        try UVLoop.run { loop in
            let wasDone = Flag()
            let task = Task(executorPreference: loop) {
                unsafe withUnsafeCurrentTask { task in unsafe task?.cancel() }
                try await loop.work { wasDone.set() }
            }
            #expect(await task.result.failure as? UVError == UVError(.cancelled, operation: "uv_queue_work"))
            try await loop.work {}
            #expect(!wasDone.isSet)
        }
    }

    /// Pitfall 40: each task resumes exactly once, whether its request completes or is cancelled first.
    ///
    /// A second resume would trap. Without a resume, the test would never end.
    ///
    /// Promises of the articles "Coming from SwiftNIO" and "Threads and executors".
    @Test func everyTaskGoesOnOnceWhetherItIsCancelledOrNot() throws {
        let counts = try UVLoop.run { loop in
            var tasks: [Task<Int, any Error>] = []
            for index in 0..<300 {
                tasks.append(
                    Task(executorPreference: loop) {
                        switch index % 3 {
                        case 0: try await loop.work { 1 }
                        case 1: try await loop.random(byteCount: 1).count
                        default: try await loop.resolve("127.0.0.1", options: .numericNode).addresses.count
                        }
                    })
                if index % 5 == 0 { await Task.yield() }
                if index % 2 == 0 { tasks[index / 2].cancel() }
            }
            var (done, cancelled) = (0, 0)
            for task in tasks {
                switch await task.result {
                case .success(let count): done += count
                case .failure(let error): cancelled += (error as? UVError)?.code == .cancelled ? 1 : 0
                }
            }
            return (done, cancelled)
        }
        #expect(counts.0 + counts.1 == 300)
        #expect(counts.0 >= 150)
    }

    @Test func closingALoopEndsTheWaitingForItsRequests() throws {
        let loop = try UVLoop()
        let pool = try BusyPool(on: loop)
        let code = Monitor<UVError?>(nil)
        Task(executorPreference: loop) {
            do { try await loop.work {} } catch { code.withLock { $0 = error as? UVError } }
            pool.release()
        }
        // After these two iterations, the task waits for its work.
        try loop.run(.noWait)
        try loop.run(.noWait)
        try loop.close()
        #expect(code.withLock { $0 } == UVError(.cancelled, operation: "uv_queue_work"))
    }

    private static func shell(_ script: String) -> UVProcess.Options {
        UVProcess.Options(program: "/bin/sh", arguments: ["-c", script])
    }

    @Test func anExitStatusIsAwaitedByAnyNumberOfTasks() throws {
        try UVLoop.run { loop in
            let process = try UVProcess(on: loop, options: RequestTaskTests.shell("exit 7"))
            let process2 = UncheckedBox(process)
            let others = (0..<3).map { _ in Task(executorPreference: loop) { try await process2.value.exitStatus } }
            #expect(try await process.exitStatus == .exited(7))
            for other in others { #expect(try await other.value == .exited(7)) }
            // This call returns at once, because the exit status is already known.
            #expect(try await process.exitStatus == .exited(7))
            process.close()
        }
    }

    @Test func aProcessIsRunToItsEnd() throws {
        let ends = try UVLoop.run { loop in
            let end = try await loop.runProcess(RequestTaskTests.shell("exit 5"))
            await #expect(throws: UVError(.noSuchFile, operation: "uv_spawn")) {
                try await loop.runProcess(.init(program: "/nonexistent/program"))
            }
            return end
        }
        #expect(ends == .exited(5))
    }

    /// The process ends and leaves no zombie, although no task awaits its exit any more.
    @Test func cancellingATaskEndsTheProcessThatItRuns() throws {
        let file = TemporaryFile()
        try UVLoop.run { loop in
            let task = Task(executorPreference: loop) {
                try await loop.runProcess(RequestTaskTests.shell("echo $$ >\(file.path); exec sleep 1000"))
            }
            while !file.text.hasSuffix("\n") { try await loop.sleep(for: .milliseconds(1)) }
            let number = try #require(Int32(file.text.dropLast()))
            task.cancel()
            #expect(await task.result.failure as? UVError == UVError(.cancelled, operation: "uv_spawn"))
            while (try? UVProcess.kill(processID: number, 0)) != nil { try await loop.sleep(for: .milliseconds(1)) }
        }
    }

    @Test func cancellingTheWaitLeavesTheProcess() throws {
        try UVLoop.run { loop in
            let process = try UVProcess(on: loop, options: RequestTaskTests.shell("exec sleep 1000"))
            let box = UncheckedBox(process)
            let task = Task(executorPreference: loop) { try await box.value.exitStatus }
            await Task.yield()
            task.cancel()
            #expect(await task.result.failure as? UVError == UVError(.cancelled, operation: "uv_spawn"))
            try process.kill(SIGKILL)
            #expect(try await process.exitStatus == .signalled(SIGKILL))
            process.close()
        }
    }

    @Test func closingAProcessEndsTheWaitingForIt() throws {
        try UVLoop.run { loop in
            let process = try UVProcess(on: loop, options: RequestTaskTests.shell("exec sleep 1000"))
            let number = process.processID
            let box = UncheckedBox(process)
            let task = Task(executorPreference: loop) { try await box.value.exitStatus }
            await Task.yield()
            process.close()
            #expect(await task.result.failure as? UVError == UVError(.cancelled, operation: "uv_spawn"))
            await #expect(throws: UVError(.cancelled, operation: "uv_spawn")) { try await process.exitStatus }
            try UVProcess.kill(processID: number, SIGKILL)
            // The library reaps the process, which then has no process ID any more.
            let deadline = ContinuousClock.now.advanced(by: .seconds(20))
            while (try? UVProcess.kill(processID: number, 0)) != nil {
                try #require(ContinuousClock.now < deadline)
                try await loop.sleep(for: .milliseconds(1))
            }
        }
    }
}

// @unchecked Sendable: all tasks that use the box run on one loop.
/// Holds a value that belongs to a loop, so that tasks on the same loop can use the value.
private final class UncheckedBox<Value>: @unchecked Sendable {
    let value: Value
    init(_ value: Value) { self.value = value }
}

/// A thread-safe flag that is initially not set.
private final class Flag: Sendable {
    private let state = Monitor(false)
    var isSet: Bool { state.withLock { $0 } }
    func set() { state.withLock { $0 = true } }
}
