internal import CLibUV

/// What libuv knows of the machine that the process runs on.
public enum UVSystem {
    /// How many processors the process may use, at least one (`uv_available_parallelism`).
    ///
    /// The process' affinity is respected; a quota of a control group is not, as libuv looks at those from 1.49 on.
    public static var availableParallelism: Int { max(1, Int(clamping: uv_available_parallelism())) }
}
