/// The reason servers could not be compared.
public struct ComparisonError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What failed, on what, and why, in one line.
    public let description: String

    /// Whether the cause is the conditions of the run, and neither a server nor the command line.
    public let isUnfit: Bool

    /// Makes an error from one line.
    public init(_ description: String, isUnfit: Bool = false) {
        self.description = description
        self.isUnfit = isUnfit
    }
}
