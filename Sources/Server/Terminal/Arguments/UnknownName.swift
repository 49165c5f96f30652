/// Makes the error message about an unknown name.
///
/// The message suggests the most similar known name.
public enum UnknownName {
    /// Returns the message, for example `unknown model 'libvu'; did you mean 'libuv'?`.
    public static func message(_ kind: String, _ name: String, among names: [String]) -> String {
        guard let nearest = nearest(to: name, among: names) else { return "unknown \(kind) '\(name)'" }
        return "unknown \(kind) '\(name)'; did you mean '\(nearest)'?"
    }

    /// Returns the name with the smallest edit distance from `name`, or `nil` if the list is empty.
    ///
    /// If several names have the smallest distance, the function returns the first of these names.
    static func nearest(to name: String, among names: [String]) -> String? {
        names.min { editDistance(name, $0) < editDistance(name, $1) }
    }

    /// Returns the smallest number of letters to insert, delete or replace that turns one word into the other
    /// (Levenshtein distance).
    static func editDistance(_ left: String, _ right: String) -> Int {
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
