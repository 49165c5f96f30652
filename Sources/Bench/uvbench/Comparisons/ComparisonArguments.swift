public import ArgumentParser
public import Measurements

extension LatencyClock: ExpressibleByArgument {}

extension Percentile {
    /// Makes a percentile from per cent; `nil` unless it is at least 0 and below 100.
    init?(percent: Double) {
        guard percent >= 0, percent < 100, let millionths = Int(exactly: (percent * 10_000).rounded()) else {
            return nil
        }
        self.init(millionths: millionths)
    }
}

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
