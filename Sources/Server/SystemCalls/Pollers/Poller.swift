/// The conditions that a poller reports for a descriptor.
@frozen
public struct Interest: OptionSet, Hashable, Sendable {
    /// The bits of the set.
    public let rawValue: UInt8

    /// Makes a set from bits.
    @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Reading or accepting would not block, because bytes, the end of the stream or a new connection has arrived.
    @inlinable public static var readable: Interest { Interest(rawValue: 1) }

    /// Writing would not block.
    @inlinable public static var writable: Interest { Interest(rawValue: 2) }
}

/// A ready descriptor.
@frozen
public struct ReadyDescriptor: Hashable, Sendable {
    /// The descriptor's number.
    public var descriptor: Int32

    /// The conditions that now hold for the descriptor.
    ///
    /// A failed descriptor is reported as readable and writable, so that the next read or write on it returns the
    /// error.
    public var readiness: Interest

    @inlinable
    init(descriptor: Int32, readiness: Interest) {
        self.descriptor = descriptor
        self.readiness = readiness
    }
}

/// An object that waits for many descriptors at once, using `select`, `poll` or `epoll`.
///
/// All pollers follow the same rules:
///
/// - **Level-triggered**: every wait reports a descriptor again for as long as it is ready.
/// - **One interest per descriptor**: call `add` once, `modify` to change the interest, and `remove` before closing the
///   descriptor.
/// - **Empty interest**: a descriptor with an empty interest is reported only if it has failed.
/// - **One thread**: only one thread at a time may use a poller.
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
    /// - Parameter timeout: the longest time to wait, rounded up to whole milliseconds. With `nil`, the wait has no
    ///   timeout.
    /// - Returns: the number of ready descriptors. It is 0 if the timeout has passed, a signal has interrupted the
    ///   wait, or the kernel had no memory for the wait.
    mutating func wait(timeout: Duration?) throws(SystemCallError) -> Int

    /// Returns one of the ready descriptors that the last `wait` found.
    ///
    /// `index` must be less than the number that `wait` returned.
    func ready(at index: Int) -> ReadyDescriptor
}
