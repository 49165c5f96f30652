internal import Glibc

/// The process's limit on open descriptors (`RLIMIT_NOFILE`).
public enum DescriptorLimit {
    /// Returns the soft limit and the hard limit.
    ///
    /// The kernel enforces the soft limit. The hard limit is the highest possible soft limit.
    public static func current() throws(SystemCallError) -> (soft: Int, hard: Int) {
        var limit = rlimit()
        try system("getrlimit") { unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) }
        return (Int(clamping: limit.rlim_cur), Int(clamping: limit.rlim_max))
    }

    /// Sets the soft limit to `soft` or to the hard limit, whichever is smaller.
    public static func set(soft: Int) throws(SystemCallError) {
        var limit = rlimit()
        try system("getrlimit") { unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) }
        limit.rlim_cur = min(rlim_t(clamping: soft), limit.rlim_max)
        try system("setrlimit") { unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) }
    }
}
