internal import CLibUV

/// The resources that a process or a thread has used so far (`uv_rusage_t`).
public struct UVResourceUsage: Hashable, Sendable {
    /// The processor time in the program, in whole microseconds.
    public let userTime: Duration
    /// The processor time in the kernel, in whole microseconds.
    public let systemTime: Duration
    /// The maximum resident memory in bytes.
    public let maximumResidentByteCount: UInt64
    /// The number of page faults that needed no I/O.
    public let minorPageFaultCount: UInt64
    /// The number of page faults that needed I/O.
    public let majorPageFaultCount: UInt64
    /// The number of blocks that were read from file systems.
    public let blockInputCount: UInt64
    /// The number of blocks that were written to file systems.
    public let blockOutputCount: UInt64
    /// The number of voluntary context switches.
    public let voluntaryContextSwitchCount: UInt64
    /// The number of involuntary context switches.
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
    /// The resources that the process has used so far (`uv_getrusage`).
    ///
    /// - Throws: a system error if the value is not available.
    public static var resourceUsage: UVResourceUsage {
        get throws(UVError) {
            var usage = uv_rusage_t()
            try unsafe check(uv_getrusage(&usage), "uv_getrusage")
            return UVResourceUsage(usage)
        }
    }

    /// The resources that the calling thread has used so far (`uv_getrusage_thread`).
    ///
    /// - Throws: `unimplemented` if libuv is older than 1.50; `notSupported` if the system does not count resources per
    ///   thread.
    public static var threadResourceUsage: UVResourceUsage {
        get throws(UVError) {
            var usage = uv_rusage_t()
            try unsafe check(cuv_getrusage_thread(&usage), "uv_getrusage_thread")
            return UVResourceUsage(usage)
        }
    }

    /// The resident memory of the process in bytes (`uv_resident_set_memory`).
    ///
    /// - Throws: a system error if the value is not available.
    public static var residentByteCount: Int {
        get throws(UVError) {
            var count = 0
            try unsafe check(uv_resident_set_memory(&count), "uv_resident_set_memory")
            return count
        }
    }
}
