// Conversions to C strings, which end at the first zero byte, so a text must not contain one.

enum CStrings {
    /// Throws an error if a text contains a zero byte, at which C would end the string.
    ///
    /// - Throws: `invalidArgument` if a text contains a zero byte.
    static func check(_ texts: [String], _ operation: String) throws(UVError) {
        for text in texts where text.utf8.contains(0) { throw UVError(.invalidArgument, operation: operation) }
    }

    /// Calls `body` with two texts as C strings.
    ///
    /// Each text may be `nil`.
    static func with<Outcome>(
        _ first: String?, _ second: String?, _ body: (UnsafePointer<CChar>?, UnsafePointer<CChar>?) -> Outcome
    ) -> Outcome {
        unsafe with(first) { first in unsafe with(second) { second in unsafe body(first, second) } }
    }

    /// Calls `body` with a text as a C string.
    ///
    /// The text may be `nil`.
    private static func with<Outcome>(_ text: String?, _ body: (UnsafePointer<CChar>?) -> Outcome) -> Outcome {
        guard let text else { return body(nil) }
        return unsafe text.withCString { unsafe body($0) }
    }
}
