internal import CLinux
internal import Glibc

/// Counts the system calls that a child process makes (`ptrace`).
///
/// Tracing makes each system call several microseconds slower, so do not measure durations at the same time. The
/// count covers only threads that exist when tracing begins.
public enum SystemCallCounter {
    /// The state that the tracing thread and the caller of `count` share.
    private struct Progress {
        /// Whether counting has begun.
        var isReady = false
        /// Whether `body` has returned.
        var isDone = false
        /// The number of system calls, or the error that prevented counting.
        var result: Result<Int, SystemCallError>?
    }

    /// Counts the system calls of a process while `body` runs.
    ///
    /// Counting begins once the process has made no system call for 30 ms, or after one second at the latest.
    ///
    /// - Throws: `EPERM` if the system does not allow tracing.
    public static func count(
        of processIdentifier: Int32, while body: () throws(SystemCallError) -> Void
    ) throws(SystemCallError) -> Int {
        let progress = Monitor(Progress())
        // The kernel ties tracing to one thread, and stops tracing when that thread ends.
        let tracer = try PosixThread {
            let result = Result { () throws(SystemCallError) in try trace(processIdentifier, progress) }
            progress.withLock { $0.result = result }
            progress.notifyAll()
        }
        let isTraced = progress.wait { $0.isReady ? true : $0.result == nil ? nil : false }
        let outcome = Result { () throws(SystemCallError) in if isTraced { try body() } }
        progress.withLock { $0.isDone = true }
        tracer.join()
        let result = progress.wait { $0.result }
        try outcome.get()
        return try result.get()
    }

    /// Traces the process until `isDone` is set, and returns the number of system calls since `isReady` was set.
    private static func trace(_ process: Int32, _ progress: Monitor<Progress>) throws(SystemCallError) -> Int {
        var threads: [(number: Int32, isInCall: Bool)] = []
        for name in try TextFile.names(in: "/proc/\(process)/task") {
            guard let number = Int32(name) else { continue }
            try request(Request.seize, number, data: Request.marksCalls)
            try request(Request.interrupt, number)
            threads.append((number, false))
        }
        var count = 0
        var isReady = false
        let begin = ContinuousClock.now
        var lastStop = begin
        while !progress.withLock(\.isDone) {
            var hasStopped = false
            for index in threads.indices {
                var status: Int32 = 0
                let thread = threads[index].number
                guard unsafe waitpid(thread, &status, WNOHANG | Request.anyThread) > 0 else { continue }
                // Any other status means that the thread has ended.
                guard status & 0xFF == 0x7F else { continue }
                hasStopped = true
                var signal: Int32 = 0
                if status >> 8 == SIGTRAP | 0x80 {
                    threads[index].isInCall.toggle()
                    if threads[index].isInCall { count += 1 }
                } else if status >> 16 == 0 {
                    signal = status >> 8 & 0xFF
                }
                try request(Request.goOn, thread, data: Int(signal))
            }
            if hasStopped { lastStop = .now } else { PosixThread.sleep(.microseconds(20)) }
            // Either all threads now wait in system calls that have been counted already, or the process has not become
            // idle within a second. In both cases, the count for `body` begins now.
            if !isReady, lastStop.duration(to: .now) > .milliseconds(30) || begin.duration(to: .now) > .seconds(1) {
                count = 0
                isReady = true
                progress.withLock { $0.isReady = true }
                progress.notifyAll()
            }
        }
        return count
    }

    /// Codes for `ptrace` and `waitpid` that Swift does not import.
    private enum Request {
        static let seize = 0x4206
        static let interrupt = 0x4207
        static let goOn = 24
        /// Makes stops at system calls distinguishable from other stops (`PTRACE_O_TRACESYSGOOD`).
        static let marksCalls = 1
        /// Makes `waitpid` wait for threads as well as processes (`__WALL`).
        static let anyThread: Int32 = 0x4000_0000
    }

    private static func request(_ request: Int, _ thread: Int32, data: Int = 0) throws(SystemCallError) {
        let result = clinux_ptrace(request, thread, 0, data)
        // ESRCH is not a failure, because the thread may have ended before the request.
        if result < 0, result != -Int(ESRCH) { throw SystemCallError(code: Int32(clamping: -result), call: "ptrace") }
    }
}
