import Foundation
import LibUV
import Testing

/// Tests that libuv and the system report the same values for the machine, the user and the process.
@Suite(.timeLimit(.minutes(1)), .serialized) struct SystemTests {
    @Test func theMachineIsTheOneThatTheSystemNames() throws {
        #expect(
            try UVSystem.hostName == ProcessInfo.processInfo.hostName.split(separator: ".").first.map(String.init)
                || UVSystem.hostName == ProcessInfo.processInfo.hostName)
        let system = try UVSystem.operatingSystem
        var name = utsname()
        #expect(unsafe uname(&name) == 0)
        let expected = unsafe [
            withUnsafeBytes(of: &name.sysname) { unsafe text($0) },
            withUnsafeBytes(of: &name.release) { unsafe text($0) },
            withUnsafeBytes(of: &name.version) { unsafe text($0) },
            withUnsafeBytes(of: &name.machine) { unsafe text($0) },
        ]
        #expect([system.name, system.release, system.version, system.machine] == expected)
    }

    private func text(_ bytes: UnsafeRawBufferPointer) -> String {
        unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }

    @Test func timeGoesOn() throws {
        let (first, second) = (UVSystem.monotonicTime, UVSystem.monotonicTime)
        #expect(first > .zero && second >= first)
        let (before, time, after) = (Date(), try UVSystem.timeOfDay, Date())
        let seconds = Double(time.components.seconds) + Double(time.components.attoseconds) / 1e18
        #expect(seconds >= before.timeIntervalSince1970 - 0.001 && seconds <= after.timeIntervalSince1970 + 0.001)
        #expect(try UVSystem.uptime > .zero)
    }

    @Test func memoryAddsUp() {
        #expect(UVSystem.totalMemory == ProcessInfo.processInfo.physicalMemory)
        #expect(UVSystem.freeMemory > 0 && UVSystem.freeMemory <= UVSystem.totalMemory)
        if let limit = UVSystem.constrainedMemory { #expect(limit > 0) }
        if UVVersion.running < UVVersion(encoded: 0x012D00) { #expect(UVSystem.availableMemory == nil) }
    }

    @Test func loadAveragesAreThoseOfTheSystem() throws {
        let averages = UVSystem.loadAverages
        var expected = [Double](repeating: 0, count: 3)
        #expect(unsafe getloadavg(&expected, 3) == 3)
        // The load average over the longest period barely changes between the two calls.
        #expect(abs(averages.fifteen - expected[2]) < 0.5)
        #expect(averages.one >= 0 && averages.five >= 0)
    }

    @Test func processorsAreListed() throws {
        let processors = try UVSystem.processors
        #expect(processors.count >= UVSystem.availableParallelism)
        #expect(processors.allSatisfy { $0.times.idle + $0.times.user > .zero && $0.megahertz >= 0 })
        #expect(
            processors.allSatisfy { $0.times.system >= .zero && $0.times.nice >= .zero && $0.times.interrupts >= .zero }
        )
        #expect(processors.allSatisfy { !$0.model.isEmpty })
    }

    @Test func theLoopbackInterfaceIsListed() throws {
        let loopback = try #require(try UVSystem.networkInterfaces.first { $0.address == .v4(0x7F00_0001) })
        #expect(loopback.isInternal)
        #expect(loopback.prefixLength == 8)
        #expect(loopback.hardwareAddress == [0, 0, 0, 0, 0, 0])
        #expect(loopback.name == "lo")
        // In the system's own list, ::1 is 31 zeros followed by a one.
        let listed = (try? String(contentsOfFile: "/proc/net/if_inet6", encoding: .utf8)) ?? ""
        let ipv6 = try UVSystem.networkInterfaces.first { $0.address == .v6(1, zone: nil) }
        #expect((ipv6 != nil) == listed.contains(String(repeating: "0", count: 31) + "1 "))
        #expect(ipv6?.prefixLength ?? 128 == 128 && ipv6?.isInternal ?? true)
    }

    @Test func theUserIsTheOneThatTheProcessRunsAs() throws {
        let user = try UVUser.current
        #expect(user.id == geteuid())
        #expect(user.name == NSUserName())
        let registered = try unsafe #require(getpwuid(geteuid()))
        let (groupID, home, shell) = unsafe (
            registered.pointee.pw_gid, String(cString: registered.pointee.pw_dir),
            String(cString: registered.pointee.pw_shell)
        )
        #expect(user.groupID == groupID && user.homeDirectory == home && user.shell == shell)
    }

    @Test func variablesAreSetReadAndRemoved() throws {
        let name = "SWIFT_LIBUV_TEST_VARIABLE"
        #expect(try UVEnvironment.value(of: name) == nil)
        // The last value is longer than the buffer that the library tries first.
        for value in ["", "a = b", String(repeating: "long ", count: 1000)] {
            try UVEnvironment.set(name, to: value)
            #expect(try UVEnvironment.value(of: name) == value)
            #expect(try UVEnvironment.all[name] == value)
        }
        try UVEnvironment.remove(name)
        try UVEnvironment.remove(name)
        #expect(try UVEnvironment.value(of: name) == nil)
        #expect(try UVEnvironment.all[name] == nil)
        #expect(try UVEnvironment.all["PATH"] == ProcessInfo.processInfo.environment["PATH"])
    }

    @Test func variablesWithoutAProperNameAreRefused() {
        #expect(throws: UVError(.invalidArgument, operation: "uv_os_setenv")) { try UVEnvironment.set("A=B", to: "") }
        #expect(throws: UVError(.invalidArgument, operation: "uv_os_setenv")) { try UVEnvironment.set("", to: "") }
        #expect(throws: UVError(.invalidArgument, operation: "uv_os_setenv")) { try UVEnvironment.set("A", to: "\0") }
        #expect(throws: UVError(.invalidArgument, operation: "uv_os_getenv")) { try UVEnvironment.value(of: "A\0") }
        #expect(throws: UVError(.invalidArgument, operation: "uv_os_unsetenv")) { try UVEnvironment.remove("A=") }
        #expect(throws: UVError(.invalidArgument, operation: "uv_os_unsetenv")) { try UVEnvironment.remove("A\0") }
    }

    @Test func theProcessKnowsItself() throws {
        #expect(UVCurrentProcess.processID == getpid())
        #expect(UVCurrentProcess.parentProcessID == getppid())
        #expect(
            try UVCurrentProcess.executablePath
                == FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
        #expect(try UVCurrentProcess.workingDirectory == FileManager.default.currentDirectoryPath)
        #expect(throws: UVError(.noSuchFile, operation: "uv_chdir")) {
            try UVCurrentProcess.changeWorkingDirectory(to: "/nonexistent")
        }
        #expect(throws: UVError(.invalidArgument, operation: "uv_chdir")) {
            try UVCurrentProcess.changeWorkingDirectory(to: "/\0")
        }
        #expect(throws: UVError(.noSuchProcess, operation: "uv_os_getpriority")) {
            try UVCurrentProcess.priority(of: Int32.max)
        }
        #expect(throws: UVError(.invalidArgument, operation: "uv_os_setpriority")) {
            try UVCurrentProcess.setPriority(20)
        }
    }

    /// Runs in its own process, because the directory and the priority apply to the whole process.
    @Test func theWorkingDirectoryAndThePriorityAreChanged() async {
        await #expect(processExitsWith: .success) {
            // This path is longer than the buffer that the library tries first.
            let deep =
                "/tmp/swift-libuv-\(getpid())/" + String(repeating: String(repeating: "d", count: 100) + "/", count: 8)
            try FileManager.default.createDirectory(atPath: deep, withIntermediateDirectories: true)
            try UVCurrentProcess.changeWorkingDirectory(to: deep)
            #expect(try UVCurrentProcess.workingDirectory + "/" == deep)
            try FileManager.default.removeItem(atPath: "/tmp/swift-libuv-\(getpid())")
            #expect(throws: UVError(.noSuchFile, operation: "uv_cwd")) { try UVCurrentProcess.workingDirectory }
            let before = try UVCurrentProcess.priority()
            try UVCurrentProcess.setPriority(min(19, before + 1))
            #expect(try UVCurrentProcess.priority() == min(19, before + 1))
            try UVEnvironment.set("HOME", to: "/home/of/mine")
            try UVEnvironment.set("TMPDIR", to: "/tmp/of/mine/")
            #expect(try UVCurrentProcess.homeDirectory == "/home/of/mine")
            #expect(try UVCurrentProcess.temporaryDirectory == "/tmp/of/mine")
            try UVEnvironment.remove("HOME")
            #expect(try UVCurrentProcess.homeDirectory == UVUser.current.homeDirectory)
        }
    }

    /// Runs in its own process, because the title overwrites the arguments.
    @Test func theTitleIsChangedForWhoeverLists() async {
        await #expect(processExitsWith: .success) {
            let arguments = CommandLine.arguments
            #expect(try !UVCurrentProcess.title.isEmpty)
            try UVCurrentProcess.setTitle("a title")
            #expect(try UVCurrentProcess.title == "a title")
            let listed = try #require(FileManager.default.contents(atPath: "/proc/self/cmdline"))
            #expect(String(decoding: listed.prefix { $0 != 0 }, as: UTF8.self) == "a title")
            #expect(CommandLine.arguments == arguments)
            #expect(throws: UVError(.invalidArgument, operation: "uv_set_process_title")) {
                try UVCurrentProcess.setTitle("a\0title")
            }
            // This title is far longer than the arguments. libuv truncates the title, so that only the arguments are
            // overwritten.
            let path = try UVEnvironment.value(of: "PATH")
            try UVCurrentProcess.setTitle(String(repeating: "t", count: 100_000))
            #expect(try UVCurrentProcess.title.allSatisfy { $0 == "t" })
            #expect(try UVEnvironment.value(of: "PATH") == path)
        }
    }

    @Test func whatTheProcessUsesIsCounted() throws {
        let before = try UVCurrentProcess.resourceUsage
        #expect(before.userTime + before.systemTime > .zero)
        let resident = try UVCurrentProcess.residentByteCount
        #expect(resident > 1 << 20)
        // Both values are in bytes, not in pages or kibibytes.
        #expect(before.maximumResidentByteCount >= UInt64(resident) / 2)
        #expect(before.maximumResidentByteCount < UVSystem.totalMemory)
        #expect(before.minorPageFaultCount > 0)
        let after = try UVCurrentProcess.resourceUsage
        #expect(after.userTime >= before.userTime && after.majorPageFaultCount >= before.majorPageFaultCount)
        #expect(after.voluntaryContextSwitchCount >= before.voluntaryContextSwitchCount)
        #expect(after.involuntaryContextSwitchCount >= before.involuntaryContextSwitchCount)
        #expect(after.blockInputCount >= before.blockInputCount && after.blockOutputCount >= before.blockOutputCount)
    }

    /// A call throws if the installed libuv lacks the function.
    ///
    /// With a newer libuv, the call succeeds.
    @Test func whatIsNewerThanTheLibraryIsSaidToBeMissing() throws {
        try withLoop { loop in
            if UVVersion.compiled < UVVersion(encoded: 0x012D00) {
                #expect(loop.statistics.events == nil)
            } else {
                // Without an active handle, `run` would return before its first iteration.
                let before = try #require(loop.statistics.events).iterationCount
                let idle = try UVIdle(on: loop)
                var calls = 0
                try idle.start { idle in
                    calls += 1
                    if calls == 3 { idle.close() }
                }
                try loop.run()
                #expect(try #require(loop.statistics.events).iterationCount == before + 3)
            }
            if UVVersion.compiled < UVVersion(encoded: 0x013200) {
                #expect(throws: UVError(.unimplemented, operation: "uv_getrusage_thread")) {
                    try UVCurrentProcess.threadResourceUsage
                }
            } else {
                #expect(try UVCurrentProcess.threadResourceUsage.userTime <= UVCurrentProcess.resourceUsage.userTime)
            }
        }
        #expect(UVVersion.runningName.hasPrefix("\(UVVersion.running)"))
    }

    @Test func handlesAreListedForAPerson() throws {
        try withLoop { loop in
            let timer = try UVTimer(on: loop)
            let idle = try UVIdle(on: loop)
            try idle.start { _ in }
            let (all, active) = (loop.listHandles(), loop.listHandles(onlyActive: true))
            #expect(all.contains("idle") && active.contains("idle"))
            // Both lists have the active timer of `withLoop`. Only the full list has the timer that is not active.
            #expect(all.components(separatedBy: "timer").count == active.components(separatedBy: "timer").count + 1)
            timer.close()
            idle.close()
            try loop.run()
        }
        let closed = try UVLoop()
        try closed.close()
        #expect(closed.listHandles().isEmpty)
    }
}

@Suite struct ErrorTests {
    @Test func anErrnoOfTheSystemIsTranslated() {
        let error = UVError(systemCode: EADDRINUSE, operation: "bind")
        #expect(error == UVError(.addressInUse, operation: "bind"))
        #expect(error.systemCode == EADDRINUSE)
        #expect(error.description == "bind: EADDRINUSE (address already in use)")
    }

    /// libuv's own codes are not error numbers of the system.
    @Test func onlyErrorsOfTheSystemHaveItsNumber() {
        for code in [UVError.Code.endOfFile, .nameNotFound, .temporaryNameFailure, UVError.Code(rawValue: -4094)] {
            #expect(UVError(code, operation: "test").systemCode == nil)
        }
        #expect(UVError(.cancelled, operation: "test").systemCode == ECANCELED)
    }
}
