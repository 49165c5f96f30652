public import SocketAddresses

/// Why a server could not start or go on.
public struct ServerError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The call that failed, as in `bind`.
    public let call: String

    /// The error number (`errno`), positive.
    public let code: Int32

    /// What the system says of the error number.
    public let message: String

    /// The address that was being listened on, where the failure concerns it.
    public let address: SocketAddress?

    /// Makes an error.
    public init(call: String, code: Int32, message: String, address: SocketAddress? = nil) {
        self.call = call
        self.code = code
        self.message = message
        self.address = address
    }

    /// What failed, on what, and why.
    public var description: String {
        let place = address.map { " \($0)" } ?? ""
        return "\(call)\(place): \(message)"
    }
}
