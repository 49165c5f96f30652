internal import CLibUV

extension UVSystem {
    /// The memory of the machine in bytes, or 0 if it is unknown (`uv_get_total_memory`).
    public static var totalMemory: UInt64 { uv_get_total_memory() }

    /// The memory that is available without swapping in bytes, or 0 if it is unknown (`uv_get_free_memory`).
    public static var freeMemory: UInt64 { uv_get_free_memory() }

    /// The memory limit of the control group of the process in bytes, or `nil` if there is no limit or it is unknown
    /// (`uv_get_constrained_memory`).
    public static var constrainedMemory: UInt64? {
        let limit = uv_get_constrained_memory()
        // A control group without a limit reports a number that no machine can reach.
        return limit == 0 || limit > UInt64(Int64.max) / 2 ? nil : limit
    }

    /// The memory that the process can still use in bytes, within the limit of its control group
    /// (`uv_get_available_memory`).
    ///
    /// It is `nil` if it is unknown, which is always the case with libuv before 1.45.
    public static var availableMemory: UInt64? {
        let available = cuv_available_memory()
        return available == 0 ? nil : available
    }
}
