internal import CLibUV

// How a task waits for a callback of its loop.
//
// A continuation always resumes on the executor that its task prefers, and without such a preference on the process'
// global one: an actor on a loop would go through another thread, and wake its loop with a system call, each time it
// waits. Hence tasks wait here as jobs of an executor that holds them: `park` hops to an actor on that executor, and
// `wake` hands the job to the loop, as what it was before. Nothing leaves the loop's thread, and nothing is allocated.

/// The place where one task waits on the loop's thread.
@safe
struct ParkedTask {
    private var job: UnownedJob?
    private var isIsolated = false
    /// What the task is told: false where its waiting was cancelled.
    private(set) var isWoken = false

    /// Whether a task waits.
    var isWaiting: Bool { job != nil }

    init() {}

    /// Hands the task that waits, if one does, to the loop.
    mutating func wake(on loop: UVLoop, _ isWoken: Bool = true) {
        guard let job else { return }
        self.job = nil
        self.isWoken = isWoken
        loop.enqueueHere(isIsolated ? .isolated(job) : .task(job))
    }

    /// Prepares for a task, of an actor or of none.
    fileprivate mutating func prepare(for actor: (any Actor)? = #isolation) {
        isIsolated = actor != nil
        isWoken = true
    }

    fileprivate mutating func hold(_ job: UnownedJob) { self.job = job }
}

/// The executor that holds the jobs of tasks which wait.
// @unchecked Sendable: used on the loop's thread only.
@safe
final class ParkingExecutor: SerialExecutor, @unchecked Sendable {
    /// Where the next job is held: set by `park`, right before the hop that enqueues it.
    fileprivate var place: UnsafeMutablePointer<ParkedTask>?

    init() { unsafe place = nil }

    func enqueue(_ job: consuming ExecutorJob) {
        guard let place = unsafe place else { preconditionFailure("a task parks without a place") }
        unsafe self.place = nil
        unsafe place.pointee.hold(UnownedJob(job))
    }
}

/// The actor that a task hops to in order to wait.
actor Parking {
    private let executor: ParkingExecutor
    private var waits = 0

    init(_ executor: ParkingExecutor) { self.executor = executor }

    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor.asUnownedSerialExecutor() }

    /// Returns once the task has been woken.
    ///
    /// Not inlined, and not empty: the hop is what it is for, and an optimizer would leave it out.
    @inline(never)
    fileprivate func wait() { waits &+= 1 }
}

extension UVLoop {
    /// Suspends the task until `wake` is called on its place, which must stay where it is.
    ///
    /// The place must be reachable for whoever wakes before this is called, or from a callback only: between the call
    /// and the task's suspension nothing else runs on the loop's thread.
    ///
    /// - Returns: what the task was told.
    @inline(__always)
    nonisolated(nonsending) func park(in place: UnsafeMutablePointer<ParkedTask>) async -> Bool {
        unsafe place.pointee.prepare()
        unsafe parkingExecutor.place = unsafe place
        await parking.wait()
        return unsafe place.pointee.isWoken
    }
}
