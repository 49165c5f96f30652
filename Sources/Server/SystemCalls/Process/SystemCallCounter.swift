internal import CLinux
internal import Glibc
internal import Synchronization

/// Counts the system calls that a child process makes (`ptrace`).
///
/// Counting makes each call slower by several microseconds, so do not measure times during it. Only threads that exist
/// at the beginning are counted.
public enum SystemCallCounter {
    private final class Exchange: Sendable {
        let isReady = Atomic<Bool>(false)
        let isDone = Atomic<Bool>(false)
        let count = Atomic<Int>(0)
        let failure = Atomic<Int>(0)
    }

    /// Counts calls while `body` runs.
    ///
    /// Counting begins when the process has made no call for 30 ms, at the latest after one second.
    ///
    /// - Throws: `EPERM` if the system does not allow tracing.
    public static func count(
        of processIdentifier: Int32, while body: () throws(SystemCallError) -> Void
    ) throws(SystemCallError) -> Int {
        let exchange = Exchange()
        // Tracing belongs to one thread and stops when that thread ends.
        let tracer = try PosixThread {
            do throws(SystemCallError) { try trace(processIdentifier, exchange) } catch {
                exchange.failure.store(Int(error.code), ordering: .relaxed)
            }
            exchange.isReady.store(true, ordering: .releasing)
        }
        while !exchange.isReady.load(ordering: .acquiring) { PosixThread.sleep(.milliseconds(1)) }
        var outcome: Result<Void, SystemCallError> = .success(())
        if exchange.failure.load(ordering: .relaxed) == 0 {
            do throws(SystemCallError) { try body() } catch { outcome = .failure(error) }
        }
        exchange.isDone.store(true, ordering: .releasing)
        tracer.join()
        let failure = exchange.failure.load(ordering: .relaxed)
        if failure != 0 { throw SystemCallError(code: Int32(clamping: failure), call: "ptrace") }
        try outcome.get()
        return exchange.count.load(ordering: .relaxed)
    }

    /// Traces the process until `isDone`, on a thread of its own.
    private static func trace(_ process: Int32, _ exchange: Exchange) throws(SystemCallError) {
        var threads: [(number: Int32, isInCall: Bool)] = []
        for name in try TextFile.names(in: "/proc/\(process)/task") {
            guard let number = Int32(name) else { continue }
            try request(Request.seize, number, data: Request.marksCalls)
            try request(Request.interrupt, number)
            threads.append((number, false))
        }
        var count = 0
        let begin = ContinuousClock.now
        var lastStop = begin
        while !exchange.isDone.load(ordering: .acquiring) {
            var hasStopped = false
            for index in threads.indices {
                var status: Int32 = 0
                let thread = threads[index].number
                guard unsafe waitpid(thread, &status, WNOHANG | Request.anyThread) > 0 else { continue }
                // The thread has ended.
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
            // All threads wait in calls that were counted before `body` begins, or they never become idle.
            if !exchange.isReady.load(ordering: .relaxed),
                lastStop.duration(to: .now) > .milliseconds(30) || begin.duration(to: .now) > .seconds(1)
            {
                count = 0
                exchange.isReady.store(true, ordering: .releasing)
            }
        }
        exchange.count.store(count, ordering: .relaxed)
    }

    /// Requests of `ptrace`, which Swift does not import.
    private enum Request {
        static let seize = 0x4206
        static let interrupt = 0x4207
        static let goOn = 24
        /// Marks stops at system calls (`PTRACE_O_TRACESYSGOOD`).
        static let marksCalls = 1
        /// `__WALL`.
        static let anyThread: Int32 = 0x4000_0000
    }

    private static func request(_ request: Int, _ thread: Int32, data: Int = 0) throws(SystemCallError) {
        let result = clinux_ptrace(request, thread, 0, data)
        // The thread may have ended meanwhile.
        if result < 0, result != -Int(ESRCH) { throw SystemCallError(code: Int32(clamping: -result), call: "ptrace") }
    }
}
