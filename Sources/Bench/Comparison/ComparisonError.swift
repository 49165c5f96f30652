/// Why servers could not be compared.
public struct ComparisonError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What happened, to what.
    public let description: String

    /// Whether it is the conditions of the run that are not fit, and neither the servers nor the command.
    public let isUnfit: Bool

    /// Makes an error from what is to be told in one line.
    public init(_ description: String, isUnfit: Bool = false) {
        self.description = description
        self.isUnfit = isUnfit
    }
}
