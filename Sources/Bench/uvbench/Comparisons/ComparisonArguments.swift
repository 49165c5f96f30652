public import ArgumentParser
public import Measurements

extension LatencyClock: ExpressibleByArgument {}

extension Percentile {
    /// A percentile that is given in per cent; `nil` where there is none.
    init?(percent: Double) {
        guard percent >= 0, percent < 100, let millionths = Int(exactly: (percent * 10_000).rounded()) else {
            return nil
        }
        self.init(millionths: millionths)
    }
}

/// What a comparison must say of each candidate.
enum RequiredVerdict: String, ExpressibleByArgument {
    /// It is faster than the reference.
    case faster
    /// It does not differ by more than the margin.
    case equivalent
    /// It is faster or does not differ.
    case notSlower = "not-slower"

    /// Whether a verdict fulfils it; `nil` where the verdict does not tell.
    func isMet(by verdict: Verdict) -> Bool? {
        switch (self, verdict) {
        case (_, .undecided): nil
        case (.faster, .faster), (.equivalent, .equivalent), (.notSlower, .faster), (.notSlower, .equivalent): true
        default: false
        }
    }
}

/// A word as a shell takes it.
enum ShellWord {
    static func quoted(_ word: String) -> String {
        let isPlain = !word.isEmpty && word.allSatisfy { $0.isLetter || $0.isNumber || "-_=:./,%@+".contains($0) }
        return isPlain
            ? word : "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }
}
