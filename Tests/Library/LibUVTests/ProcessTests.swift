import CDispatch
import Foundation
import LibUV
import SystemCalls
import Testing

/// Tests of child processes.
///
/// docs/behaviours.md lists the behaviours and pitfalls by number; names such as spawn_stdin are names of libuv's
/// tests.
@Suite(.timeLimit(.minutes(1))) struct ProcessTests {
    private static func shell(_ script: String) -> UVProcess.Options {
        UVProcess.Options(program: "/bin/sh", arguments: ["-c", script])
    }

    /// Runs a process until it exits.
    ///
    /// Returns the termination and the standard output of the process.
    private static func run(_ options: UVProcess.Options) throws -> (UVProcess.Termination?, String) {
        let output = TemporaryFile()
        var options = options
        options.standardOutput = .inherited(output.descriptor)
        var terminations: [UVProcess.Termination] = []
        try withLoop { loop in
            let process = try UVProcess(on: loop, options: options) { process, termination in
                terminations.append(termination)
                #expect(process.termination == termination)
                #expect(!isThere(process.processID))
                process.close()
            }
            #expect(process.isActive && process.termination == nil && process.typeName == "process")
            try loop.run()
        }
        #expect(terminations.count == 1)
        return (terminations.first, output.text)
    }

    /// Whether a process with this number exists, including a zombie.
    private static func isThere(_ processID: Int32) -> Bool {
        (try? UVProcess.kill(processID: processID, 0)) != nil
    }

    @Test func theExitStatusIsToldOnceAndNoZombieIsLeft() throws {
        #expect(try ProcessTests.run(ProcessTests.shell("exit 0")).0 == .exited(0))
        #expect(try ProcessTests.run(ProcessTests.shell("exit 37")).0 == .exited(37))
    }

    @Test func theOutputGoesToTheDescriptorThatWasNamed() throws {
        let (_, text) = try ProcessTests.run(.init(program: "echo", arguments: ["two words", "", "ü$"]))
        #expect(text == "two words  ü$\n")
    }

    @Test func theNameAndTheWorkingDirectoryAreAsAsked() throws {
        let options = UVProcess.Options(
            program: "/bin/sh", arguments: ["-c", "echo $0; pwd"], name: "renamed", workingDirectory: "/usr")
        #expect(try ProcessTests.run(options).1 == "renamed\n/usr\n")
    }

    @Test func theEnvironmentIsTheOneGivenOrThisProcess() throws {
        let given = UVProcess.Options(program: "/usr/bin/env", environment: ["NAME": "a = b", "EMPTY": ""])
        #expect(Set(try ProcessTests.run(given).1.split(separator: "\n")) == ["NAME=a = b", "EMPTY="])
        let (_, inherited) = try ProcessTests.run(UVProcess.Options(program: "/usr/bin/env"))
        #expect(inherited.contains("PATH="))
    }

    @Test func theFirstDescriptorsAreTheNullDeviceWhereTheyAreIgnored() throws {
        var options = ProcessTests.shell("cat; readlink /proc/self/fd/0 /proc/self/fd/2")
        options.standardInput = .ignored
        #expect(try ProcessTests.run(options).1 == "/dev/null\n/dev/null\n")
    }

    /// Behaviour 58 (spawn_stdio_greater_than_3): a child can have descriptors with numbers above 3.
    @Test func aChildHasTheDescriptorsThatWereNamed() throws {
        let file = TemporaryFile()
        var options = ProcessTests.shell("echo five >&5")
        options.descriptors = [.ignored, .ignored, .ignored, .ignored, .ignored, .inherited(file.descriptor)]
        #expect(try ProcessTests.run(options).0 == .exited(0))
        #expect(file.text == "five\n")
    }

    @Test func nothingThatTheLibraryOpensIsOpenInAChild() throws {
        try withLoop { loop in
            let connection = try Connection.make(on: loop)
            let numbers = [
                loop.backendDescriptor, try connection.client.withUnsafeDescriptor { $0 },
                try connection.server.withUnsafeDescriptor { $0 },
            ]
            let checks = numbers.map { "[ ! -e /proc/self/fd/\($0) ]" }.joined(separator: " && ")
            var endings: [UVProcess.Termination] = []
            _ = try UVProcess(on: loop, options: ProcessTests.shell(checks)) { process, ending in
                endings.append(ending)
                process.close()
            }
            try loop.run()
            #expect(endings == [.exited(0)])
            connection.close()
            try loop.run()
        }
    }

    /// Behaviour 58 (spawn_stdin, spawn_stdout): a child reads and writes far more bytes than its pipes can buffer.
    @Test func aChildIsWrittenToAndReadFromThroughPipes() throws {
        try withLoop { loop in
            let (input, output) = (try UVPipe(on: loop), try UVPipe(on: loop))
            let options = UVProcess.Options(
                program: "/bin/cat", descriptors: [.pipe(input, child: .reads), .pipe(output, child: .writes)])
            var endings: [UVProcess.Termination] = []
            _ = try UVProcess(on: loop, options: options) { process, ending in
                endings.append(ending)
                process.close()
            }
            #expect(input.isWritable && !input.isReadable)
            #expect(output.isReadable && !output.isWritable)
            let received = Collected()
            try output.collect(received)
            let bytes = (0..<(1 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 7) }
            try input.write(input.buffer(bytes))
            // The child sees end of file, because its input is closed after the last write.
            try input.shutdown { _ in input.close() }
            try loop.run()
            #expect(received.bytes == bytes)
            #expect(received.endCount == 1 && received.closedCount == 1)
            #expect(endings == [.exited(0)])
        }
    }

    /// Behaviour 58: one pipe, which is descriptor 3 of the child, carries bytes in both directions.
    @Test func aPipeServesBothDirections() throws {
        try withLoop { loop in
            let channel = try UVPipe(on: loop)
            var options = ProcessTests.shell("read line <&3; echo \"got $line\" >&3")
            options.descriptors = [.ignored, .ignored, .ignored, .pipe(channel, child: .readsAndWrites)]
            var endings: [UVProcess.Termination] = []
            _ = try UVProcess(on: loop, options: options) { process, ending in
                endings.append(ending)
                process.close()
            }
            let received = Collected()
            try channel.collect(received)
            try channel.write(channel.buffer("hello\n"))
            try loop.run()
            #expect(received.text == "got hello\n")
            #expect(endings == [.exited(0)])
        }
    }

    /// Tests pitfall 43 of docs/behaviours.md in a process of its own.
    ///
    /// libuv creates the pipe's descriptor before it detects that the start fails.
    @Test func aPipeThatIsClosedAfterAFailedStartLeavesNoDescriptor() async {
        await #expect(processExitsWith: .success) {
            try withLoop { loop in
                var (closed, counts) = (0, [Int]())
                for _ in 0..<20 {
                    let output = try UVPipe(on: loop)
                    #expect(throws: UVError(.noSuchFile, operation: "uv_spawn")) {
                        try UVProcess(
                            on: loop,
                            options: .init(
                                program: "/nonexistent/program", descriptors: [.ignored, .pipe(output, child: .writes)])
                        )
                    }
                    output.close { closed += 1 }
                    try loop.run()
                    counts.append(openDescriptorCount())
                }
                #expect(closed == 20)
                #expect(counts[19] - counts[0] < 10)
            }
        }
    }

    /// The library rejects an unusable pipe before the child starts.
    ///
    /// libuv itself would detect the error only after it has started the child.
    @Test func aPipeThatCannotBeAnEndIsRefusedBeforeAnythingStarts() throws {
        try withLoop { loop in
            try withLoop { other in
                let file = TemporaryFile()
                let (left, _) = try UVPipe.pair(on: loop)
                let (fresh, closed, foreign) = (try UVPipe(on: loop), try UVPipe(on: loop), try UVPipe(on: other))
                closed.close()
                let cases: [([UVPipe], UVError.Code)] = [
                    ([left], .busy), ([fresh, fresh], .busy), ([closed], .invalidArgument),
                    ([foreign], .invalidArgument),
                ]
                for (pipes, code) in cases {
                    var options = ProcessTests.shell("echo started >\(file.path)")
                    options.descriptors = pipes.map { .pipe($0, child: .writes) }
                    #expect(throws: UVError(code, operation: "uv_spawn")) {
                        try UVProcess(on: loop, options: options) { _, _ in Issue.record("exited") }
                    }
                }
                loop.walk { if !$0.isClosing, $0 is UVPipe { $0.close() } }
                foreign.close()
                try loop.run()
                try other.run()
                #expect(file.text.isEmpty)
            }
        }
    }

    @Test func aStreamsDescriptorCanBeHandedToAChild() throws {
        try withLoop { loop in
            let connection = try Connection.make(on: loop)
            var options = ProcessTests.shell("read line; echo \"got $line\"")
            options.descriptors = [.stream(connection.server), .stream(connection.server)]
            var endings: [UVProcess.Termination] = []
            _ = try UVProcess(on: loop, options: options) { process, termination in
                endings.append(termination)
                process.close()
                connection.server.close()
            }
            let received = Collected()
            try connection.client.collect(received)
            try connection.client.write(connection.client.buffer("hello\n"))
            try loop.run()
            #expect(endings == [.exited(0)])
            #expect(received.text == "got hello\n")
            #expect(received.endCount == 1)
        }
    }

    /// Behaviour 58 (spawn_and_kill): the termination reports the signal.
    ///
    /// A later `kill` throws, because another process may have the same process ID.
    @Test func aKilledProcessTellsTheSignal() throws {
        try withLoop { loop in
            var endings: [UVProcess.Termination] = []
            let process = try UVProcess(on: loop, options: ProcessTests.shell("exec sleep 1000")) { process, ending in
                endings.append(ending)
                #expect(throws: UVError(.noSuchProcess, operation: "uv_process_kill")) { try process.kill(SIGTERM) }
                process.close()
            }
            try process.kill(0)
            #expect(throws: UVError(.invalidArgument, operation: "uv_process_kill")) { try process.kill(1000) }
            try process.kill(SIGTERM)
            try loop.run()
            #expect(endings == [.signalled(SIGTERM)])
            #expect(throws: UVError(.invalidArgument, operation: "uv_process_kill")) { try process.kill(SIGTERM) }
        }
    }

    /// Pitfalls 36 and 43: a failed start is reported at once, and no exit is reported later.
    ///
    /// The loop can be closed afterwards.
    @Test func aProgramThatIsNotThereFailsAtOnceAndLeavesNothing() throws {
        try withLoop { loop in
            let handles = ProcessTests.handleCount(loop)
            for _ in 0..<10 {
                #expect(throws: UVError(.noSuchFile, operation: "uv_spawn")) {
                    try UVProcess(on: loop, options: .init(program: "/nonexistent/program")) { _, _ in
                        Issue.record("exited")
                    }
                }
            }
            try loop.run()
            #expect(ProcessTests.handleCount(loop) == handles)
        }
    }

    /// Tests pitfall 43 of docs/behaviours.md in a process of its own, in which no other test opens descriptors.
    @Test func neitherFailureNorSuccessLeavesADescriptorOpen() async {
        await #expect(processExitsWith: .success) {
            try withLoop { loop in
                let programs = ["/bin/true", "/nonexistent/program"]
                var (exits, counts) = (0, [Int]())
                for index in 0..<40 {
                    let options = UVProcess.Options(
                        program: programs[index % 2], descriptors: [.ignored, .inherited(1)])
                    _ = try? UVProcess(on: loop, options: options) { process, _ in
                        exits += 1
                        process.close()
                    }
                    try loop.run()
                    counts.append(openDescriptorCount())
                }
                #expect(exits == 20)
                // The runtime may open a few descriptors in the meantime. One leaked descriptor per start would add at
                // least twenty.
                #expect(counts[39] - counts[0] < 10)
            }
        }
    }

    private static func handleCount(_ loop: UVLoop) -> Int {
        var count = 0
        loop.walk { _ in count += 1 }
        return count
    }

    @Test func whatCannotRunFailsByItsOwnCode() throws {
        try withLoop { loop in
            let file = TemporaryFile()
            let ignore = { (_: UVProcess, _: UVProcess.Termination) -> Void in Issue.record("exited") }
            let code = { (options: UVProcess.Options) -> UVError.Code? in
                do throws(UVError) { _ = try UVProcess(on: loop, options: options, onExit: ignore) } catch {
                    return error.code
                }
                return nil
            }
            #expect(code(.init(program: file.path)) == .permissionDenied)
            #expect(code(.init(program: "/bin/true", workingDirectory: "/nonexistent")) == .noSuchFile)
            #expect(code(.init(program: "/bin/true", descriptors: [.inherited(-1)])) == .invalidArgument)
            #expect(code(.init(program: "/bin/true\0x")) == .invalidArgument)
            #expect(code(.init(program: "/bin/true", arguments: ["a\0b"])) == .invalidArgument)
            #expect(code(.init(program: "/bin/true", environment: ["A=B": "C"])) == .invalidArgument)
            #expect(code(.init(program: "/bin/true", environment: ["": "C"])) == .invalidArgument)
            try loop.run()
        }
    }

    /// Behaviour 58 (spawn_setuid_fails): changing the user fails unless this process has the privilege.
    @Test func anIdentityTakesAPrivilege() throws {
        var options = ProcessTests.shell("id -u; id -g")
        (options.userID, options.groupID) = (65534, 65534)
        if getuid() == 0 {
            #expect(try ProcessTests.run(options).1 == "65534\n65534\n")
        } else {
            #expect(throws: UVError(.notPermitted, operation: "uv_spawn")) { try ProcessTests.run(options) }
        }
    }

    /// Behaviour 58 (spawn_detached, spawn_auto_unref): a loop need not wait for a detached child.
    @Test func aDetachedProcessLeadsItsOwnSessionAndNeedNotBeAwaited() throws {
        try withLoop { loop in
            var options = ProcessTests.shell("exec sleep 1000")
            options.isDetached = true
            var endings: [UVProcess.Termination] = []
            let process = try UVProcess(on: loop, options: options) { process, ending in
                endings.append(ending)
                process.close()
            }
            process.unref()
            try loop.run()
            #expect(endings.isEmpty)
            #expect(getsid(process.processID) == process.processID)
            process.ref()
            // The negative process ID means the whole process group that the child leads.
            try UVProcess.kill(processID: -process.processID, SIGKILL)
            try loop.run()
            #expect(endings == [.signalled(SIGKILL)])
        }
    }

    /// Behaviour 58 (spawn_exercise_sigchld_issue): many children exit at once, and each exit is reported once.
    @Test func manyProcessesAreEachToldOnce() throws {
        try withLoop { loop in
            var statuses: [Int] = []
            for status in 0..<20 {
                _ = try UVProcess(on: loop, options: ProcessTests.shell("exit \(status)")) { process, termination in
                    if case .exited(let status) = termination { statuses.append(status) }
                    process.close()
                }
            }
            try loop.run()
            #expect(statuses.sorted() == Array(0..<20))
        }
    }

    /// Pitfall 42: each loop receives only the exits of its own children.
    @Test func twoLoopsHaveChildrenOfTheirOwn() throws {
        let threads = ThreadGroup()
        let counter = Counter()
        for _ in 0..<2 {
            try threads.start {
                try? withLoop { loop in
                    for _ in 0..<5 {
                        _ = try UVProcess(on: loop, options: ProcessTests.shell("exit 3")) { process, termination in
                            if termination == .exited(3) { counter.add() }
                            process.close()
                        }
                    }
                    try loop.run()
                }
            }
        }
        threads.join()
        #expect(counter.value == 10)
    }

    /// An exit after the handle's close is not reported, and a loop can be closed while the process runs.
    @Test func aClosedHandleIsNotToldOfTheExit() throws {
        let loop = try UVLoop()
        let process = try UVProcess(on: loop, options: ProcessTests.shell("exec sleep 1000")) { _, _ in
            Issue.record("the exit was reported after the close")
        }
        #expect(try loop.close().map(\.type) == ["process"])
        #expect(process.isClosed && process.termination == nil)
    }

    /// A thread that creates a process unblocks SIGCHLD.
    ///
    /// Swift concurrency's threads block all signals. If every thread blocked SIGCHLD, the loop would never learn of an
    /// exit.
    @Test func theThreadThatMakesAProcessReceivesTheSignalOfItsEnd() throws {
        var (child, mask) = (sigset_t(), sigset_t())
        unsafe sigemptyset(&child)
        unsafe sigaddset(&child, SIGCHLD)
        unsafe pthread_sigmask(SIG_BLOCK, &child, nil)
        #expect(try ProcessTests.run(ProcessTests.shell("exit 0")).0 == .exited(0))
        unsafe pthread_sigmask(SIG_SETMASK, nil, &mask)
        #expect(unsafe sigismember(&mask, SIGCHLD) == 0)
    }

    @Test func aProcessOnAClosedLoopIsRefused() throws {
        let loop = try UVLoop()
        try loop.close()
        #expect(throws: UVError(.cancelled, operation: "uv_spawn")) {
            try UVProcess(on: loop, options: .init(program: "/bin/true")) { _, _ in }
        }
    }

    /// Runs in its own process, because it changes all descriptors of the process.
    @Test func inheritedDescriptorsCanBeKeptFromChildren() async {
        await #expect(processExitsWith: .success) {
            // The new descriptor 9 has no close-on-exec flag, so a child would inherit it.
            #expect(dup2(1, 9) == 9)
            UVProcess.disableDescriptorInheritance()
            try withLoop { loop in
                var endings: [UVProcess.Termination] = []
                let options = UVProcess.Options(program: "/bin/sh", arguments: ["-c", "! [ -e /proc/self/fd/9 ]"])
                _ = try UVProcess(on: loop, options: options) { process, ending in
                    endings.append(ending)
                    process.close()
                }
                try loop.run()
                #expect(endings == [.exited(0)])
            }
        }
    }
}

/// The number of open descriptors of this process.
private func openDescriptorCount() -> Int {
    ((try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []).count
}

/// A temporary file that is removed together with this object.
final class TemporaryFile: Sendable {
    let path: String
    let descriptor: Int32

    init() {
        path = "\(NSTemporaryDirectory())/swift-libuv-\(UUID().uuidString)"
        descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_EXCL, 0o600)
        #expect(descriptor >= 0)
    }

    deinit {
        close(descriptor)
        unsafe unlink(path)
    }

    var text: String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }
}
