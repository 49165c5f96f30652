public import SocketAddresses
public import SystemCalls

/// An error that prevents a server from starting or continuing.
public struct ServerError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The call that failed, and the error number.
    public let cause: SystemCallError

    /// The address to listen on, if the failure concerns it.
    public internal(set) var address: SocketAddress?

    /// `run` was called before `start`, or for the second time (`EINVAL`).
    static let notStarted = ServerError(cause: SystemCallError(code: 22, call: "run (before start, or twice)"))

    /// The call, the address and the system's description of the error.
    public var description: String { "\(cause.call)\(address.map { " \($0)" } ?? ""): \(cause.message)" }
}
