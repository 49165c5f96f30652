import CLibUV
import Foundation
import SystemCalls
import Testing

@testable import LibUV

// Threads, dependencies and jobs.

extension ArticlePromiseTests {
    /// Promises of the articles "Coming from SwiftNIO" and "Threads and executors".
    @Test func aLoopDoesNothingUntilAThreadRunsIt() throws {
        let loop = try UVLoop()
        let calls = Counter()
        try UVTimer(on: loop).start(after: .zero) { timer in
            calls.add()
            timer.close()
        }
        try loop.execute { calls.add() }
        let task = loop.task { calls.add() }
        let threads = LibUVTests.ThreadGroup()
        try threads.start { for _ in 0..<1000 { sched_yield() } }
        threads.join()
        #expect(calls.value == 0)
        try loop.run()
        #expect(calls.value == 3)
        #expect(!task.isCancelled)
        try loop.close()
    }

    #if DEBUG
        /// Promises of the articles "Coming from SwiftNIO", "Errors", "Threads and executors" and "What is not
        /// guaranteed".
        @Test func aHandleOffItsThreadTrapsWithAMessage() async {
            let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                let loop = try UVLoop()
                let timer = Unchecked(value: try UVTimer(on: loop))
                let threads = LibUVTests.ThreadGroup()
                try threads.start { timer.value.ref() }
                threads.join()
            }
            let message = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
            #expect(message.contains("a handle is used off its loop's thread"))
        }
    #endif

    /// Debug builds trap instead.
    ///
    /// Promise of the article "What is not guaranteed".
    @Test func makingAHandleOnAnotherThreadIsRefused() async {
        await #expect(processExitsWith: isDebug ? .failure : .success) {
            let loop = try UVLoop()
            let refused = Counter()
            let threads = LibUVTests.ThreadGroup()
            try threads.start {
                do throws(UVError) { _ = try UVTimer(on: loop) } catch {
                    if error == UVError(.notPermitted, operation: "uv_timer_init") { refused.add() }
                }
                do throws(UVError) { _ = try loop.random(byteCount: 1) { _ in } } catch {
                    if error == UVError(.notPermitted, operation: "uv_random") { refused.add() }
                }
            }
            threads.join()
            #expect(refused.value == 2)
            try loop.close()
        }
    }

    /// Promise of the article "Threads and executors".
    @Test func aSignalHandlerWakesTheLoop() async {
        await #expect(processExitsWith: .success) {
            let loop = try UVLoop()
            var calls = 0
            let wakeUp = try UVAsync(on: loop) { wakeUp in
                calls += 1
                wakeUp.close()
            }
            unsafe senderOfTheSignalHandler = wakeUp.sender
            signal(userSignal) { _ in _ = unsafe senderOfTheSignalHandler?.send() }
            raiseUserSignal()
            try loop.run()
            #expect(calls == 1)
            try loop.close()
        }
    }

    /// Promise of the article "Threads and executors".
    @Test func aLoopOnAnotherThreadRunsNoJobsOfTheMainActor() async throws {
        let thread = try UVLoopThread()
        let (wasOnLoop, isOnLoop) = try await thread.run { loop in
            (await MainActor.run { loop.isOnThread }, loop.isOnThread)
        }
        #expect(!wasOnLoop && isOnLoop)
        #expect(try await thread.shutdown().isEmpty)
    }

    // MARK: - Dependencies

    /// The package has dependencies that only its other products use.
    ///
    /// Promises of the articles "Getting started", "LibUV" and "Metrics of a loop".
    @Test func theLibraryImportsOnlyLibuvAndTheRuntime() throws {
        let tests = URL(filePath: #filePath).deletingLastPathComponent()
        let library = tests.appending(path: "../../../Sources/Library").standardizedFileURL
        var modules: Set<String> = []
        for target in ["LibUV", "SocketAddresses"] {
            let folder = library.appending(path: target)
            let files = try #require(FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil))
            for case let file as URL in files where file.pathExtension == "swift" {
                for match in try String(contentsOf: file, encoding: .utf8).matches(of: /(?m)^[@_a-z ]*import (\w+)/) {
                    modules.insert(String(match.1))
                }
            }
        }
        #expect(modules.contains("CLibUV"))
        // The C library has a module for each platform.
        #expect(modules.isSubset(of: ["CLibUV", "SocketAddresses", "Synchronization", "Glibc", "Musl", "Darwin"]))
    }

    // MARK: - Jobs

    /// Enqueueing a job from another thread writes to a descriptor of the loop, which counts as a wake-up.
    ///
    /// Promise of the article "Threads and executors".
    @Test func callsOnOneLoopWakeNoThread() throws {
        try withTask { loop in
            let tally = Tally(on: loop)
            let before = loop.statistics.wakeUpCount
            for _ in 0..<1000 { await tally.add() }
            await withDiscardingTaskGroup { group in
                for _ in 0..<100 { group.addTask { await tally.add() } }
            }
            #expect(await tally.count == 1100)
            #expect(await tally.wasOnLoop)
            #expect(loop.statistics.wakeUpCount == before)
        }
    }

    /// Promise of the article "Threads and executors".
    @Test func assumeIsolatedTrapsElsewhere() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let tally = Tally(on: try UVLoop())
            // No thread runs the loop.
            addWithoutSuspending(to: tally)
        }
        let message = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(message.contains("Incorrect actor executor assumption"))
    }

    /// Promise of the article "Threads and executors".
    @Test func jobsFromAnotherThreadShareOneWakeUp() throws {
        let loop = try UVLoop()
        let before = loop.statistics.wakeUpCount
        let ran = Counter()
        let threads = LibUVTests.ThreadGroup()
        try threads.start {
            for _ in 0..<1000 {
                try? loop.execute { ran.add() }
                Task(executorPreference: loop) { ran.add() }
            }
        }
        threads.join()
        #expect(loop.statistics.wakeUpCount == before + 1)
        try loop.run()
        #expect(ran.value == 2000)
        try loop.close()
    }

    /// Promise of the article "Threads and executors".
    @Test func atMost256JobsRunBetweenTwoPassesOfIO() throws {
        try withLoop { loop in
            let jobs = Counter()
            var (last, most) = (0, 0)
            let prepare = try UVPrepare(on: loop)
            try prepare.start { _ in
                most = max(most, jobs.value - last)
                last = jobs.value
            }
            for _ in 0..<2000 { try loop.execute { jobs.add() } }
            try loop.runUntil { jobs.value == 2000 }
            #expect(most == 256)
            prepare.close()
            try loop.run()
        }
    }

    /// Promise of the article "Threads and executors".
    @Test func executeThrowsDuringTheClose() throws {
        let loop = try UVLoop()
        let (near, far) = try UVTCPStream.pair(on: loop)
        var errors: [UVError] = []
        try near.write(near.buffer([UInt8](repeating: 1, count: 5_000_000))) { _ in
            do throws(UVError) { try loop.execute { Issue.record("the job ran") } } catch { errors.append(error) }
        }
        try loop.close()
        #expect(errors == [UVError(.cancelled, operation: "UVLoop.execute")])
        #expect(far.isClosed)
    }

    /// Promise of the article "Threads and executors".
    @Test func stopCancelsOnlyTheTaskOfTheRun() throws {
        let loop = try UVLoop()
        let ended = Counter()
        let other = loop.task {
            do throws(UVError) { try await loop.sleep(for: .seconds(1000)) } catch {
                ended.add(error.code == .cancelled ? 1 : 100)
            }
        }
        try UVTimer(on: loop).start(after: .milliseconds(2)) { timer in
            loop.stop()
            timer.close()
        }
        try loop.runTask { try await loop.sleep(for: .seconds(1000)) }
        try loop.runTask { for _ in 0..<5 { try await loop.sleep(for: .milliseconds(1)) } }
        #expect(ended.value == 0 && !other.isCancelled)
        try loop.close()
        #expect(ended.value == 1)
        #expect(loop.refusedTaskCount == 0)
    }

    /// Promise of the article "Threads and executors".
    @Test func theFirstRefusedTaskIsReported() async {
        let result = await #expect(processExitsWith: .success, observing: [\.standardErrorContent]) {
            let loop = try UVLoop()
            try loop.close()
            for _ in 0..<3 { Task(executorPreference: loop) {} }
            #expect(loop.refusedTaskCount == 3)
        }
        let message = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(message.components(separatedBy: "a task was resumed after its loop had closed").count == 2)
    }

    /// Each of eight items of work waits until the test releases it.
    ///
    /// Promise of the article "Threads and executors".
    @Test func thePoolHasFourThreads() async {
        await #expect(processExitsWith: .success) {
            try UVEnvironment.remove("UV_THREADPOOL_SIZE")
            try withLoop { loop in
                let state = Monitor((begun: 0, isReleased: false))
                var completed = 0
                for _ in 0..<8 {
                    try loop.work {
                        state.withLock { $0.begun += 1 }
                        state.notifyAll()
                        state.wait { $0.isReleased ? () : nil }
                    } completion: { _ in
                        completed += 1
                    }
                }
                state.wait { $0.begun >= 4 ? () : nil }
                for _ in 0..<100 {
                    sched_yield()
                    try loop.run(.noWait)
                }
                #expect(state.withLock { $0.begun } == 4)
                state.withLock { $0.isReleased = true }
                state.notifyAll()
                try loop.run()
                #expect(completed == 8)
            }
        }
    }
}

#if DEBUG
    private let isDebug = true
#else
    private let isDebug = false
#endif

/// The signal handler of a test cannot capture anything.
private nonisolated(unsafe) var senderOfTheSignalHandler: UVAsync.Sender?

// @unchecked Sendable: the test uses the value on a thread that is not allowed to use it.
private struct Unchecked<Value>: @unchecked Sendable { let value: Value }

/// An actor on a loop.
private actor Tally: UVActor {
    nonisolated let loop: UVLoop
    private(set) var count = 0
    private(set) var wasOnLoop = true

    init(on loop: UVLoop) { self.loop = loop }

    func add() {
        count += 1
        wasOnLoop = wasOnLoop && loop.isOnThread
    }
}

private func addWithoutSuspending(to tally: Tally) { tally.assumeIsolated { $0.add() } }
