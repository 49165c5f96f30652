internal import CLibUV

/// Properties of the machine on which the process runs.
///
/// Callable from any thread.
public enum UVSystem {
    /// The number of processors that the process may use, which is at least one (`uv_available_parallelism`).
    ///
    /// The number respects the processor affinity of the process. It respects the quota of a control group only with
    /// libuv 1.49 or later.
    public static var availableParallelism: Int { max(1, Int(clamping: uv_available_parallelism())) }

    /// The time since the machine started, in whole seconds (`uv_uptime`).
    ///
    /// - Throws: a system error if the value is not available.
    public static var uptime: Duration {
        get throws(UVError) {
            var seconds = 0.0
            try unsafe check(uv_uptime(&seconds), "uv_uptime")
            return .seconds(Int64(seconds))
        }
    }

    /// The average numbers of tasks that ran or were ready to run in the last 1, 5 and 15 minutes (`uv_loadavg`).
    public static var loadAverages: (one: Double, five: Double, fifteen: Double) {
        var averages = (0.0, 0.0, 0.0)
        unsafe withUnsafeMutableBytes(of: &averages) { bytes in
            // libuv writes three adjacent numbers of eight bytes each.
            unsafe uv_loadavg(bytes.assumingMemoryBound(to: Double.self).baseAddress)
        }
        return averages
    }

    /// The host name of the machine (`uv_os_gethostname`).
    ///
    /// - Throws: a system error if the value is not available.
    public static var hostName: String {
        get throws(UVError) {
            try unsafe SystemText.read("uv_os_gethostname") { unsafe uv_os_gethostname($0, $1) }
        }
    }

    /// The name and the version of the operating system (`uv_os_uname`).
    ///
    /// - Throws: a system error if the value is not available.
    public static var operatingSystem: OperatingSystem {
        get throws(UVError) {
            var name = uv_utsname_t()
            try unsafe check(uv_os_uname(&name), "uv_os_uname")
            return OperatingSystem(
                name: SystemText.text(of: &name.sysname), release: SystemText.text(of: &name.release),
                version: SystemText.text(of: &name.version), machine: SystemText.text(of: &name.machine))
        }
    }

    /// The names with which an operating system describes itself.
    public struct OperatingSystem: Hashable, Sendable {
        /// The name of the system, for example `Linux`.
        public let name: String
        /// The release of the kernel, for example `6.1.0`.
        public let release: String
        /// The build of the release.
        public let version: String
        /// The architecture of the machine, for example `x86_64`.
        public let machine: String
    }
}
