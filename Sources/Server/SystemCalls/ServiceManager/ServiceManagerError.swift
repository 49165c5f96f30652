/// An invalid variable or descriptor from a service manager.
public struct ServiceManagerError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is invalid, for example `LISTEN_FDS='x'` or `descriptor 3`.
    public let subject: String

    /// Why it is invalid, and what would be valid.
    public let reason: String

    /// Makes an error.
    public init(subject: String, reason: String) {
        self.subject = subject
        self.reason = reason
    }

    /// The subject and the reason in one line.
    public var description: String { "\(subject) \(reason)" }
}

/// Parses the environment variables that a service manager sets.
enum ServiceVariable {
    /// Returns the number in a variable, or `nil` if the variable is not set.
    ///
    /// - Throws: `ServiceManagerError` if the value contains characters other than decimal digits, or exceeds 64 bits.
    static func number(
        _ name: String, in environment: [String: String]
    ) throws(ServiceManagerError) -> UInt64? {
        guard let text = environment[name] else { return nil }
        // `UInt64.init` would also accept a sign, which is not valid here.
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = UInt64(text) else {
            throw wrong(name, text, "must be a whole number")
        }
        return number
    }

    static func wrong(_ name: String, _ text: String, _ reason: String) -> ServiceManagerError {
        ServiceManagerError(subject: "\(name)='\(text)'", reason: reason)
    }
}
