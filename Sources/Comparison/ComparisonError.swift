/// Why servers could not be compared.
public struct ComparisonError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What happened, to what.
    public let description: String

    /// Makes an error from what is to be told in one line.
    public init(_ description: String) { self.description = description }
}
