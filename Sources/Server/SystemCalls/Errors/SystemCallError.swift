internal import Glibc

/// A failed system call.
public struct SystemCallError: Error, Hashable, Sendable {
    /// The error number (`errno`), which is positive.
    public let code: Int32

    /// The name of the call, for example `bind`.
    public let call: String

    /// Makes an error from an error number.
    public init(code: Int32, call: String) {
        self.code = code
        self.call = call
    }

    /// The system's text for the error number (`strerror_r`).
    public var message: String {
        unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
            guard let base = buffer.baseAddress, unsafe strerror_r(code, base, 256) == 0 else { return "error \(code)" }
            return unsafe String(cString: base)
        }
    }
}

extension SystemCallError {
    /// Whether the process or the system has no free descriptor (`EMFILE`, `ENFILE`).
    public var isMissingDescriptor: Bool { code == EMFILE || code == ENFILE }

    /// Whether `accept4` failed because of the pending connection, not because of the listening socket.
    ///
    /// On Linux, `accept4` also reports network errors of the pending connection. EPERM means that the firewall forbids
    /// the connection.
    var concernsPendingConnection: Bool {
        switch code {
        case ECONNABORTED, EHOSTDOWN, EHOSTUNREACH, ENETDOWN, ENETUNREACH, ENONET, ENOPROTOOPT, EOPNOTSUPP, EPERM,
            EPROTO, ETIMEDOUT:
            true
        default: false
        }
    }
}

extension SystemCallError: CustomStringConvertible {
    /// The call and the system's text, for example `bind: Address already in use`.
    public var description: String { "\(call): \(message)" }
}

/// Makes a system call, and repeats it for as long as a signal interrupts it.
///
/// `errno` is read immediately after the call, before other code can change it.
///
/// - Returns: the call's result, which is never negative.
@inline(__always)
@discardableResult
func system<Value: FixedWidthInteger>(
    _ call: @autoclosure () -> StaticString, _ body: () -> Value
) throws(SystemCallError) -> Value {
    while true {
        let value = body()
        if value >= 0 { return value }
        let code = errno
        if code != EINTR { throw SystemCallError(code: code, call: "\(call())") }
    }
}
