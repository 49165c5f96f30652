public import ArgumentParser
public import LoadGenerator
public import Measurements

extension ArrivalSchedule.Arrivals: ExpressibleByArgument {}

extension PayloadSizes: ExpressibleByArgument {
    /// Parses a size of messages, or a mix of sizes.
    public init?(argument: String) { self.init(parsing: argument) }
}

extension Requirement: ExpressibleByArgument {
    /// Parses a requirement.
    public init?(argument: String) { self.init(parsing: argument) }
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
