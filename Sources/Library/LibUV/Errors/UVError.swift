internal import CLibUV

/// An error that libuv has reported, with its code and the operation that failed.
///
/// The error stores the number of the code, so it can even represent a code for which this library has no name.
///
/// After `catch where error.code == …`, add `catch { throw error }`. Without a clause that catches the other errors,
/// the compiler of Swift 6.3 crashes on a function that uses a buffer and declares `throws`; see the article on errors.
///
/// Two errors are equal if their codes and their operations are equal. The comparison ignores `detail`, which is text
/// for people to read.
public struct UVError: Error, Sendable {
    /// The error code of libuv, for example `addressInUse`.
    public let code: Code

    /// The name of the function that failed, for example `uv_tcp_bind`.
    ///
    /// It is a function of libuv, of the system (`setsockopt`) or of this library (`withTimeout`,
    /// `UVBufferedReader.exactly`). A failed read reports `uv_read_start`, which is libuv's function for reading.
    public let operation: String

    /// The detail, behind a reference that keeps the error small enough to be returned in registers.
    private let storage: Detail?

    private final class Detail: Sendable {
        let text: String
        init(_ text: String) { self.text = text }
    }

    /// What the operation was applied to, for example an address or a path, or the reason for the failure; `nil` if the
    /// name of the operation is sufficient.
    public var detail: String? { storage?.text }

    /// Makes an error from a libuv code.
    ///
    /// - Parameters:
    ///   - code: a negative libuv code.
    ///   - operation: the libuv function that failed.
    ///   - detail: what the operation was applied to, or the reason for the failure.
    public init(code: Int32, operation: String, detail: String? = nil) {
        self.init(Code(rawValue: code), operation: operation, detail: detail)
    }

    /// Makes an error from a named code.
    ///
    /// - Parameters:
    ///   - code: the code.
    ///   - operation: the libuv function that failed.
    ///   - detail: what the operation was applied to, or the reason for the failure.
    public init(_ code: Code, operation: String, detail: String? = nil) {
        self.code = code
        self.operation = operation
        storage = detail.map(Detail.init)
    }

    /// Returns this error with the given detail instead of its own.
    func with(detail: String?) -> UVError { UVError(code, operation: operation, detail: detail) }

    /// Returns an error with the given operation and detail if the code of this error is `addressInUse`, and this error
    /// otherwise.
    ///
    /// If a TCP socket is bound to an address that is in use, libuv does not report this error for `bind`, but for the
    /// next call with the socket.
    func ofBind(_ operation: String, detail: String? = nil) -> UVError {
        code == .addressInUse ? UVError(code, operation: operation, detail: detail) : self
    }

    /// The symbolic name of the code, for example `EADDRINUSE` (`uv_err_name_r`).
    public var name: String {
        unsafe UVError.text(capacity: 64) { unsafe _ = uv_err_name_r(code.rawValue, $0, $1) }
    }

    /// The description of the code in English (`uv_strerror_r`).
    public var message: String {
        unsafe UVError.text(capacity: 256) { unsafe _ = uv_strerror_r(code.rawValue, $0, $1) }
    }

    /// The error number of the operating system, which is positive, or `nil` if the code is specific to libuv.
    public var systemCode: Int32? {
        // Codes that are specific to libuv or to the resolver are -3000 or less.
        code.rawValue < 0 && code.rawValue > -3000 ? -code.rawValue : nil
    }

    /// Makes an error from an error number of the operating system, for example `errno` (`uv_translate_sys_error`).
    public init(systemCode: Int32, operation: String) {
        self.init(code: uv_translate_sys_error(systemCode), operation: operation)
    }

    /// Returns the text that a libuv function writes into the caller's buffer.
    private static func text(capacity: Int, _ fill: (UnsafeMutablePointer<CChar>, Int) -> Void) -> String {
        unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: capacity) { buffer in
            // The allocation is not empty, so it has a base address. libuv ends the text with a zero byte.
            guard let base = buffer.baseAddress else { return "" }
            unsafe fill(base, capacity)
            return unsafe String(cString: base)
        }
    }
}

extension UVError: CustomStringConvertible {
    /// The operation, the name of the code, its description and the detail, for example `uv_listen: EADDRINUSE (address
    /// already in use): 127.0.0.1:80`.
    public var description: String { "\(operation): \(name) (\(message))" + (detail.map { ": \($0)" } ?? "") }
}

extension UVError: Hashable {
    /// Returns whether two errors have the same code and the same operation.
    public static func == (left: UVError, right: UVError) -> Bool {
        left.code == right.code && left.operation == right.operation
    }

    /// Hashes the code and the operation.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(code)
        hasher.combine(operation)
    }
}

extension UVError {
    /// An error code of libuv, with names for the codes that programs usually distinguish.
    public struct Code: RawRepresentable, Hashable, Sendable {
        /// The error code of libuv, which is negative.
        public let rawValue: Int32

        /// Makes a code from an error code of libuv.
        public init(rawValue: Int32) { self.rawValue = rawValue }

        init(_ code: uv_errno_t) { self.init(rawValue: code.rawValue) }

        /// `UV_EOF`.
        public static var endOfFile: Code { Code(UV_EOF) }
        /// `UV_EADDRINUSE`.
        public static var addressInUse: Code { Code(UV_EADDRINUSE) }
        /// `UV_EADDRNOTAVAIL`.
        public static var addressNotAvailable: Code { Code(UV_EADDRNOTAVAIL) }
        /// `UV_EALREADY`.
        public static var alreadyInProgress: Code { Code(UV_EALREADY) }
        /// `UV_EEXIST`.
        public static var alreadyExists: Code { Code(UV_EEXIST) }
        /// `UV_EISCONN`.
        public static var alreadyConnected: Code { Code(UV_EISCONN) }
        /// `UV_EBADF`.
        public static var badDescriptor: Code { Code(UV_EBADF) }
        /// `UV_E2BIG`.
        public static var argumentTooLong: Code { Code(UV_E2BIG) }
        /// `UV_EPIPE`.
        public static var brokenPipe: Code { Code(UV_EPIPE) }
        /// `UV_EBUSY`.
        public static var busy: Code { Code(UV_EBUSY) }
        /// `UV_ECANCELED`.
        public static var cancelled: Code { Code(UV_ECANCELED) }
        /// `UV_ECONNABORTED`.
        public static var connectionAborted: Code { Code(UV_ECONNABORTED) }
        /// `UV_ECONNREFUSED`.
        public static var connectionRefused: Code { Code(UV_ECONNREFUSED) }
        /// `UV_ECONNRESET`.
        public static var connectionReset: Code { Code(UV_ECONNRESET) }
        /// `UV_EDESTADDRREQ`.
        public static var destinationRequired: Code { Code(UV_EDESTADDRREQ) }
        /// `UV_EINVAL`.
        public static var invalidArgument: Code { Code(UV_EINVAL) }
        /// `UV_EMSGSIZE`.
        public static var messageTooLarge: Code { Code(UV_EMSGSIZE) }
        /// `UV_ENAMETOOLONG`.
        public static var nameTooLong: Code { Code(UV_ENAMETOOLONG) }
        /// `UV_ENOBUFS`.
        public static var noBufferSpace: Code { Code(UV_ENOBUFS) }
        /// `UV_ENOSPC`.
        public static var noSpace: Code { Code(UV_ENOSPC) }
        /// `UV_ENOENT`.
        public static var noSuchFile: Code { Code(UV_ENOENT) }
        /// `UV_ESRCH`.
        public static var noSuchProcess: Code { Code(UV_ESRCH) }
        /// `UV_ENOTTY`.
        public static var notATerminal: Code { Code(UV_ENOTTY) }
        /// `UV_ENOTCONN`.
        public static var notConnected: Code { Code(UV_ENOTCONN) }
        /// `UV_EPERM`.
        public static var notPermitted: Code { Code(UV_EPERM) }
        /// `UV_ENOTSUP`.
        public static var notSupported: Code { Code(UV_ENOTSUP) }
        /// `UV_ENOMEM`.
        public static var outOfMemory: Code { Code(UV_ENOMEM) }
        /// `UV_EACCES`.
        public static var permissionDenied: Code { Code(UV_EACCES) }
        /// `UV_EMFILE`.
        public static var processFileLimit: Code { Code(UV_EMFILE) }
        /// `UV_ENFILE`.
        public static var systemFileLimit: Code { Code(UV_ENFILE) }
        /// `UV_ETIMEDOUT`.
        public static var timedOut: Code { Code(UV_ETIMEDOUT) }
        /// `UV_ENOSYS`.
        public static var unimplemented: Code { Code(UV_ENOSYS) }
        /// `UV_EAGAIN`.
        public static var wouldBlock: Code { Code(UV_EAGAIN) }
    }
}

/// Throws an error if the result of a libuv function is an error code.
///
/// - Returns: the result, which is zero or positive.
@discardableResult
func check(_ status: Int32, _ operation: @autoclosure () -> String) throws(UVError) -> Int32 {
    guard status >= 0 else { throw UVError(code: status, operation: operation()) }
    return status
}
