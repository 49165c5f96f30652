internal import CLibUV

/// What a process or a thread has used of the machine so far (`uv_rusage_t`).
public struct UVResourceUsage: Hashable, Sendable {
    /// Processor time spent in the program, in microseconds.
    public let userTime: Duration
    /// Processor time spent in the kernel, in microseconds.
    public let systemTime: Duration
    /// The most memory that was resident at once, in bytes.
    public let maximumResidentByteCount: UInt64
    /// Page faults that were served without reading.
    public let minorPageFaultCount: UInt64
    /// Page faults that had to be read for.
    public let majorPageFaultCount: UInt64
    /// Blocks that were read from file systems.
    public let blockInputCount: UInt64
    /// Blocks that were written to file systems.
    public let blockOutputCount: UInt64
    /// How often it gave the processor up to wait.
    public let voluntaryContextSwitchCount: UInt64
    /// How often the processor was taken from it.
    public let involuntaryContextSwitchCount: UInt64

    init(_ usage: uv_rusage_t) {
        userTime = .seconds(usage.ru_utime.tv_sec) + .microseconds(usage.ru_utime.tv_usec)
        systemTime = .seconds(usage.ru_stime.tv_sec) + .microseconds(usage.ru_stime.tv_usec)
        #if os(Linux) || os(Android)
            maximumResidentByteCount = usage.ru_maxrss * 1024
        #else
            maximumResidentByteCount = usage.ru_maxrss
        #endif
        minorPageFaultCount = usage.ru_minflt
        majorPageFaultCount = usage.ru_majflt
        blockInputCount = usage.ru_inblock
        blockOutputCount = usage.ru_oublock
        voluntaryContextSwitchCount = usage.ru_nvcsw
        involuntaryContextSwitchCount = usage.ru_nivcsw
    }
}

extension UVCurrentProcess {
    /// What the process has used so far (`uv_getrusage`).
    ///
    /// - Throws: the system's code, where it does not tell.
    public static var resourceUsage: UVResourceUsage {
        get throws(UVError) {
            var usage = uv_rusage_t()
            try unsafe check(uv_getrusage(&usage), "uv_getrusage")
            return UVResourceUsage(usage)
        }
    }

    /// What the calling thread has used so far (`uv_getrusage_thread`).
    ///
    /// - Throws: `unimplemented` with a libuv before 1.50, `notSupported` on a system that does not count for threads.
    public static var threadResourceUsage: UVResourceUsage {
        get throws(UVError) {
            var usage = uv_rusage_t()
            try unsafe check(cuv_getrusage_thread(&usage), "uv_getrusage_thread")
            return UVResourceUsage(usage)
        }
    }

    /// How much memory of the process is resident, in bytes (`uv_resident_set_memory`).
    ///
    /// - Throws: the system's code, where it does not tell.
    public static var residentByteCount: Int {
        get throws(UVError) {
            var count = 0
            try unsafe check(uv_resident_set_memory(&count), "uv_resident_set_memory")
            return count
        }
    }
}
