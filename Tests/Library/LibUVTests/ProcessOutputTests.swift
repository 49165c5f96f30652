import Foundation
import LibUV
import Testing

/// Tests of the options of processes, and of `output(of:)`.
@Suite(.timeLimit(.minutes(1))) struct ProcessOutputTests {
    private static func shell(_ script: String) -> UVProcess.Options {
        UVProcess.Options(program: "/bin/sh", arguments: ["-c", script])
    }

    @Test func theOutputsAndTheTerminationAreReturned() throws {
        try withTask { loop in
            let output = try await loop.output(of: ProcessOutputTests.shell("echo out; echo err >&2; exit 3"))
            #expect(output.termination == .exited(3))
            #expect(output.standardOutput == Array("out\n".utf8))
            #expect(output.standardError == Array("err\n".utf8))
        }
    }

    /// The input and the output are larger than what the pipes can hold.
    @Test func theInputIsFedWhileTheOutputIsRead() throws {
        try withTask { loop in
            let input = (0..<(2 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 7) }
            let output = try await loop.output(of: .init(program: "cat"), input: input)
            #expect(output.standardOutput == input)
            let unread = try await loop.output(of: .init(program: "true"), input: input)
            #expect(unread.termination == .exited(0) && unread.standardOutput.isEmpty)
        }
    }

    /// A pipe can be opened again by name, and a socket cannot.
    @Test func theStandardStreamsCanBeOpenedByName() throws {
        try withTask { loop in
            let script = "cat /dev/stdin >/dev/stdout; echo failed >/dev/stderr"
            let output = try await loop.output(of: ProcessOutputTests.shell(script), input: Array("hello".utf8))
            #expect(output.standardOutput == Array("hello".utf8))
            #expect(output.standardError == Array("failed\n".utf8))
            // The same is true for a pipe that the program makes itself.
            let pipe = try UVPipe(on: loop)
            let process = try UVProcess(
                on: loop,
                options: .init(
                    program: "/bin/sh", arguments: ["-c", "echo hello >/dev/stdout"],
                    descriptors: [.ignored, .pipe(pipe, child: .writes)]))
            let reader = try UVConnection(pipe)
            let bytes = try await reader.readAll()
            #expect(bytes == Array("hello\n".utf8))
            _ = try await process.exitStatus
            process.close()
            await reader.close()
        }
    }

    @Test func moreThanTheLimitIsAnErrorAndKillsTheProcess() throws {
        try withTask { loop in
            await #expect(throws: UVError(.noBufferSpace, operation: "uv_spawn")) {
                try await loop.output(of: ProcessOutputTests.shell("yes"), limit: 100_000)
            }
            let full = try await loop.output(of: ProcessOutputTests.shell("printf 12345"), limit: 5)
            #expect(full.standardOutput == Array("12345".utf8))
            await #expect(throws: UVError(.noBufferSpace, operation: "uv_spawn")) {
                try await loop.output(of: ProcessOutputTests.shell("printf 123456 >&2"), limit: 5)
            }
            try await ProcessOutputTests.waitUntilNothingIsOpen(loop)
        }
    }

    /// Promise of the article "Ownership and lifetime".
    @Test func aTimeoutAndACancellationKillTheProcess() throws {
        try withTask { loop in
            await #expect(throws: UVError(.timedOut, operation: "uv_spawn")) {
                try await loop.output(of: ProcessOutputTests.shell("exec sleep 1000"), timeout: .milliseconds(20))
            }
            let task = Task(executorPreference: loop) {
                try await loop.output(of: ProcessOutputTests.shell("exec sleep 1000"), timeout: .seconds(Int64.max))
            }
            await Task.yield()
            task.cancel()
            let result = await task.result
            #expect(throws: UVError(.cancelled, operation: "uv_spawn")) { try result.get() }
            await #expect(throws: UVError(.noSuchFile, operation: "uv_spawn")) {
                try await loop.output(of: .init(program: "/nonexistent"), input: [1])
            }
            // The loop would report an open handle if a process were not killed.
            try await ProcessOutputTests.waitUntilNothingIsOpen(loop)
        }
    }

    /// Waits until the only open handle is the timer that enforces the test's time limit.
    private nonisolated(nonsending) static func waitUntilNothingIsOpen(_ loop: UVLoop) async throws {
        while true {
            var open = 0
            loop.walk { if !$0.isClosing { open += 1 } }
            if open == 1 { return }
            try await loop.sleep(for: .milliseconds(1))
        }
    }

    @Test func aLoopThatClosesEndsTheWait() throws {
        let loop = try UVLoop()
        let failures = Counter()
        try loop.runTask {
            Task(executorPreference: loop) {
                do { _ = try await loop.output(of: ProcessOutputTests.shell("exec sleep 1000")) } catch {
                    if (error as? UVError)?.code == .cancelled { failures.add() }
                }
            }
            try await loop.sleep(for: .milliseconds(10))
        }
        try loop.close()
        #expect(failures.value == 1)
    }

    /// Promise of the article "What is not guaranteed".
    @Test func argumentsAndTheEnvironmentMayBeBytes() throws {
        try withTask { loop in
            var options = UVProcess.Options(program: "printf")
            options.rawArguments = [Array("%s".utf8), [0xFF, 0xFE, 0x41]]
            let printed = try await loop.output(of: options)
            #expect(printed.standardOutput == [0xFF, 0xFE, 0x41])
            var environment = UVProcess.Options(program: "/usr/bin/env")
            environment.rawEnvironment = [Array("NAME=".utf8) + [0xFF, 0x3D]]
            let variables = try await loop.output(of: environment)
            #expect(variables.standardOutput == Array("NAME=".utf8) + [0xFF, 0x3D, 0x0A])
            for entry in [[], Array("NAME".utf8), Array("=x".utf8), Array("A=\0".utf8)] as [[UInt8]] {
                environment.rawEnvironment = [entry]
                #expect(throws: UVError(.invalidArgument, operation: "uv_spawn")) {
                    try UVProcess(on: loop, options: environment)
                }
            }
            options.rawArguments = [[0]]
            #expect(throws: UVError(.invalidArgument, operation: "uv_spawn")) {
                try UVProcess(on: loop, options: options)
            }
        }
    }

    /// A user without a group would keep the group of this process, for example that of root.
    @Test func aUserWithoutAGroupIsAnExplicitChoice() throws {
        try withTask { loop in
            var options = UVProcess.Options(program: "id", arguments: ["-g"], userID: 65534)
            #expect(throws: UVError(.invalidArgument, operation: "uv_spawn")) {
                try UVProcess(on: loop, options: options)
            }
            options.keepsGroupID = true
            guard getuid() == 0 else { return }
            let kept = try await loop.output(of: options)
            #expect(String(decoding: kept.standardOutput, as: UTF8.self) == "\(getgid())\n")
        }
    }

    /// Runs in its own process, because it changes all descriptors of the process.
    ///
    /// Promise of `Options.marksDescriptorsCloseOnExec`: no descriptors are open in the child except the given ones.
    @Test func onlyTheNamedDescriptorsReachTheChild() async {
        await #expect(processExitsWith: .success) {
            // These descriptors have no close-on-exec flag, like those of another library.
            #expect(dup2(0, 9) == 9 && dup2(0, 300) == 300)
            try UVLoop.run { loop in
                var options = UVProcess.Options(program: "/bin/sh", arguments: ["-c", "echo /proc/self/fd/*"])
                options.descriptors = [.ignored, .ignored, .ignored, .inherited(0)]
                let names = { (output: UVProcess.Output) in
                    let text = String(decoding: output.standardOutput, as: UTF8.self)
                    return Set(text.split { $0 == " " || $0 == "\n" }.compactMap { Int($0.split(separator: "/")[3]) })
                }
                let inherited = names(try await loop.output(of: options))
                #expect(inherited.isSuperset(of: [0, 1, 2, 3, 9, 300]))
                options.marksDescriptorsCloseOnExec = true
                let named = names(try await loop.output(of: options))
                #expect(named.isSuperset(of: [0, 1, 2, 3]) && named.isDisjoint(with: [9, 300]))
                // The descriptors stay open in this process.
                #expect(isOpen(9) && isOpen(300))
            }
        }
    }
}
