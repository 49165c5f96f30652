internal import SystemCalls

/// Error messages, each of which is one line on standard error.
public enum ErrorLine {
    /// How long a message waits for a slow reader before it is dropped.
    private static let patience = Duration.seconds(1)

    /// Writes the program's name and the message, whose control characters are escaped.
    public static func write(_ program: String, _ message: String) {
        Console.writeError("\(program): \(EscapedText.escaping(message))\n", patience: patience)
    }

    /// Joins the lines of a message that swift-argument-parser made.
    ///
    /// - Parameter given: the texts from the command line or the environment that the message may contain. Control
    ///   characters in such a text are escaped, so that only the message's own line breaks are joined.
    public static func joined(_ message: String, given: [String]) -> String {
        var message = message
        // An argument can have the form `--option=value`, and the message may contain only the value. Therefore the
        // value is escaped separately, too.
        let texts = given.flatMap { [$0] + $0.split(separator: "=", maxSplits: 1).dropFirst().map(String.init) }
        for text in texts where text.unicodeScalars.contains(where: EscapedText.isControl) {
            message = message.split(separator: text, omittingEmptySubsequences: false)
                .joined(separator: EscapedText.escaping(text))
        }
        return message.split(separator: "\n").joined(separator: " ")
    }
}
