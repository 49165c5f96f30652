internal import Glibc

/// What the kernel counts of a process, this one or another.
public struct ProcessFigures: Sendable {
    /// Memory in use that is in RAM, in bytes.
    public let residentBytes: Int

    /// How many threads it has.
    public let threadCount: Int

    /// How often its threads gave a processor up, or were taken off it.
    public let contextSwitchCount: Int

    /// The number of this process (`getpid`).
    public static var ownIdentifier: Int32 { getpid() }

    /// Reads the figures of a process (`/proc/PID/status`).
    ///
    /// - Throws: `ENOENT` where the process is gone.
    public init(of processIdentifier: Int32) throws(SystemCallError) {
        let status = try TextFile.read("/proc/\(processIdentifier)/status")
        residentBytes = ProcessFigures.number(named: "VmRSS:", in: status) * 1024
        threadCount = ProcessFigures.number(named: "Threads:", in: status)
        contextSwitchCount = ProcessFigures.contextSwitches(of: processIdentifier)
    }

    private static func contextSwitches(of processIdentifier: Int32) -> Int {
        let threads = (try? TextFile.names(in: "/proc/\(processIdentifier)/task")) ?? []
        return threads.reduce(0) { count, thread in
            let status = (try? TextFile.read("/proc/\(processIdentifier)/task/\(thread)/status")) ?? ""
            return count + number(named: "voluntary_ctxt_switches:", in: status)
                + number(named: "nonvoluntary_ctxt_switches:", in: status)
        }
    }

    /// The time that a process has spent on processors, its threads that have ended included.
    ///
    /// The kernel's own count to the nanosecond, where `/proc/PID/stat` counts hundredths of a second
    /// (`clock_getcpuclockid`, `clock_gettime`).
    ///
    /// - Throws: `ESRCH` where the process is gone.
    public static func processorTime(of processIdentifier: Int32) throws(SystemCallError) -> Duration {
        var clock = clockid_t()
        let code = unsafe clock_getcpuclockid(processIdentifier, &clock)
        if code != 0 { throw SystemCallError(code: code, call: "clock_getcpuclockid") }
        var time = timespec()
        try system("clock_gettime") { unsafe clock_gettime(clock, &time) }
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }

    private static func number(named name: String, in status: String) -> Int {
        let line = status.split(separator: "\n").first { $0.hasPrefix(name) }?.dropFirst(name.count) ?? ""
        return Int(line.drop { !$0.isNumber }.prefix { $0.isNumber }) ?? 0
    }
}
