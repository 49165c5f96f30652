import RealModule

/// The number of requests by time and latency.
///
/// Columns are periods of time, and rows are ranges of latency on a logarithmic scale.
///
/// `record` does not allocate, provided that no copy of the map exists.
public struct HeatMap: Hashable, Codable, Sendable {
    /// The name of the server.
    public let variant: String
    /// The kind of latency that was measured.
    public let clock: LatencyClock
    /// The length of a column, in seconds.
    public let columnSeconds: Double
    /// The number of columns.
    public let columns: Int
    /// The number of rows.
    public let rows: Int
    /// The lower limit of the lowest row, in nanoseconds.
    ///
    /// Shorter latencies are counted in this row.
    public let lowestNanoseconds: Double
    /// The upper limit of the highest row, in nanoseconds.
    ///
    /// Longer latencies are counted in this row.
    public let highestNanoseconds: Double
    /// The counts of all cells: column by column, and from the lowest row to the highest in each column.
    public private(set) var counts: [UInt32]

    /// Makes an empty map.
    ///
    /// Returns `nil` if a number is not above 0, if the lowest latency is not below the highest, if the highest latency
    /// is not finite, or if the map would have more than a million cells.
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

    /// Counts a latency.
    ///
    /// A time after the last column is counted in the last column.
    public mutating func record(atSeconds seconds: Double, nanoseconds: Double) {
        let column = HeatMap.place(seconds / columnSeconds, of: columns)
        let height = Double.log(max(nanoseconds, lowestNanoseconds) / lowestNanoseconds)
        let row = HeatMap.place(height / .log(highestNanoseconds / lowestNanoseconds) * Double(rows), of: rows)
        counts[column * rows + row] &+= 1
    }

    /// Returns the number of latencies in a cell; 0 outside the map.
    public func count(column: Int, row: Int) -> UInt32 {
        guard (0..<columns).contains(column), (0..<rows).contains(row), counts.count == columns * rows else { return 0 }
        return counts[column * rows + row]
    }

    /// Returns the lower limit of a row, in nanoseconds.
    public func floor(ofRow row: Int) -> Double {
        lowestNanoseconds * .exp(.log(highestNanoseconds / lowestNanoseconds) * Double(row) / Double(rows))
    }

    private static func place(_ position: Double, of count: Int) -> Int {
        position > 0 ? Int(min(position, Double(count - 1))) : 0
    }
}
