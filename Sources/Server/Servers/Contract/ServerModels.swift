/// The models that this package has, in the order of the series.
public enum ServerModels {
    /// Every model.
    public static let all: [ServerModel] = [
        .sequential, .threads, .threadPool, .select, .poll, .epoll, .libuv, .libuvEager, .libuvLoops, .async,
    ]

    /// The model with a name.
    public static func named(_ name: String) -> ServerModel? { all.first { $0.name == name } }

    /// The name of a model that is most like a given one, for those who have mistyped it.
    public static func nearestName(to name: String) -> String {
        all.map(\.name).min { distance(name, $0) < distance(name, $1) } ?? ""
    }

    /// How many letters must be added, dropped or changed to turn one word into the other.
    static func distance(_ left: String, _ right: String) -> Int {
        let right = Array(right)
        var row = Array(0...right.count)
        for (i, letter) in left.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for j in right.indices {
                let substituted = diagonal + (letter == right[j] ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(substituted, row[j] + 1, row[j + 1] + 1)
            }
        }
        return row[right.count]
    }
}
