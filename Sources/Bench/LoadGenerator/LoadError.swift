/// The reason why a load could not start or continue.
///
/// The text states what failed, on what, why, and what to do.
public struct LoadError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The error in one sentence.
    public let description: String

    /// Makes an error with a one-line description.
    public init(_ description: String) { self.description = description }
}
