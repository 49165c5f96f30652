import Clients

/// A chart of when each client waited and when it was served.
///
/// Each client has a lane, and all lanes share one time axis.
struct LaneChart {
    /// The characters for drawing a chart.
    struct Marks {
        let waiting: Character
        let served: Character

        /// The block elements of Unicode.
        static let blocks = Marks(waiting: "░", served: "█")
        /// ASCII characters.
        static let ascii = Marks(waiting: ".", served: "#")
    }

    /// The clients, from top to bottom.
    let clients: [SimulatedClient.Outcome]
    /// The width in columns; a smaller width than 40 counts as 40.
    let width: Int
    let marks: Marks

    /// Returns the lines of the chart: the lanes, the axis and the legend.
    func lines() -> [String] {
        let nameWidth = clients.map(\.name.count).max() ?? 0
        let columns = max(40, width) - nameWidth - 3 - 8
        let total = max(clients.map(\.ended).max() ?? .zero, .milliseconds(1))
        let lanes = clients.map { client in
            let name = client.name + String(repeating: " ", count: nameWidth - client.name.count)
            return "\(name) |\(bar(client, total, columns))| \(client.failure == nil ? "done" : "failed")"
        }
        let end = "\(total.tenths) s"
        let gap = max(1, columns - 3 - end.count)
        let axis = String(repeating: " ", count: nameWidth + 2) + "0 s" + String(repeating: " ", count: gap) + end
        return lanes + [axis, "\(marks.waiting) waiting   \(marks.served) served"]
    }

    private func bar(_ client: SimulatedClient.Outcome, _ total: Duration, _ columns: Int) -> String {
        func column(_ time: Duration) -> Int {
            min(columns, max(0, Int((time / total * Double(columns)).rounded())))
        }
        let start = column(client.started)
        let end = max(start, column(client.ended))
        let served = min(max(start, client.greeted.map(column) ?? end), end)
        return String(repeating: " ", count: start) + String(repeating: marks.waiting, count: served - start)
            + String(repeating: marks.served, count: end - served) + String(repeating: " ", count: columns - end)
    }
}

extension Duration {
    /// The duration in seconds, with one digit after the decimal point.
    var tenths: String {
        let count = Int((self / .milliseconds(100)).rounded())
        return "\(count / 10).\(count % 10)"
    }
}
