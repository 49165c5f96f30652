/// Something to be run on a loop's thread.
@safe
enum Job {
    /// A closure of `UVLoop.execute`.
    case closure(@Sendable () -> Void)
    /// A piece of a task that prefers the loop as its executor, to be run exactly once.
    case task(UnownedJob)
    /// A piece of a task in an actor whose executor is the loop, to be run exactly once.
    case isolated(UnownedJob)
    /// The place of a job that has been run.
    case none
}

/// Jobs in the order of their coming.
struct JobQueue: ~Copyable {
    /// Jobs before `next` have been taken.
    private var jobs: [Job] = []
    private var next = 0

    var isEmpty: Bool { next == jobs.count }

    mutating func append(_ job: Job) { jobs.append(job) }

    mutating func append(contentsOf others: [Job]) { jobs.append(contentsOf: others) }

    /// The first job, which is the caller's to run; `nil` where there is none.
    mutating func takeFirst() -> Job? {
        guard next < jobs.count else { return nil }
        let job = jobs[next]
        // What the job holds is to be let go when it has run, and not when its place is used again.
        jobs[next] = .none
        next += 1
        if next == jobs.count {
            jobs.removeAll(keepingCapacity: true)
            next = 0
        } else if next >= 1024, next * 2 >= jobs.count {
            jobs.removeFirst(next)
            next = 0
        }
        return job
    }
}
