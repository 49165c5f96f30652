internal import SystemCalls

/// Decides when each slow connection reads or sends a few bytes.
///
/// Each slow connection is due once per interval. The connections are due one after another.
struct SlowTurns {
    /// The time at which the next slow connection is due; `UInt64.max` if none will be due.
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

    /// Returns the slow connection that is due; `nil` if none is due yet.
    mutating func take(at now: UInt64, _ connections: borrowing ConnectionTable) -> Int? {
        guard next <= now else { return nil }
        repeat { index = (index + 1) % connections.rows.count } while !connections.rows[index].role.takesTurns
        next &+= distance
        return index
    }

    /// Skips the reads and sends whose time has passed.
    mutating func skip(to now: UInt64) { if next <= now { next = now &+ distance } }
}
