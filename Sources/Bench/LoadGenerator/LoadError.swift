/// The reason a load could not start or continue: what failed, on what, why, and what to do.
public struct LoadError: Error, Hashable, Sendable, CustomStringConvertible {
    /// One sentence.
    public let description: String

    /// Makes an error from one line.
    public init(_ description: String) { self.description = description }
}
