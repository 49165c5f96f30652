public import Synchronization

/// A count that one thread changes and any thread can read.
public struct Counter: ~Copyable, Sendable {
    @usableFromInline let count = Atomic<Int>(0)

    /// Makes a counter that starts at zero.
    public init() {}

    /// The current count.
    @inlinable
    @inline(__always)
    public var value: Int { count.load(ordering: .relaxed) }

    /// Adds to the count.
    ///
    /// With a single writer, a load and a store suffice. They are cheaper than an atomic addition.
    @inlinable
    @inline(__always)
    public func add(_ difference: Int) { set(value &+ difference) }

    /// Replaces the count.
    @inlinable
    @inline(__always)
    public func set(_ value: Int) { count.store(value, ordering: .relaxed) }

    /// Sets the count to a value if the count is lower.
    @inlinable
    @inline(__always)
    public func raise(to value: Int) { if value > self.value { set(value) } }
}
