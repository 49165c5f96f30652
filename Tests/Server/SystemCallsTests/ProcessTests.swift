import SocketAddresses
import SystemCalls
import Testing

/// Tests of child processes, and of their resource usage as the kernel reports it.
@Suite(.timeLimit(.minutes(1))) struct ProcessTests {
    @Test func linesAndTheExitCodeAreRead() throws {
        var child = try ChildProcess("/bin/sh", ["-c", "echo one; printf 'two\\nthr'; exit 3"])
        #expect(try child.readLine(timeout: .seconds(20)) == "one")
        #expect(try child.readLine(timeout: .seconds(20)) == "two")
        // The last text has no newline, so it is not a line.
        #expect(try child.readLine(timeout: .seconds(20)) == nil)
        #expect(try child.wait(timeout: .seconds(20)) == .code(3))
        // The second call returns the stored result, without waiting.
        #expect(try child.wait(timeout: .zero) == .code(3))
    }

    @Test func aTimeoutIsAResult() throws {
        var child = try ChildProcess("/bin/sleep", ["60"])
        #expect(try child.readLine(timeout: .milliseconds(20)) == nil)
        #expect(try child.wait(timeout: .milliseconds(20)) == nil)
        child.terminate()
        #expect(try child.wait(timeout: .seconds(20)) == .signal(15))
    }

    @Test func theErrorNamesAMissingProgram() {
        let error = #expect(throws: SystemCallError.self) {
            _ = try ChildProcess("/nowhere/program", []).processIdentifier
        }
        #expect(error?.description == "posix_spawn /nowhere/program: No such file or directory")
    }

    @Test func aProcessWithoutOwnerIsKilled() throws {
        let number = try startAndDrop()
        #expect(throws: SystemCallError.self) { try ProcessUsage(of: number) }
        #expect(throws: SystemCallError.self) { try ProcessUsage.processorTime(of: number) }
    }

    private func startAndDrop() throws -> Int32 {
        let child = try ChildProcess("/bin/sleep", ["60"])
        #expect(try ProcessUsage(of: child.processIdentifier).threadCount == 1)
        return child.processIdentifier
    }

    @Test func theUsageIsThatOfTheProcess() throws {
        let child = try ChildProcess("/bin/sh", ["-c", "while :; do :; done"])
        let begin = try ProcessUsage.processorTime(of: child.processIdentifier)
        let deadline = ContinuousClock.now.advanced(by: .seconds(20))
        var time = begin
        while time < begin + .milliseconds(20), ContinuousClock.now < deadline {
            time = try ProcessUsage.processorTime(of: child.processIdentifier)
        }
        #expect(time >= begin + .milliseconds(20))
        let figures = try ProcessUsage(of: child.processIdentifier)
        #expect(figures.threadCount == 1)
        #expect((100 << 10..<100 << 20).contains(figures.residentBytes))
    }

    @Test func systemCallsOfAProcessAreCounted() throws {
        // The first process makes no system calls; the second makes many.
        let idle = try ChildProcess("/bin/sleep", ["60"])
        let busy = try ChildProcess("/bin/sh", ["-c", "while sleep 0.01; do :; done"])
        do {
            let none = try SystemCallCounter.count(of: idle.processIdentifier) { PosixThread.sleep(.milliseconds(50)) }
            let many = try SystemCallCounter.count(of: busy.processIdentifier) { PosixThread.sleep(.milliseconds(200)) }
            #expect(none == 0)
            #expect(many > 3)
        } catch {
            // An error is acceptable only if the system does not permit tracing.
            #expect(error.code == Errno.notPermitted)
        }
    }

    @Test func aFileIsWrittenAndRead() throws {
        let directory = try TextFile.currentDirectory()
        #expect(directory.hasPrefix("/"))
        let path = "/tmp/swift-libuv-text-\(try TextFile.destination(ofLink: "/proc/self"))"
        let text = String(repeating: "a line of text: ä\n", count: 1000)
        try TextFile.write(text, to: path)
        #expect(try TextFile.read(path) == text)
        try TextFile.write("", to: path)
        #expect(try TextFile.read(path) == "")
        #expect(try TextFile.names(in: "/tmp").contains { path.hasSuffix("/\($0)") })
        #expect(throws: SystemCallError.self) { try TextFile.read("\(path)/nothing") }
        #expect(throws: SystemCallError.self) { try TextFile.names(in: "\(path)/nothing") }
        _ = try ChildProcess("/bin/rm", [path]).processIdentifier
    }
}
