internal import CLibUV

/// What libuv knows of the machine that the process runs on; callable from any thread.
public enum UVSystem {
    /// How many processors the process may use, at least one (`uv_available_parallelism`).
    ///
    /// The process' affinity is respected; a quota of a control group is not, as libuv looks at those from 1.49 on.
    public static var availableParallelism: Int { max(1, Int(clamping: uv_available_parallelism())) }

    /// How long the machine has been running, in whole seconds (`uv_uptime`).
    ///
    /// - Throws: the system's code, where it does not tell.
    public static var uptime: Duration {
        get throws(UVError) {
            var seconds = 0.0
            try unsafe check(uv_uptime(&seconds), "uv_uptime")
            return .seconds(Int64(seconds))
        }
    }

    /// How many tasks ran or waited to run on average in the last 1, 5 and 15 minutes (`uv_loadavg`).
    public static var loadAverages: (one: Double, five: Double, fifteen: Double) {
        var averages = (0.0, 0.0, 0.0)
        unsafe withUnsafeMutableBytes(of: &averages) { bytes in
            // Three numbers of eight bytes, one after the other, are what libuv writes.
            unsafe uv_loadavg(bytes.assumingMemoryBound(to: Double.self).baseAddress)
        }
        return averages
    }

    /// The machine's name in its network (`uv_os_gethostname`).
    ///
    /// - Throws: the system's code, where it does not tell.
    public static var hostName: String {
        get throws(UVError) {
            try unsafe SystemText.read("uv_os_gethostname") { unsafe uv_os_gethostname($0, $1) }
        }
    }

    /// The operating system's name and version (`uv_os_uname`).
    ///
    /// - Throws: the system's code, where it does not tell.
    public static var operatingSystem: OperatingSystem {
        get throws(UVError) {
            var name = uv_utsname_t()
            try unsafe check(uv_os_uname(&name), "uv_os_uname")
            return OperatingSystem(
                name: SystemText.text(of: &name.sysname), release: SystemText.text(of: &name.release),
                version: SystemText.text(of: &name.version), machine: SystemText.text(of: &name.machine))
        }
    }

    /// An operating system, as it names itself.
    public struct OperatingSystem: Hashable, Sendable {
        /// As in `Linux`.
        public let name: String
        /// The release of its kernel, as in `6.1.0`.
        public let release: String
        /// Which build of the release.
        public let version: String
        /// The machine's architecture, as in `x86_64`.
        public let machine: String
    }
}
