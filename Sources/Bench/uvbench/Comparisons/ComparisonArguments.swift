public import ArgumentParser
public import Measurements

extension LatencyClock: ExpressibleByArgument {}

/// The verdict that every candidate must get.
enum RequiredVerdict: String, ExpressibleByArgument {
    /// Faster than the reference.
    case faster
    /// Within the margin.
    case equivalent
    /// Faster, or within the margin.
    case notSlower = "not-slower"

    /// Whether a verdict meets the requirement; `nil` if it is undecided.
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
