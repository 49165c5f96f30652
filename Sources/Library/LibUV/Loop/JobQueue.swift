/// A job for a loop's thread.
@safe
enum Job {
    /// A closure that was passed to `UVLoop.execute`.
    case closure(@Sendable () -> Void)
    /// A job of a task that prefers the loop as its executor. It must be run exactly once.
    case task(UnownedJob)
    /// A job of a task in an actor whose executor is the loop. It must be run exactly once.
    case isolated(UnownedJob)
}

/// A first-in, first-out queue of jobs.
///
/// It is a ring buffer, which grows when it is full and never shrinks.
@safe
struct JobQueue: ~Copyable {
    private var ring = UnsafeMutablePointer<Job>.allocate(capacity: 16)
    /// The number of jobs for which the ring has room, which is a power of two.
    private var capacity = 16
    private var first = 0
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    deinit {
        for index in 0..<count { unsafe place(index).deinitialize(count: 1) }
        unsafe ring.deallocate()
    }

    private func place(_ index: Int) -> UnsafeMutablePointer<Job> {
        // The queued jobs begin at `first`, and may continue from the last slot of the ring to slot 0. The mask makes
        // the index wrap around.
        unsafe ring + (first &+ index) & (capacity &- 1)
    }

    mutating func append(_ job: Job) {
        if count == capacity { grow() }
        unsafe place(count).initialize(to: job)
        count &+= 1
    }

    mutating func append(contentsOf others: [Job]) {
        for job in others { append(job) }
    }

    /// Removes and returns the first job, or returns `nil` if the queue is empty.
    ///
    /// The caller must run the job.
    mutating func takeFirst() -> Job? {
        guard count > 0 else { return nil }
        let job = unsafe place(0).move()
        first = (first &+ 1) & (capacity &- 1)
        count &-= 1
        return job
    }

    private mutating func grow() {
        let larger = UnsafeMutablePointer<Job>.allocate(capacity: capacity * 2)
        for index in 0..<count { unsafe (larger + index).moveInitialize(from: place(index), count: 1) }
        unsafe ring.deallocate()
        unsafe ring = unsafe larger
        capacity *= 2
        first = 0
    }
}
