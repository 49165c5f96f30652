internal import CLibUV

extension UVSystem {
    /// The machine's memory in bytes (`uv_get_total_memory`); 0 where it cannot be told.
    public static var totalMemory: UInt64 { uv_get_total_memory() }

    /// The memory that could be given out without swapping, in bytes (`uv_get_free_memory`); 0 where it cannot be told.
    public static var freeMemory: UInt64 { uv_get_free_memory() }

    /// The limit that the process' control group sets on its memory, in bytes (`uv_get_constrained_memory`); `nil`
    /// where there is none, or it cannot be told.
    public static var constrainedMemory: UInt64? {
        let limit = uv_get_constrained_memory()
        // A group without a limit has one that no machine can reach.
        return limit == 0 || limit > UInt64(Int64.max) / 2 ? nil : limit
    }

    /// The memory that the process may still take, in bytes, its control group's limit respected
    /// (`uv_get_available_memory`); `nil` where it cannot be told, as always with a libuv before 1.45.
    public static var availableMemory: UInt64? {
        let available = cuv_available_memory()
        return available == 0 ? nil : available
    }
}
