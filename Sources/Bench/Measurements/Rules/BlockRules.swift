/// How many blocks, and how many requests in each, a verdict takes.
public enum BlockRules {
    /// The fewest blocks.
    public static let minBlocks = 12
    /// The blocks where nothing else is asked for.
    public static let defaultBlocks = 20
    /// The fewest requests for each variant in each block.
    public static let minRequests = 400

    /// What is missing for a verdict; empty where nothing is.
    ///
    /// - Parameter requestCounts: how many requests each block gave to each variant.
    public static func shortfalls(requestCounts: [[UInt64]]) -> [String] {
        var shortfalls: [String] = []
        if requestCounts.count < minBlocks {
            shortfalls.append("\(requestCounts.count) blocks, where a verdict takes \(minBlocks)")
        }
        let small = requestCounts.filter { $0.contains { $0 < UInt64(minRequests) } }
        if let fewest = small.flatMap({ $0 }).min() {
            shortfalls.append(
                "\(small.count) of \(requestCounts.count) blocks with fewer than \(minRequests) requests for a variant "
                    + "(down to \(fewest))")
        }
        return shortfalls
    }
}
