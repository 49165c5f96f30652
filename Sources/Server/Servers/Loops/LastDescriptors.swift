internal import LibUV
internal import SystemCalls

/// The last descriptors that the process may open, which a server on libuv does not use for clients.
///
/// libuv 1.44 closes clients silently once no descriptor is left. The server rejects them before that, so that they are
/// counted and logged.
enum LastDescriptors {
    private static let count = 4

    /// The descriptor limit of the process, if a connection has one of the last descriptors below it.
    ///
    /// The kernel hands out the lowest free number.
    static func limit(reachedBy descriptor: Int32) -> Int? {
        guard let limit = try? DescriptorLimit.current().soft, limit > count, Int(descriptor) >= limit - count else {
            return nil
        }
        return limit
    }
}
