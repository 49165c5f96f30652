internal import Glibc

/// A system call that failed: its error number, and its name.
public struct SystemCallError: Error, Hashable, Sendable {
    /// The error number (`errno`), positive.
    public let code: Int32

    /// The call, as in `bind`.
    public let call: String

    /// Makes an error from an error number.
    public init(code: Int32, call: String) {
        self.code = code
        self.call = call
    }

    /// What the system says of the error number (`strerror_r`).
    public var message: String {
        unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
            guard let base = buffer.baseAddress, unsafe strerror_r(code, base, 256) == 0 else { return "error \(code)" }
            return unsafe String(cString: base)
        }
    }
}

extension SystemCallError: CustomStringConvertible {
    /// The call and what the system says: `bind: Address already in use`.
    public var description: String { "\(call): \(message)" }
}

/// Makes a system call, again while a signal interrupts it.
///
/// The one way through which this target calls the system: the error number is read at once after the call.
///
/// - Returns: what the call returned, not negative.
/// - Throws: the error number, with the name of the call.
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
