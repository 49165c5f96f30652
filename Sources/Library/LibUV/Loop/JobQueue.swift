/// Something to be run on a loop's thread.
@safe
enum Job {
    /// A closure of `UVLoop.execute`.
    case closure(@Sendable () -> Void)
    /// A piece of a task that prefers the loop as its executor, to be run exactly once.
    case task(UnownedJob)
    /// A piece of a task in an actor whose executor is the loop, to be run exactly once.
    case isolated(UnownedJob)
}

/// Jobs in the order of their coming: a ring in memory of its own, which grows and is kept.
@safe
struct JobQueue: ~Copyable {
    private var ring = UnsafeMutablePointer<Job>.allocate(capacity: 16)
    /// A power of two.
    private var capacity = 16
    private var first = 0
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    deinit {
        for index in 0..<count { unsafe place(index).deinitialize(count: 1) }
        unsafe ring.deallocate()
    }

    private func place(_ index: Int) -> UnsafeMutablePointer<Job> {
        // The first and all that are counted lie in the ring, which begins again behind its end.
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

    /// The first job, which is the caller's to run; `nil` where there is none.
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
