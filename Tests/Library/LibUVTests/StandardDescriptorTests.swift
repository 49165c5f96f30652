import Glibc
import LibUV
import Testing

/// Tests of loops in a process whose standard descriptors are closed, or that has no free descriptor.
///
/// libuv aborts such a process, so each test runs in a process of its own.
@Suite(.timeLimit(.minutes(2))) struct StandardDescriptorTests {
    private static func useLoop() throws {
        let loop = try UVLoop()
        for number: Int32 in 0...2 { #expect(isOpen(number)) }
        #expect(loop.backendDescriptor > 2)
        var endings: [UVProcess.Termination] = []
        let options = UVProcess.Options(
            program: "/bin/true", descriptors: [.inherited(0), .inherited(1), .inherited(2)])
        _ = try UVProcess(on: loop, options: options) { process, ending in
            endings.append(ending)
            process.close()
        }
        try loop.run()
        #expect(endings == [.exited(0)])
        try loop.close()
    }

    @Test func standardInputMayBeClosed() async {
        await #expect(processExitsWith: .success) {
            close(0)
            try StandardDescriptorTests.useLoop()
        }
    }

    @Test func standardOutputMayBeClosed() async {
        await #expect(processExitsWith: .success) {
            close(1)
            try StandardDescriptorTests.useLoop()
        }
    }

    @Test func standardErrorMayBeClosed() async {
        await #expect(processExitsWith: .success) {
            close(2)
            try StandardDescriptorTests.useLoop()
        }
    }

    /// Promise of the article "What is not guaranteed".
    @Test func allOfThemMayBeClosed() async {
        await #expect(processExitsWith: .success) {
            for number: Int32 in 0...2 { close(number) }
            try StandardDescriptorTests.useLoop()
        }
    }

    /// libuv opens and closes a pipe during the start of a process.
    ///
    /// Promise of the article "What is not guaranteed".
    @Test func theyMayBeClosedBeforeAProcessStarts() async {
        await #expect(processExitsWith: .success) {
            let loop = try UVLoop()
            for number: Int32 in 0...2 { close(number) }
            var exits = 0
            _ = try UVProcess(on: loop, options: .init(program: "/bin/true")) { process, _ in
                exits += 1
                process.close()
            }
            try loop.run()
            #expect(exits == 1)
            try loop.close()
        }
    }

    /// libuv would abort when it closes the socket.
    @Test func aDatagramSocketCannotAdoptAStandardDescriptor() throws {
        try withLoop { loop in
            for number: Int32 in 0...2 {
                #expect(throws: UVError(.invalidArgument, operation: "uv_udp_open")) {
                    try UVUDP(on: loop, adopting: number)
                }
            }
            try loop.run()
        }
    }

    /// Promise of `UVLoop.init`: it throws if no descriptor is free.
    ///
    /// libuv would abort if the loop is the first of the process.
    ///
    /// Promise of the article "What is not guaranteed".
    @Test func theFirstLoopOfAProcessThrowsWithoutDescriptors() async {
        await #expect(processExitsWith: .success) {
            var (limit, failures, isMade) = (rlimit(), 0, false)
            unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
            for count: rlim_t in 3...200 where !isMade {
                limit.rlim_cur = count
                unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
                do throws(UVError) {
                    try UVLoop().close()
                    isMade = true
                } catch {
                    #expect(error.code == .processFileLimit)
                    failures += 1
                }
            }
            #expect(isMade && failures >= 6)
        }
    }
}
