import RealModule

/// How often each latency was met at each time: columns of time, rows of latency on a logarithmic scale.
///
/// `record` allocates nothing while no copy is alive.
public struct HeatMap: Hashable, Codable, Sendable {
    /// Whose latencies they are.
    public let variant: String
    /// Which latency it is.
    public let clock: LatencyClock
    /// How long a column is, in seconds.
    public let columnSeconds: Double
    /// How many columns there are.
    public let columns: Int
    /// How many rows there are.
    public let rows: Int
    /// Where the lowest row begins, in nanoseconds; what is shorter belongs to it too.
    public let lowestNanoseconds: Double
    /// Where the highest row ends; what is longer belongs to it too.
    public let highestNanoseconds: Double
    /// The counts, column by column, each from the lowest row up.
    public private(set) var counts: [UInt32]

    /// Makes an empty map; `nil` without columns or rows, or where the bounds are not in order above 0.
    public init?(
        variant: String, clock: LatencyClock, columns: Int, columnSeconds: Double, rows: Int,
        lowestNanoseconds: Double, highestNanoseconds: Double
    ) {
        guard columns > 0, rows > 0, columns <= 1_000_000 / rows, columnSeconds > 0, lowestNanoseconds > 0,
            highestNanoseconds > lowestNanoseconds, highestNanoseconds.isFinite
        else { return nil }
        self.variant = variant
        self.clock = clock
        self.columns = columns
        self.columnSeconds = columnSeconds
        self.rows = rows
        self.lowestNanoseconds = lowestNanoseconds
        self.highestNanoseconds = highestNanoseconds
        counts = [UInt32](repeating: 0, count: columns * rows)
    }

    /// Counts a latency at a time; what comes after the last column belongs to it.
    public mutating func record(atSeconds seconds: Double, nanoseconds: Double) {
        let column = HeatMap.place(seconds / columnSeconds, of: columns)
        let height = Double.log(max(nanoseconds, lowestNanoseconds) / lowestNanoseconds)
        let row = HeatMap.place(height / .log(highestNanoseconds / lowestNanoseconds) * Double(rows), of: rows)
        counts[column * rows + row] &+= 1
    }

    /// How often latencies of a row were met in a column; 0 beyond the map.
    public func count(column: Int, row: Int) -> UInt32 {
        guard (0..<columns).contains(column), (0..<rows).contains(row), counts.count == columns * rows else { return 0 }
        return counts[column * rows + row]
    }

    /// Where a row begins, in nanoseconds.
    public func floor(ofRow row: Int) -> Double {
        lowestNanoseconds * .exp(.log(highestNanoseconds / lowestNanoseconds) * Double(row) / Double(rows))
    }

    private static func place(_ position: Double, of count: Int) -> Int {
        position > 0 ? Int(min(position, Double(count - 1))) : 0
    }
}
