/// Checks the name of a node before it is passed to libuv.
enum NodeName {
    /// The maximum length of a name in the domain name system, which is also libuv's limit.
    private static let limit = 255

    /// Throws an error for a name that may be too long.
    ///
    /// libuv before 1.48 truncates a longer name and resolves the truncated name, which may be the name of another node
    /// (CVE-2024-24806).
    ///
    /// - Throws: `invalidArgument` if the name may be too long.
    static func check(_ name: String, _ operation: String) throws(UVError) {
        let length = name.split(separator: ".", omittingEmptySubsequences: false).reduce(-1) {
            $0 + 1 + encodedLength($1)
        }
        if length > limit { throw UVError(.invalidArgument, operation: operation) }
    }

    /// The maximum length of a label in libuv's encoding (Punycode, RFC 3492).
    ///
    /// Encoding adds five characters to a label with non-ASCII characters, and turns each non-ASCII character into at
    /// most seven characters.
    private static func encodedLength(_ label: Substring) -> Int {
        let others = label.unicodeScalars.count { !$0.isASCII }
        return others == 0 ? label.utf8.count : 5 + label.unicodeScalars.count + 6 * others
    }
}
