public import Synchronization

/// A count that one thread changes and any thread reads.
public struct Counter: ~Copyable, Sendable {
    @usableFromInline let count = Atomic<Int>(0)

    /// Makes a counter of zero.
    public init() {}

    /// The count now.
    @inlinable
    @inline(__always)
    public var value: Int { count.load(ordering: .relaxed) }

    /// Adds to the count: a load and a store, which is enough for a single writer and cheaper than an atomic addition.
    @inlinable
    @inline(__always)
    public func add(_ difference: Int) { set(value &+ difference) }

    /// Replaces the count.
    @inlinable
    @inline(__always)
    public func set(_ value: Int) { count.store(value, ordering: .relaxed) }

    /// Raises the count to a value, if it is lower.
    @inlinable
    @inline(__always)
    public func raise(to value: Int) { if value > self.value { set(value) } }
}
