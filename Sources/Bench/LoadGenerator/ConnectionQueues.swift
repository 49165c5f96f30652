internal import SystemCalls

/// The connections that have room for a request, in one first-in, first-out queue per target.
struct ConnectionQueues: ~Copyable {
    private struct Bounds: BitwiseCopyable {
        var first = 0
        var count = 0
    }

    private var rows: FixedTable<Int32>
    private var bounds: FixedTable<Bounds>
    private let capacity: Int

    /// Makes empty queues.
    ///
    /// - Parameters:
    ///   - count: the number of queues.
    ///   - capacity: the maximum number of connections in one queue.
    init(count: Int, capacity: Int) {
        self.capacity = max(1, capacity)
        rows = FixedTable(repeating: 0, count: count * max(1, capacity))
        bounds = FixedTable(repeating: Bounds(), count: count)
    }

    @inline(__always)
    func isEmpty(_ queue: Int) -> Bool { bounds[queue].count == 0 }

    @inline(__always)
    mutating func append(_ connection: Int, to queue: Int) {
        var end = bounds[queue].first &+ bounds[queue].count
        if end >= capacity { end &-= capacity }
        rows[queue &* capacity &+ end] = Int32(truncatingIfNeeded: connection)
        bounds[queue].count &+= 1
    }

    /// Removes and returns the first connection of a queue.
    ///
    /// The queue must not be empty.
    @inline(__always)
    mutating func removeFirst(of queue: Int) -> Int {
        let first = bounds[queue].first
        bounds[queue].first = first &+ 1 == capacity ? 0 : first &+ 1
        bounds[queue].count &-= 1
        return Int(rows[queue &* capacity &+ first])
    }

    /// Empties all queues.
    mutating func removeAll() { for queue in 0..<bounds.count { bounds[queue] = Bounds() } }
}
