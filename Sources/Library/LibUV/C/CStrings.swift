// Texts as C has them: ended by a zero, which they cannot contain.

enum CStrings {
    /// Refuses texts that C would read shorter than they are.
    ///
    /// - Throws: `invalidArgument` where one contains a zero.
    static func check(_ texts: [String], _ operation: String) throws(UVError) {
        for text in texts where text.utf8.contains(0) { throw UVError(.invalidArgument, operation: operation) }
    }

    /// Calls `body` with two texts, either of which may be missing.
    static func with<Outcome>(
        _ first: String?, _ second: String?, _ body: (UnsafePointer<CChar>?, UnsafePointer<CChar>?) -> Outcome
    ) -> Outcome {
        unsafe with(first) { first in unsafe with(second) { second in unsafe body(first, second) } }
    }

    /// Calls `body` with a text that may be missing.
    private static func with<Outcome>(_ text: String?, _ body: (UnsafePointer<CChar>?) -> Outcome) -> Outcome {
        guard let text else { return body(nil) }
        return unsafe text.withCString { unsafe body($0) }
    }
}
