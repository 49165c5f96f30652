/// The reason servers could not be compared.
public struct ComparisonError: Error, Hashable, Sendable, CustomStringConvertible {
    /// One line: what failed, on what, and why.
    public let description: String

    /// Whether the conditions of the run are the cause, rather than a server or the command line.
    public let isUnfit: Bool

    /// Makes an error from one line.
    public init(_ description: String, isUnfit: Bool = false) {
        self.description = description
        self.isUnfit = isUnfit
    }
}
