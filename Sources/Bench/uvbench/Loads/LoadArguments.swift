public import ArgumentParser
import LoadGenerator
public import Measurements

extension ArrivalSchedule.Arrivals: ExpressibleByArgument {}

/// A size of messages, or a mix of sizes, on the command line.
struct PayloadSizesArgument: ExpressibleByArgument {
    let sizes: PayloadSizes

    init(byteCount: Int) {
        sizes = PayloadSizes(parsing: "\(byteCount)") ?? .smallest
    }

    init?(argument: String) {
        guard let sizes = PayloadSizes(parsing: argument) else { return nil }
        self.sizes = sizes
    }

    var defaultValueDescription: String { sizes.description }
}

/// A requirement on the command line.
struct RequirementArgument: ExpressibleByArgument {
    let requirement: Requirement

    init?(argument: String) {
        guard let requirement = Requirement(parsing: argument) else { return nil }
        self.requirement = requirement
    }
}

extension LoadConclusion {
    /// The exit code; `nil` for success.
    var exitCode: ExitCode? {
        switch self {
        case .held: nil
        case .failed: ExitCode(1)
        case .invalid: ExitCode(3)
        }
    }

    /// The sentences for standard error.
    var sentences: [String] {
        switch self {
        case .held: []
        case .failed(let sentences): sentences
        case .invalid(let reasons): reasons.map { "nothing can be concluded: \($0)" }
        }
    }
}
