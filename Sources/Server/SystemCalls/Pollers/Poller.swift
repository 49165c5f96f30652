/// What a poller waits for on a descriptor.
@frozen
public struct Interest: OptionSet, Hashable, Sendable {
    /// The set as bits.
    public let rawValue: UInt8

    /// Makes a set from its bits.
    @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Bytes, a connection or the end can be taken without waiting.
    @inlinable public static var readable: Interest { Interest(rawValue: 1) }

    /// Bytes can be sent without waiting.
    @inlinable public static var writable: Interest { Interest(rawValue: 2) }
}

/// What a poller reports: a descriptor, and what it is ready for.
@frozen
public struct ReadyDescriptor: Hashable, Sendable {
    /// The descriptor's number.
    public var descriptor: Int32

    /// What it is ready for.
    ///
    /// A descriptor that has failed is ready for all: the next call on it tells.
    public var readiness: Interest

    @inlinable
    init(descriptor: Int32, readiness: Interest) {
        self.descriptor = descriptor
        self.readiness = readiness
    }
}

/// Waits for many descriptors at once: one contract, one file for each system call behind it.
///
/// The rules are the same for all. **Level-triggered**: a descriptor is reported again for as long as it is
/// ready. **One interest for each descriptor**: `add` once, then `modify`, and `remove` before it is closed.
/// **An empty interest** reports nothing, or failure only. **One thread** uses a poller at a time.
public protocol Poller: ~Copyable, SendableMetatype {
    /// The most descriptors that one poller can wait for, or the highest number plus one; `nil` for no bound.
    static var descriptorLimit: Int? { get }

    /// Makes a poller that waits for nothing.
    init() throws(SystemCallError)

    /// Waits for a descriptor from here on.
    mutating func add(_ descriptor: Int32, _ interest: Interest) throws(SystemCallError)

    /// Changes what is waited for on a descriptor.
    mutating func modify(_ descriptor: Int32, _ interest: Interest) throws(SystemCallError)

    /// Waits for a descriptor no more.
    mutating func remove(_ descriptor: Int32) throws(SystemCallError)

    /// Waits until a descriptor is ready, and notes which are.
    ///
    /// - Parameter timeout: the longest wait, rounded up to milliseconds; `nil` waits without end.
    /// - Returns: how many are ready; none where the time has passed or a signal has come.
    mutating func wait(timeout: Duration?) throws(SystemCallError) -> Int

    /// One of the descriptors that the last `wait` found, from 0 up to what it returned.
    func ready(at index: Int) -> ReadyDescriptor
}
