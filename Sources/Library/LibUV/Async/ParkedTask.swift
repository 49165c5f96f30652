internal import CLibUV

// Lets a task wait for a callback of its loop.
//
// A continuation always resumes on the executor that its task prefers, or on the global executor if the task has no
// preference. Therefore each wait of an actor that runs on a loop would switch to another thread and wake the loop with
// a system call. To avoid this, a waiting task becomes a job of a special executor, which stores the job. `park`
// switches to an actor on that executor, and `wake` passes the job to the loop: as a `Job.isolated` if the task belongs
// to an actor, and otherwise as a `Job.task`. Everything happens on the loop's thread, without allocations.

/// The storage for one task that waits on the loop's thread.
@safe
struct ParkedTask {
    private var job: UnownedJob?
    private var isIsolated = false
    /// The result for the task, which is `false` if its wait was cancelled.
    private(set) var isWoken = false

    /// Whether a task is waiting.
    var isWaiting: Bool { job != nil }

    init() {}

    /// Passes the waiting task, if there is one, to the loop.
    mutating func wake(on loop: UVLoop, _ isWoken: Bool = true) {
        if let job = takeWoken(isWoken) { loop.enqueueHere(job) }
    }

    /// Removes the job of the waiting task, if there is one.
    ///
    /// The caller must run or enqueue the job.
    @inline(__always)
    mutating func takeWoken(_ isWoken: Bool = true) -> Job? {
        guard let job else { return nil }
        self.job = nil
        self.isWoken = isWoken
        return isIsolated ? .isolated(job) : .task(job)
    }

    /// Prepares the storage for a task, which may belong to an actor.
    fileprivate mutating func prepare(for actor: (any Actor)?) {
        isIsolated = actor != nil
        isWoken = true
    }

    fileprivate mutating func hold(_ job: UnownedJob) { self.job = job }
}

/// The executor that stores the jobs of waiting tasks.
// @unchecked Sendable: used only on the loop's thread.
@safe
final class ParkingExecutor: SerialExecutor, @unchecked Sendable {
    /// The storage for the next job.
    ///
    /// `park` sets it directly before the switch that enqueues the job.
    fileprivate var place: UnsafeMutablePointer<ParkedTask>?

    init() { unsafe place = nil }

    func enqueue(_ job: consuming ExecutorJob) {
        guard let place = unsafe place else { preconditionFailure("a task parks without a place") }
        unsafe self.place = nil
        unsafe place.pointee.hold(UnownedJob(job))
    }
}

/// The actor to which a task switches in order to wait.
@usableFromInline
actor Parking {
    private let executor: ParkingExecutor
    private var waits = 0

    init(_ executor: ParkingExecutor) { self.executor = executor }

    @usableFromInline nonisolated var unownedExecutor: UnownedSerialExecutor {
        unsafe executor.asUnownedSerialExecutor()
    }

    /// Returns when the task has been woken.
    ///
    /// The function is not inlined and not empty, because the optimizer would otherwise remove the switch to the actor,
    /// which is the purpose of the function.
    ///
    /// The function runs on the loop's thread, even if the task then continues on another thread.
    ///
    /// - Returns: the result that was passed to `wake`.
    @usableFromInline
    @inline(never)
    func wait(in place: ParkingPlace) -> Bool {
        waits &+= 1
        return unsafe place.task.pointee.isWoken
    }
}

// @unchecked Sendable: used only on the loop's thread.
/// The storage of a waiting task, in the form in which it is passed to `Parking`.
@usableFromInline
@safe
struct ParkingPlace: @unchecked Sendable {
    let task: UnsafeMutablePointer<ParkedTask>
    fileprivate init(_ task: UnsafeMutablePointer<ParkedTask>) { unsafe self.task = unsafe task }
}

extension UVLoop {
    /// Suspends the task until `wake` is called on its storage, which must not move.
    ///
    /// Call this function on the loop's thread. The call returns on that thread if `staysHere()` is `true`, and
    /// otherwise on the task's executor. Nothing else runs on the loop's thread between this call and the suspension of
    /// the task. Therefore the code that calls `wake` must receive the storage before this call, or run in a later
    /// callback.
    ///
    /// - Returns: the result that was passed to `wake`.
    @inline(__always)
    nonisolated(nonsending) func park(in place: UnsafeMutablePointer<ParkedTask>) async -> Bool {
        await wait(in: unsafe preparePlace(place))
    }

    /// Suspends the task for which the place has just been prepared.
    @inlinable
    @inline(__always)
    nonisolated(nonsending) func wait(in place: ParkingPlace) async -> Bool { await parking.wait(in: place) }

    /// Prepares the storage of a task for the call of `parking.wait` that must follow immediately.
    ///
    /// - Parameter actor: the actor of the task, if it belongs to one.
    @inline(__always)
    func preparePlace(
        _ place: UnsafeMutablePointer<ParkedTask>, for actor: (any Actor)? = #isolation
    ) -> ParkingPlace {
        unsafe place.pointee.prepare(for: actor)
        unsafe parkingExecutor.place = unsafe place
        return unsafe ParkingPlace(place)
    }
}
