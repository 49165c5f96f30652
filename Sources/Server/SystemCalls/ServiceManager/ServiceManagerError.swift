/// Something that a service manager has given the process, and that is wrong: what it is, and what is wrong with it.
public struct ServiceManagerError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong, as in `LISTEN_FDS='x'` or `descriptor 3`.
    public let subject: String

    /// What is wrong with it, and what would be right.
    public let reason: String

    /// Makes an error.
    public init(subject: String, reason: String) {
        self.subject = subject
        self.reason = reason
    }

    /// Both, in one line.
    public var description: String { "\(subject) \(reason)" }
}

/// The variables of a service manager, read without mercy.
enum ServiceVariable {
    /// The whole number that a variable has; `nil` where it is not set.
    ///
    /// - Throws: where it is anything but decimal digits, or more than 64 bits hold.
    static func number(
        _ name: String, in environment: [String: String]
    ) throws(ServiceManagerError) -> UInt64? {
        guard let text = environment[name] else { return nil }
        // A sign is none of the digits that the manager writes, and Swift would take it.
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = UInt64(text) else {
            throw wrong(name, text, "is no whole number")
        }
        return number
    }

    static func wrong(_ name: String, _ text: String, _ reason: String) -> ServiceManagerError {
        ServiceManagerError(subject: "\(name)='\(text)'", reason: reason)
    }
}
