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
    /// The conclusion as the program reports it.
    var outcome: Outcome {
        switch self {
        case .held: Outcome()
        case .failed(let sentences): Outcome(failures: sentences)
        case .invalid(let reasons): Outcome(objections: reasons)
        }
    }
}
