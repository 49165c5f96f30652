/// The number of blocks that a verdict needs, and the number of requests that each block needs.
public enum BlockRules {
    /// The minimum number of blocks.
    public static let minBlocks = 12
    /// The default number of blocks.
    public static let defaultBlocks = 20
    /// The minimum number of requests to each server in each block.
    public static let minRequests = 400

    /// Returns the reasons why there are too few blocks or requests for a verdict; empty if there are enough.
    ///
    /// - Parameter requestCounts: for each block, the number of requests to each server.
    public static func shortfalls(requestCounts: [[UInt64]]) -> [String] {
        var shortfalls: [String] = []
        if requestCounts.count < minBlocks {
            shortfalls.append("a verdict needs \(minBlocks) blocks (there are \(requestCounts.count))")
        }
        let small = requestCounts.filter { $0.contains { $0 < UInt64(minRequests) } }
        if let fewest = small.flatMap({ $0 }).min() {
            shortfalls.append(
                "a verdict needs \(minRequests) requests per server in each block "
                    + "(\(small.count) of \(requestCounts.count) blocks have fewer, down to \(fewest))")
        }
        return shortfalls
    }
}
