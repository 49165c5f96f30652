/// The reason why servers could not be compared.
public struct ComparisonError: Error, Hashable, Sendable, CustomStringConvertible {
    /// One line that states what failed, on what, and why.
    public let description: String

    /// Whether the error means that no conclusion is possible, for example because a server used processor time without
    /// any request.
    ///
    /// If false, the comparison failed, for example because a server did not start.
    public let isUnfit: Bool

    /// Makes an error with a one-line description.
    public init(_ description: String, isUnfit: Bool = false) {
        self.description = description
        self.isUnfit = isUnfit
    }
}
