public import ArgumentParser
public import Measurements

extension LatencyClock: ExpressibleByArgument {}

/// The argument of `--require`: the verdict that every candidate must get.
enum RequiredVerdict: String, ExpressibleByArgument {
    /// The candidate must be faster than the reference.
    case faster
    /// The difference must lie within the margin.
    case equivalent
    /// The candidate must be faster, or the difference must lie within the margin.
    case notSlower = "not-slower"

    /// Returns whether a verdict meets the requirement; `nil` if the verdict is undecided.
    func isMet(by verdict: Verdict) -> Bool? {
        switch (self, verdict) {
        case (_, .undecided): nil
        case (.faster, .faster), (.equivalent, .equivalent), (.notSlower, .faster), (.notSlower, .equivalent): true
        default: false
        }
    }
}

/// Quotes words for a shell.
enum ShellWord {
    static func quoted(_ word: String) -> String {
        let isPlain = !word.isEmpty && word.allSatisfy { $0.isLetter || $0.isNumber || "-_=:./,%@+".contains($0) }
        return isPlain
            ? word : "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }
}
