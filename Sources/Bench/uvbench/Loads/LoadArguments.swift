public import ArgumentParser
public import LoadGenerator
public import Measurements

extension ArrivalSchedule.Arrivals: ExpressibleByArgument {}

extension PayloadSizes: ExpressibleByArgument {
    /// Parses a message size, or a mix of sizes.
    public init?(argument: String) { self.init(parsing: argument) }
}

extension Requirement: ExpressibleByArgument {
    /// Parses a requirement, for example `p99<5ms`.
    public init?(argument: String) { self.init(parsing: argument) }
}

extension LoadConclusion {
    /// The outcome that the program reports for the conclusion.
    var outcome: Outcome {
        switch self {
        case .held: Outcome()
        case .failed(let sentences): Outcome(failures: sentences)
        case .invalid(let reasons): Outcome(objections: reasons)
        }
    }
}
