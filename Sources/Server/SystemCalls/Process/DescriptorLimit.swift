internal import Glibc

/// How many descriptors the process may have open (`RLIMIT_NOFILE`).
public enum DescriptorLimit {
    /// The limit in force, and the one that it may be raised to.
    public static func current() throws(SystemCallError) -> (soft: Int, hard: Int) {
        var limit = rlimit()
        try system("getrlimit") { unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) }
        return (Int(clamping: limit.rlim_cur), Int(clamping: limit.rlim_max))
    }

    /// Sets the limit in force, at most to the hard one.
    public static func set(soft: Int) throws(SystemCallError) {
        var limit = rlimit()
        try system("getrlimit") { unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) }
        limit.rlim_cur = min(rlim_t(clamping: soft), limit.rlim_max)
        try system("setrlimit") { unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) }
    }
}
