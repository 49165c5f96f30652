import Glibc
import LibUV
import SocketAddresses
import Testing

/// Tests of a loop for which the kernel cannot watch another descriptor.
///
/// Without the library's check, libuv would abort the process, so each test runs in its own process. The test
/// `aClientThatCannotBeWatchedIsRejected` runs the servers with a limit on watched descriptors.
@Suite(.timeLimit(.minutes(2))) struct WatchTests {
    /// An instruction of a filter, with the layout of the kernel's `sock_filter`.
    private struct Instruction {
        var code: UInt16
        var ifTrue: UInt8 = 0
        var ifFalse: UInt8 = 0
        var operand: UInt32
    }

    /// A filter, with the layout of the kernel's `sock_fprog`.
    @unsafe private struct Program {
        var count: UInt16
        var instructions: UnsafeMutableRawPointer?
    }

    /// Makes every further `epoll_ctl` that adds a descriptor fail with `ENOSPC`, in the calling thread (`seccomp`).
    private static func forbidWatches() throws {
        #if arch(x86_64)
            let number: UInt32 = 233
        #else
            let number: UInt32 = 21
        #endif
        var instructions = [
            // Load the number of the system call, and compare it.
            Instruction(code: 0x20, operand: 0), Instruction(code: 0x15, ifFalse: 3, operand: number),
            // Load the second argument, and compare it with EPOLL_CTL_ADD.
            Instruction(code: 0x20, operand: 24), Instruction(code: 0x15, ifFalse: 1, operand: 1),
            // Fail with ENOSPC, or continue.
            Instruction(code: 0x06, operand: 0x0005_0000 | UInt32(ENOSPC)),
            Instruction(code: 0x06, operand: 0x7FFF_0000),
        ]
        // Swift cannot call `prctl`, because it is variadic. On Linux, its arguments are passed as those of this type.
        typealias Function = @convention(c) (Int, UInt, UInt, UInt, UInt) -> Int32
        let prctl = unsafe unsafeBitCast(dlsym(nil, "prctl"), to: Function.self)
        // PR_SET_NO_NEW_PRIVS, so that the filter needs no privilege.
        var status = prctl(38, 1, 0, 0, 0)
        try #require(status == 0)
        unsafe instructions.withUnsafeMutableBytes { bytes in
            var program = unsafe Program(count: UInt16(bytes.count / 8), instructions: bytes.baseAddress)
            // PR_SET_SECCOMP with SECCOMP_MODE_FILTER.
            unsafe withUnsafeMutableBytes(of: &program) { program in
                status = prctl(22, 2, UInt(bitPattern: program.baseAddress), 0, 0)
            }
        }
        try #require(status == 0)
    }

    /// Runs an iteration, after which the loop needs no further descriptors of its own.
    private static func settle(_ loop: UVLoop) throws {
        try loop.execute {}
        try loop.run(.once)
    }

    private static func expectNoSpace(_ error: UVError?) {
        #expect(error?.code == .noSpace && error?.operation == "epoll_ctl", "\(String(describing: error))")
    }

    /// Expects that the loop continues, and that it closes.
    private static func expectWorkingLoop(_ loop: UVLoop) throws {
        var hasFired = false
        let timer = try UVTimer(on: loop)
        try timer.start(after: .milliseconds(1)) { timer in
            hasFired = true
            timer.close()
        }
        try loop.run()
        #expect(hasFired)
        try loop.close()
    }

    /// Promise of the article "What is not guaranteed".
    @Test func readingThrows() async {
        await #expect(processExitsWith: .success) {
            let loop = try UVLoop()
            let (left, right) = try UVTCPStream.pair(on: loop)
            try Self.settle(loop)
            try Self.forbidWatches()
            Self.expectNoSpace(#expect(throws: UVError.self) { try left.startReading { _, _ in } })
            try right.onEvent { _, _ in }
            Self.expectNoSpace(#expect(throws: UVError.self) { try right.resumeReading() })
            try loop.run(.noWait)
            for stream in [left, right] { stream.close() }
            try Self.expectWorkingLoop(loop)
        }
    }

    /// Promise of the article "What is not guaranteed".
    @Test func connectingFails() async {
        await #expect(processExitsWith: .success) {
            let loop = try UVLoop()
            let listener = try UVTCPListener(on: loop)
            try listener.bind(to: .loopback(port: 0))
            try listener.listen { _, _ in }
            let pipeListener = try UVPipeListener(on: loop)
            let name = UVPipeName.path(temporaryPath())
            try pipeListener.bind(to: name)
            try pipeListener.listen { _, _ in }
            let (stream, pipe) = (try UVTCPStream(on: loop), try UVPipe(on: loop))
            try Self.settle(loop)
            try Self.forbidWatches()
            var errors: [UVError] = []
            let note = { (result: Result<Void, UVError>) -> Void in
                if case .failure(let error) = result { errors.append(error) }
            }
            try stream.connect(to: listener.localAddress, completion: note)
            try pipe.connect(to: name, completion: note)
            while !stream.isClosed || !pipe.isClosed { try loop.run(.noWait) }
            for error in errors { Self.expectNoSpace(error) }
            #expect(errors.count == 2)
            for handle in [listener, pipeListener] as [UVHandle] { handle.close() }
            try Self.expectWorkingLoop(loop)
        }
    }

    /// Promise of the article "What is not guaranteed".
    @Test func receivingThrows() async {
        await #expect(processExitsWith: .success) {
            let loop = try UVLoop()
            let socket = try UVUDP(on: loop)
            try socket.bind(to: .loopback(port: 0))
            try Self.settle(loop)
            try Self.forbidWatches()
            Self.expectNoSpace(#expect(throws: UVError.self) { try socket.startReceiving { _, _ in } })
            try loop.run(.noWait)
            socket.close()
            try Self.expectWorkingLoop(loop)
        }
    }

    @Test func aTaskThatReadsGetsTheError() async {
        await #expect(processExitsWith: .success) {
            try UVLoop.run { loop in
                let (left, right) = try await UVConnection.pair(on: loop)
                try Self.forbidWatches()
                do throws(UVError) {
                    _ = try await left.read()
                    Issue.record("the read did not throw")
                } catch { Self.expectNoSpace(error) }
                await left.close()
                await right.close()
            }
        }
    }
}
