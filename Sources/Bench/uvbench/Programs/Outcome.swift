import ArgumentParser
import Terminal

/// The outcome of a measurement, which determines the exit code and the messages.
struct Outcome {
    /// Sentences about wrong replies and about requirements that are not met.
    var failures: [String] = []
    /// Reasons why no conclusion is possible.
    var objections: [String] = []

    /// Writes the messages to standard error.
    ///
    /// - Throws: the exit code, unless it is 0. If there are failures, the exit code is 1 even if no conclusion is
    ///   possible.
    func report() throws {
        for sentence in failures + objections.map({ "no conclusion is possible: \($0)" }) {
            ErrorLine.write("uvbench", sentence)
        }
        if !failures.isEmpty { throw ExitCode(1) }
        if !objections.isEmpty { throw ExitCode(3) }
    }
}
