/// The reason why servers could not be compared.
public struct ComparisonError: Error, Hashable, Sendable, CustomStringConvertible {
    /// One line that states what failed, on what, and why.
    public let description: String

    /// Whether the conditions of the run caused the error.
    ///
    /// If false, a server or the command line caused it.
    public let isUnfit: Bool

    /// Makes an error with a one-line description.
    public init(_ description: String, isUnfit: Bool = false) {
        self.description = description
        self.isUnfit = isUnfit
    }
}
