/// A table in plain text, in which each column is as wide as its longest cell.
public struct TextTable: Sendable {
    private let head: [String]
    private var rows: [[String]] = []

    /// Makes a table without rows.
    public init(head: [String]) { self.head = head }

    /// Appends a row.
    ///
    /// Missing cells become empty cells, and cells beyond the last column of the header row are dropped.
    public mutating func append(_ row: [String]) {
        rows.append(head.indices.map { $0 < row.count ? row[$0] : "" })
    }

    /// Returns the lines of the table.
    ///
    /// The first column is left-aligned, and the other columns are right-aligned.
    public func lines() -> [String] {
        let widths = head.indices.map { column in ([head] + rows).map { $0[column].count }.max() ?? 0 }
        return ([head] + rows).map { row in
            let cells = row.indices.map { column in
                let space = String(repeating: " ", count: widths[column] - row[column].count)
                return column == 0 ? row[column] + space : space + row[column]
            }
            return TextTable.trimmed(cells.joined(separator: "  "))
        }
    }

    private static func trimmed(_ line: String) -> String {
        var line = line
        while line.last == " " { line.removeLast() }
        return line
    }
}
