internal import LibUV
internal import SystemCalls

/// The last descriptors that the process may have, which no client is given.
///
/// libuv 1.44 turns clients away by itself, and without a word, once there is none; so that they can be counted and told,
/// it never comes to that.
enum LastDescriptors {
    private static let count = 4

    /// The limit of the process, where a connection has one of the last descriptors below it.
    ///
    /// The kernel gives out the lowest number that is free.
    static func limit(reachedBy stream: UVTCPStream) -> Int? {
        guard let number = stream.withSystemCalls({ $0 }), let limit = try? DescriptorLimit.current().soft,
            limit > count, Int(number) >= limit - count
        else { return nil }
        return limit
    }
}
