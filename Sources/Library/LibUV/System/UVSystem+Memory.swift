internal import CLibUV

extension UVSystem {
    /// The machine's memory in bytes, or 0 if it is unknown (`uv_get_total_memory`).
    public static var totalMemory: UInt64 { uv_get_total_memory() }

    /// The memory in bytes that is available without swapping, or 0 if it is unknown (`uv_get_free_memory`).
    public static var freeMemory: UInt64 { uv_get_free_memory() }

    /// The memory limit of the process's control group in bytes, or `nil` if there is no limit or the limit is unknown
    /// (`uv_get_constrained_memory`).
    public static var constrainedMemory: UInt64? {
        let limit = uv_get_constrained_memory()
        // A control group without a limit reports a number that no machine can reach.
        return limit == 0 || limit > UInt64(Int64.max) / 2 ? nil : limit
    }

    /// The memory in bytes that the process can still use within the limit of its control group
    /// (`uv_get_available_memory`).
    ///
    /// The value is `nil` if it is unknown, which is always the case with libuv before 1.45.
    public static var availableMemory: UInt64? {
        let available = cuv_available_memory()
        return available == 0 ? nil : available
    }
}
