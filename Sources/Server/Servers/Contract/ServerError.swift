public import SocketAddresses
internal import SystemCalls

/// An error that prevents a server from starting or continuing.
public struct ServerError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The call that failed, for example `bind`.
    public let call: String

    /// The error number (`errno`), positive.
    public let code: Int32

    /// The system's text for the error number.
    public let message: String

    /// The address to listen on, if the failure concerns it.
    public let address: SocketAddress?

    /// Makes an error.
    public init(call: String, code: Int32, message: String, address: SocketAddress? = nil) {
        self.call = call
        self.code = code
        self.message = message
        self.address = address
    }

    /// The call, the address and the reason.
    public var description: String {
        let place = address.map { " \($0)" } ?? ""
        return "\(call)\(place): \(message)"
    }
}

extension ServerError {
    init(_ error: SystemCallError, address: SocketAddress? = nil) {
        self.init(call: error.call, code: error.code, message: error.message, address: address)
    }

    /// `run` was called before `start`, or for the second time.
    static var notStarted: ServerError {
        ServerError(call: "run", code: 22, message: "the server has not been started, or has run already")
    }
}
