internal import LibUV
public import SocketAddresses
internal import SystemCalls

/// Why the administration cannot be had.
public struct AdminError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The call that failed, as in `uv_listen`.
    public let call: String

    /// The error number (`errno`), positive.
    public let code: Int32

    /// What the system says of the error number.
    public let message: String

    /// Where it was to listen.
    public let address: SocketAddress

    init(_ error: UVError, address: SocketAddress) {
        call = error.operation
        code = error.systemCode ?? error.code
        message = error.message
        self.address = address
    }

    init(_ error: SystemCallError, address: SocketAddress) {
        call = error.call
        code = error.code
        message = error.message
        self.address = address
    }

    /// What failed, on what, and why.
    public var description: String { "\(call) \(address): \(message)" }
}
