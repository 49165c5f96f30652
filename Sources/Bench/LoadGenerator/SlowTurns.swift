internal import SystemCalls

/// Decides when each slow connection reads or sends a little: once in an interval, one connection after another.
struct SlowTurns {
    /// The time of the next turn; `UInt64.max` for never.
    private(set) var next = UInt64.max
    private var distance: UInt64 = 0
    private var index = 0

    mutating func begin(at start: UInt64, _ plan: LoadConnections) {
        let count = plan.targets.count * (plan.slowReaderCount + plan.slowWriterCount)
        guard count > 0 else { return }
        distance = max(1, plan.slowInterval.nanoseconds / UInt64(count))
        next = start
    }

    mutating func stop() { next = .max }

    /// The connection whose turn it is; `nil` if it is too early.
    mutating func take(at now: UInt64, _ connections: borrowing ConnectionTable) -> Int? {
        guard next <= now else { return nil }
        repeat { index = (index + 1) % connections.rows.count } while !connections.rows[index].role.takesTurns
        next &+= distance
        return index
    }

    /// Skips the turns that were missed.
    mutating func skip(to now: UInt64) { if next <= now { next = now &+ distance } }
}
