/// Why a load could not be made or could not go on: what happened, to what, and what to do.
public struct LoadError: Error, Hashable, Sendable, CustomStringConvertible {
    /// One sentence.
    public let description: String

    init(_ description: String) { self.description = description }
}
