import Foundation
import LibUV
import Testing

/// Tests of processes for which no task waits any more.
///
/// Each child writes its process ID to a file, and would otherwise run for 1000 seconds.
@Suite(.timeLimit(.minutes(1))) struct AbandonedProcessTests {
    private static func sleeper(_ file: TemporaryFile, _ before: String = "") -> UVProcess.Options {
        UVProcess.Options(
            program: "/bin/sh", arguments: ["-c", "\(before) echo $$ >\(file.path); exec sleep 1000"])
    }

    /// Waits until the child has written a process ID.
    private nonisolated(nonsending) static func processID(in file: TemporaryFile, on loop: UVLoop) async throws -> Int32
    {
        while true {
            if file.text.hasSuffix("\n"), let number = Int32(file.text.dropLast()) { return number }
            try await loop.sleep(for: .milliseconds(1))
        }
    }

    /// Waits until no process has this number, not even a zombie.
    private static func waitUntilGone(_ processID: Int32) {
        for _ in 0..<20_000 {
            if kill(processID, 0) != 0 { return }
            usleep(1000)
        }
        Issue.record("process \(processID) is still there")
    }

    /// Waits until a process has ended, which may be a zombie of another parent.
    private static func waitUntilEnded(_ processID: Int32) {
        for _ in 0..<20_000 {
            let text = (try? String(contentsOfFile: "/proc/\(processID)/stat", encoding: .utf8)) ?? ""
            guard let state = text.split(separator: ")").last?.dropFirst().first else { return }
            if state == "Z" || state == "X" { return }
            usleep(1000)
        }
        Issue.record("process \(processID) still runs")
    }

    /// Promise of `runProcess`: the process does not outlive the waiting, and does not stay a zombie.
    ///
    /// Promises of the articles "Ownership and lifetime" and "What is not guaranteed".
    @Test func aCancelledProcessIsKilledAndReaped() throws {
        let file = TemporaryFile()
        let number = try UVLoop.run { loop in
            let task = Task(executorPreference: loop) { try await loop.runProcess(AbandonedProcessTests.sleeper(file)) }
            let number = try await AbandonedProcessTests.processID(in: file, on: loop)
            task.cancel()
            let result = await task.result
            #expect(throws: UVError(.cancelled, operation: "uv_spawn")) { try result.get() }
            return number
        }
        AbandonedProcessTests.waitUntilGone(number)
    }

    /// Promise of `runProcess`: if the loop closes, the process is killed.
    ///
    /// Promise of the article "Ownership and lifetime".
    @Test func aProcessWhoseLoopClosesIsKilledAndReaped() throws {
        let (loop, file) = (try UVLoop(), TemporaryFile())
        let number = try loop.runTask {
            Task(executorPreference: loop) {
                _ = try? await loop.runProcess(AbandonedProcessTests.sleeper(file))
            }
            return try await AbandonedProcessTests.processID(in: file, on: loop)
        }
        #expect(try loop.close().map(\.type) == ["process"])
        AbandonedProcessTests.waitUntilGone(number)
    }

    /// Promise of `runProcess`: a process that ignores the signal is killed after the grace period.
    @Test func aProcessThatIgnoresTheSignalIsKilledLater() throws {
        let file = TemporaryFile()
        try withTask { loop in
            let task = Task(executorPreference: loop) {
                try await loop.runProcess(
                    AbandonedProcessTests.sleeper(file, "trap '' TERM;"), signalOnCancellation: SIGTERM,
                    killingAfter: .milliseconds(5))
            }
            let number = try await AbandonedProcessTests.processID(in: file, on: loop)
            task.cancel()
            _ = await task.result
            while kill(number, 0) == 0 { try await loop.sleep(for: .milliseconds(1)) }
            // The timer closes after the process.
            for _ in 0..<3 { try await loop.sleep(for: .milliseconds(1)) }
        }
    }

    /// Promise of `runProcess`: if the process is detached, the signal goes to its process group.
    ///
    /// Promises of the articles "Ownership and lifetime" and "What is not guaranteed".
    @Test func theGroupOfADetachedProcessIsKilled() throws {
        let file = TemporaryFile()
        let number = try UVLoop.run { loop in
            var options = UVProcess.Options(
                program: "/bin/sh", arguments: ["-c", "sleep 1000 & echo $! >\(file.path); wait"])
            options.isDetached = true
            let task = Task(executorPreference: loop) { [options] in _ = try await loop.runProcess(options) }
            let number = try await AbandonedProcessTests.processID(in: file, on: loop)
            task.cancel()
            _ = await task.result
            return number
        }
        AbandonedProcessTests.waitUntilEnded(number)
    }

    /// Promise of `UVProcess`: `UVLoop.close` kills a process that is not detached.
    ///
    /// Promise of the article "Ownership and lifetime".
    @Test func aLoopKillsTheProcessesThatItCloses() throws {
        let loop = try UVLoop()
        let process = try UVProcess(on: loop, options: .init(program: "sleep", arguments: ["1000"]))
        let number = process.processID
        try loop.close()
        AbandonedProcessTests.waitUntilGone(number)
    }

    /// Promises of `UVProcess`: closing the handle does not end the process, and the process does not stay a zombie.
    ///
    /// Promise of the article "Ownership and lifetime".
    @Test func aProcessWhoseHandleClosesRunsOnAndIsReaped() throws {
        for isDetached in [false, true] {
            let loop = try UVLoop()
            var options = UVProcess.Options(program: "sleep", arguments: ["1000"])
            options.isDetached = isDetached
            let process = try UVProcess(on: loop, options: options)
            let number = process.processID
            if !isDetached {
                process.close()
                try loop.run()
            }
            try loop.close()
            #expect(kill(number, 0) == 0)
            #expect(kill(number, SIGKILL) == 0)
            AbandonedProcessTests.waitUntilGone(number)
        }
    }

    /// A process that has ended before its handle closes, but whose end the loop has not seen.
    ///
    /// Promises of the articles "Ownership and lifetime" and "What is not guaranteed".
    @Test func anEndThatTheLoopHasNotSeenLeavesNoZombie() throws {
        let loop = try UVLoop()
        let process = try UVProcess(on: loop, options: .init(program: "/bin/true"))
        let number = process.processID
        // Wait for the end, and leave the zombie.
        var info = unsafe siginfo_t()
        #expect(unsafe waitid(P_PID, id_t(number), &info, WEXITED | WNOWAIT) == 0)
        try loop.close()
        #expect(kill(number, 0) != 0)
    }

    // @unchecked Sendable: used only on the loop's thread.
    private struct Waited: @unchecked Sendable { let process: UVProcess }

    /// Cancelled waits leave nothing behind, although the process continues.
    ///
    /// Runs in its own process, because it measures the memory of the process.
    @Test(.enabled(if: !isSanitized, "a sanitizer does not return freed memory"))
    func cancelledWaitsLeaveNothingBehind() async {
        await #expect(processExitsWith: .success) {
            try withTask { loop in
                let process = try UVProcess(on: loop, options: .init(program: "sleep", arguments: ["1000"]))
                let waited = Waited(process: process)
                var resident = [0]
                for count in [5_000, 20_000] {
                    for _ in 0..<count {
                        let task = Task(executorPreference: loop) { try await waited.process.exitStatus }
                        await Task.yield()
                        task.cancel()
                        _ = await task.result
                    }
                    resident.append(Int(try UVCurrentProcess.residentByteCount))
                }
                // A leaked wait takes more than 200 bytes.
                #expect(resident[2] - resident[1] < 2 << 20)
                try process.kill(SIGKILL)
                let ending = try await process.exitStatus
                #expect(ending == .signalled(SIGKILL))
                process.close()
            }
        }
    }
}
