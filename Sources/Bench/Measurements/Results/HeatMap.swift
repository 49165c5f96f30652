import RealModule

/// A histogram of latencies over time: columns of time, rows of latency on a logarithmic scale.
///
/// `record` does not allocate while there is no other copy.
public struct HeatMap: Hashable, Codable, Sendable {
    /// The name of the server.
    public let variant: String
    /// The latency that was measured.
    public let clock: LatencyClock
    /// The length of a column, in seconds.
    public let columnSeconds: Double
    /// The number of columns.
    public let columns: Int
    /// The number of rows.
    public let rows: Int
    /// The lower end of the lowest row, in nanoseconds; shorter latencies count in this row.
    public let lowestNanoseconds: Double
    /// The upper end of the highest row, in nanoseconds; longer latencies count in this row.
    public let highestNanoseconds: Double
    /// The counts, column by column, each from the lowest row up.
    public private(set) var counts: [UInt32]

    /// Makes an empty map; `nil` without columns or rows, or unless 0 < lowest < highest.
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

    /// Counts a latency; times after the last column count in the last column.
    public mutating func record(atSeconds seconds: Double, nanoseconds: Double) {
        let column = HeatMap.place(seconds / columnSeconds, of: columns)
        let height = Double.log(max(nanoseconds, lowestNanoseconds) / lowestNanoseconds)
        let row = HeatMap.place(height / .log(highestNanoseconds / lowestNanoseconds) * Double(rows), of: rows)
        counts[column * rows + row] &+= 1
    }

    /// The number of latencies in a cell; 0 outside the map.
    public func count(column: Int, row: Int) -> UInt32 {
        guard (0..<columns).contains(column), (0..<rows).contains(row), counts.count == columns * rows else { return 0 }
        return counts[column * rows + row]
    }

    /// The lower end of a row, in nanoseconds.
    public func floor(ofRow row: Int) -> Double {
        lowestNanoseconds * .exp(.log(highestNanoseconds / lowestNanoseconds) * Double(row) / Double(rows))
    }

    private static func place(_ position: Double, of count: Int) -> Int {
        position > 0 ? Int(min(position, Double(count - 1))) : 0
    }
}
