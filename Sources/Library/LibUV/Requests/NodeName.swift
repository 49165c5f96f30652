/// The name of a node, before libuv gets it.
enum NodeName {
    /// The longest name that the domain name system has, and that libuv has room for.
    private static let limit = 255

    /// Refuses a name that may be too long.
    ///
    /// libuv before 1.48 cuts a longer name and resolves what is left of it: the name of another node, perhaps
    /// (CVE-2024-24806).
    ///
    /// - Throws: `invalidArgument`.
    static func check(_ name: String, _ operation: String) throws(UVError) {
        let length = name.split(separator: ".", omittingEmptySubsequences: false).reduce(-1) {
            $0 + 1 + encodedLength($1)
        }
        if length > limit { throw UVError(.invalidArgument, operation: operation) }
    }

    /// The most that a label takes in the form that libuv gives it: with others than ASCII, five characters more, and
    /// at most seven for each of the others (RFC 3492).
    private static func encodedLength(_ label: Substring) -> Int {
        let others = label.unicodeScalars.count { !$0.isASCII }
        return others == 0 ? label.utf8.count : 5 + label.unicodeScalars.count + 6 * others
    }
}
