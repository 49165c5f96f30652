internal import Glibc

/// The resources that the process with a given identifier uses.
public struct ProcessUsage: Sendable {
    /// Resident memory in bytes.
    public let residentBytes: Int

    /// The number of threads.
    public let threadCount: Int

    /// The total number of voluntary and involuntary context switches of all threads.
    public let contextSwitchCount: Int

    /// The identifier of this process (`getpid`).
    public static var ownIdentifier: Int32 { getpid() }

    /// Reads the resource usage of a process from the kernel (`/proc/PID/status`).
    ///
    /// - Throws: `ENOENT` if the process has ended.
    public init(of processIdentifier: Int32) throws(SystemCallError) {
        let status = try TextFile.read("/proc/\(processIdentifier)/status")
        residentBytes = ProcessUsage.number(named: "VmRSS:", in: status) * 1024
        threadCount = ProcessUsage.number(named: "Threads:", in: status)
        contextSwitchCount = ProcessUsage.contextSwitches(of: processIdentifier)
    }

    private static func contextSwitches(of processIdentifier: Int32) -> Int {
        let threads = (try? TextFile.names(in: "/proc/\(processIdentifier)/task")) ?? []
        return threads.reduce(0) { count, thread in
            let status = (try? TextFile.read("/proc/\(processIdentifier)/task/\(thread)/status")) ?? ""
            return count + number(named: "voluntary_ctxt_switches:", in: status)
                + number(named: "nonvoluntary_ctxt_switches:", in: status)
        }
    }

    /// The processor time of a process, including threads that have ended (`clock_getcpuclockid`, `clock_gettime`).
    ///
    /// The result has a resolution of a nanosecond, whereas the times in `/proc/PID/stat` have a resolution of 10 ms.
    ///
    /// - Throws: `ESRCH` if the process has ended.
    public static func processorTime(of processIdentifier: Int32) throws(SystemCallError) -> Duration {
        var clock = clockid_t()
        let code = unsafe clock_getcpuclockid(processIdentifier, &clock)
        if code != 0 { throw SystemCallError(code: code, call: "clock_getcpuclockid") }
        var time = timespec()
        try system("clock_gettime") { unsafe clock_gettime(clock, &time) }
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }

    static func number(named name: String, in status: String) -> Int {
        let line = status.split(separator: "\n").first { $0.hasPrefix(name) }?.dropFirst(name.count) ?? ""
        return Int(line.drop { !$0.isNumber }.prefix { $0.isNumber }) ?? 0
    }
}
