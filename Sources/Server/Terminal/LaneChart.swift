/// A chart with a lane for each client over a common time axis, which shows when the client waited and was served.
public struct LaneChart: Sendable {
    /// The lane of one client; times are relative to the beginning of the chart.
    public struct Lane: Sendable {
        /// The client's name.
        public var name: String
        /// The time at which the client began to connect.
        public var started: Duration
        /// The time at which the server greeted the client; `nil` if it never did.
        public var served: Duration?
        /// The time at which the client disconnected.
        public var ended: Duration
        /// Whether the client received every reply.
        public var succeeded: Bool

        /// Makes a lane.
        public init(name: String, started: Duration, served: Duration?, ended: Duration, succeeded: Bool) {
            self.name = name
            self.started = started
            self.served = served
            self.ended = ended
            self.succeeded = succeeded
        }
    }

    /// The characters that a chart is drawn with.
    public struct Marks: Sendable {
        let waiting: Character
        let served: Character

        /// Block elements.
        public static let blocks = Marks(waiting: "░", served: "█")
        /// ASCII only.
        public static let ascii = Marks(waiting: ".", served: "#")
    }

    private let lanes: [Lane]
    private let width: Int
    private let marks: Marks

    /// Makes a chart.
    ///
    /// - Parameters:
    ///   - lanes: the lanes, from top to bottom.
    ///   - width: the width in columns, at least 40.
    ///   - marks: the characters to draw with.
    public init(lanes: [Lane], width: Int, marks: Marks) {
        self.lanes = lanes
        self.width = max(40, width)
        self.marks = marks
    }

    /// Returns the lines of the chart: the lanes, the axis and the legend.
    public func lines() -> [String] {
        let nameWidth = lanes.map(\.name.count).max() ?? 0
        let columns = width - nameWidth - 3 - 8
        let total = max(lanes.map(\.ended).max() ?? .zero, .milliseconds(1))
        let rows = lanes.map { lane in
            let name = lane.name + String(repeating: " ", count: nameWidth - lane.name.count)
            return "\(name) |\(bar(lane, total: total, columns: columns))| \(lane.succeeded ? "done" : "failed")"
        }
        return rows + [axis(total: total, indent: nameWidth + 2, columns: columns), legend]
    }

    private func bar(_ lane: Lane, total: Duration, columns: Int) -> String {
        let start = column(lane.started, total, columns)
        let end = max(start, column(lane.ended, total, columns))
        let served = min(max(start, lane.served.map { column($0, total, columns) } ?? end), end)
        return String(repeating: " ", count: start) + String(repeating: marks.waiting, count: served - start)
            + String(repeating: marks.served, count: end - served) + String(repeating: " ", count: columns - end)
    }

    private func column(_ time: Duration, _ total: Duration, _ columns: Int) -> Int {
        min(columns, max(0, Int((time / total * Double(columns)).rounded())))
    }

    private func axis(total: Duration, indent: Int, columns: Int) -> String {
        let left = "0 s"
        let right = "\(total.tenths) s"
        let gap = max(1, columns - left.count - right.count)
        return String(repeating: " ", count: indent) + left + String(repeating: " ", count: gap) + right
    }

    private var legend: String { "\(marks.waiting) waiting   \(marks.served) served" }
}

extension Duration {
    /// Seconds with one digit after the point.
    public var tenths: String {
        let count = Int((self / .milliseconds(100)).rounded())
        return "\(count / 10).\(count % 10)"
    }
}
