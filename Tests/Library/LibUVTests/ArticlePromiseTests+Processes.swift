import CLibUV
import Foundation
import SystemCalls
import Testing

@testable import LibUV

// Errors, signals and processes.

extension ArticlePromiseTests {
    /// `UVError.Code` has no name for this code.
    ///
    /// Promise of the article "Errors".
    @Test func aCodeWithoutANameOfItsOwnHasNameAndMessage() {
        let error = UVError(code: -EXDEV, operation: "rename")
        #expect(error.code == UVError.Code(rawValue: -EXDEV))
        #expect(error.name == "EXDEV")
        #expect(error.message == "cross-device link not permitted")
        #expect("\(error)" == "rename: EXDEV (cross-device link not permitted)")
    }

    /// Promise of the article "Errors".
    @Test func aCallThatThrowsReleasesItsClosure() throws {
        final class Captured {}
        try withLoop { loop in
            weak var captured: Captured?
            let (stream, listener) = (try UVTCPStream(on: loop), try UVPipeListener(on: loop))
            let closed = try UVTimer(on: loop)
            closed.close()
            do {
                let value = Captured()
                captured = value
                // The stream is not connected, and the listener is not bound.
                #expect(throws: UVError.self) { try stream.write(stream.buffer("x")) { _ in _ = value } }
                #expect(throws: UVError.self) { try stream.shutdown { _ in _ = value } }
                #expect(throws: UVError.self) { try stream.startReading { _, _ in _ = value } }
                #expect(throws: UVError.self) { try listener.listen { _, _ in _ = value } }
                #expect(throws: UVError.self) { try closed.start(after: .zero) { _ in _ = value } }
                #expect(throws: UVError.self) { try loop.random(byteCount: -1) { _ in _ = value } }
            }
            #expect(captured == nil)
            stream.close()
            listener.close()
            try loop.run()
        }
    }

    /// Promise of the article "Errors".
    @Test func aHandlerOfSIGPIPEStays() async {
        await #expect(processExitsWith: .success) {
            signal(SIGPIPE) { _ in }
            let before = disposition(of: SIGPIPE)
            let loop = try UVLoop()
            #expect(disposition(of: SIGPIPE) == before)
            try loop.close()
        }
    }

    /// Promise of the article "Errors".
    @Test func aLoopCanLeaveSIGPIPEAsItIs() async {
        await #expect(processExitsWith: .success) {
            signal(SIGPIPE, SIG_DFL)
            let before = disposition(of: SIGPIPE)
            var configuration = UVLoop.Configuration()
            configuration.ignoresSIGPIPE = false
            let first = try UVLoop(configuration: configuration)
            #expect(disposition(of: SIGPIPE) == before)
            let second = try UVLoop()
            #expect(disposition(of: SIGPIPE) != before)
            try second.close()
            try first.close()
        }
    }

    // MARK: - Processes

    /// Promise of the article "What is not guaranteed".
    @Test func theChildrenOfAKilledProcessContinue() throws {
        let file = TemporaryFile()
        try withTask { loop in
            let task = Task(executorPreference: loop) {
                try await loop.runProcess(parent(file, andThen: "wait"))
            }
            let (child, shell) = try await processIDs(in: file, on: loop)
            task.cancel()
            _ = await task.result
            try await waitUntilReaped(shell, on: loop)
            #expect(isRunning(child))
            kill(child, SIGKILL)
        }
    }

    /// The child of the process keeps the outputs open, so the call still waits when the process has ended.
    ///
    /// Promise of the article "Ownership and lifetime".
    @Test func theGroupOfAnEndedProcessIsNotKilled() throws {
        let file = TemporaryFile()
        try withTask { loop in
            let task = Task(executorPreference: loop) {
                var options = parent(file, andThen: "exit")
                options.isDetached = true
                return try await loop.output(of: options)
            }
            let (child, shell) = try await processIDs(in: file, on: loop)
            try await waitUntilReaped(shell, on: loop)
            task.cancel()
            let result = await task.result
            #expect(throws: UVError(.cancelled, operation: "uv_spawn")) { try result.get() }
            for _ in 0..<5 { try await loop.sleep(for: .milliseconds(1)) }
            #expect(isRunning(child))
            kill(child, SIGKILL)
        }
    }
}

/// Returns the address of a signal's handler, as a number.
private func disposition(of number: Int32) -> Int {
    let handler = signal(number, SIG_IGN)
    signal(number, handler)
    return unsafe unsafeBitCast(handler, to: Int.self)
}

/// A shell that starts a child, and writes the process IDs of the child and of itself to a file.
private func parent(_ file: TemporaryFile, andThen command: String) -> UVProcess.Options {
    UVProcess.Options(
        program: "/bin/sh", arguments: ["-c", "sleep 1000 & echo $! $$ >\(file.path); \(command)"])
}

/// Waits until a shell has written the process IDs of its child and of itself.
private nonisolated(nonsending) func processIDs(
    in file: TemporaryFile, on loop: UVLoop
) async throws -> (child: Int32, shell: Int32) {
    while true {
        let text = file.text
        if text.hasSuffix("\n") {
            let numbers = text.dropLast().split(separator: " ").compactMap { Int32($0) }
            try #require(numbers.count == 2)
            return (numbers[0], numbers[1])
        }
        try await loop.sleep(for: .milliseconds(1))
    }
}

/// Waits until the loop has seen the end of a process, which leaves no zombie, and has closed its handle.
private nonisolated(nonsending) func waitUntilReaped(_ processID: Int32, on loop: UVLoop) async throws {
    while kill(processID, 0) == 0 { try await loop.sleep(for: .milliseconds(1)) }
    for _ in 0..<5 { try await loop.sleep(for: .milliseconds(1)) }
}

/// Returns whether a process exists and is not a zombie.
private func isRunning(_ processID: Int32) -> Bool {
    let text = (try? String(contentsOfFile: "/proc/\(processID)/stat", encoding: .utf8)) ?? ""
    guard let state = text.split(separator: ")").last?.dropFirst().first else { return false }
    return state != "Z" && state != "X"
}
