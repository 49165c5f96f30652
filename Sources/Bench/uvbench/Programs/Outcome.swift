import ArgumentParser
import SystemCalls

/// The outcome of a measurement: its exit code, and the sentences about it.
struct Outcome {
    /// Wrong replies, and requirements that do not hold.
    var failures: [String] = []
    /// Reasons why nothing can be concluded.
    var objections: [String] = []

    /// Writes the sentences to standard error.
    ///
    /// - Throws: the exit code, unless it is 0. Wrong replies count even if nothing can be concluded.
    func report() throws {
        for sentence in failures + objections.map({ "nothing can be concluded: \($0)" }) {
            Console.writeError("uvbench: \(sentence)\n")
        }
        if !failures.isEmpty { throw ExitCode(1) }
        if !objections.isEmpty { throw ExitCode(3) }
    }
}
