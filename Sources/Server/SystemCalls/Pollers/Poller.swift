internal import Glibc

/// The conditions that a poller reports for a descriptor.
@frozen
public struct Interest: OptionSet, Hashable, Sendable {
    /// The bits of the set.
    public let rawValue: UInt8

    /// Makes a set from bits.
    @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Bytes, the end of the stream or a connection can be read or accepted without waiting.
    @inlinable public static var readable: Interest { Interest(rawValue: 1) }

    /// Bytes can be sent without waiting.
    @inlinable public static var writable: Interest { Interest(rawValue: 2) }
}

/// A ready descriptor.
@frozen
public struct ReadyDescriptor: Hashable, Sendable {
    /// The descriptor's number.
    public var descriptor: Int32

    /// The conditions that hold.
    ///
    /// A failed descriptor is readable and writable, so that the next call on it returns the error.
    public var readiness: Interest

    @inlinable
    init(descriptor: Int32, readiness: Interest) {
        self.descriptor = descriptor
        self.readiness = readiness
    }
}

/// Waits for many descriptors at once, with `select`, `poll` or `epoll`.
///
/// All pollers follow the same rules. **Level-triggered**: a poller reports a descriptor at each wait while it is ready.
/// **One interest per descriptor**: call `add` once, then `modify`, and `remove` before closing it.
/// **An empty interest** reports failures at most. **One thread** at a time uses a poller.
public protocol Poller: ~Copyable, SendableMetatype {
    /// The lowest descriptor number that the poller cannot watch, or `nil` if there is no limit.
    static var descriptorLimit: Int? { get }

    /// Makes a poller without descriptors.
    init() throws(SystemCallError)

    /// Adds a descriptor.
    mutating func add(_ descriptor: Int32, _ interest: Interest) throws(SystemCallError)

    /// Replaces a descriptor's interest.
    mutating func modify(_ descriptor: Int32, _ interest: Interest) throws(SystemCallError)

    /// Removes a descriptor.
    mutating func remove(_ descriptor: Int32) throws(SystemCallError)

    /// Waits until at least one descriptor is ready.
    ///
    /// - Parameter timeout: the longest wait, rounded up to milliseconds; `nil` waits forever.
    /// - Returns: the number of ready descriptors: 0 after the timeout, or if a signal has interrupted the wait.
    mutating func wait(timeout: Duration?) throws(SystemCallError) -> Int

    /// A ready descriptor of the last `wait`; `index` is below the number that it returned.
    func ready(at index: Int) -> ReadyDescriptor
}

/// The result of a failed wait: 0 if a signal has interrupted it.
@usableFromInline
func interruptedWait(_ code: Int32) throws(SystemCallError) -> Int {
    if code == EINTR { return 0 }
    throw SystemCallError(code: code, call: "wait")
}
