internal import CLibUV

/// A loop with a thread that runs it.
///
/// The thread runs the loop until `shutdown`, even while nothing is active on the loop. Give it work with `run`, with
/// `UVLoop.task`, with `UVLoop.execute`, or with actors that conform to `UVActor`.
///
/// Releasing the object does not end the thread.
public final class UVLoopThread: Sendable {
    private struct State {
        var isShuttingDown = false
        var hasEnded = false
        var leftOpen: [UVOpenHandle] = []
        var failure: (any Error)?
        var nextNumber = 0
        /// The tasks that `run` has started.
        var tasks: [Int: Task<Void, Never>] = [:]
        /// The tasks that wait until the thread ends.
        ///
        /// Each task receives whether the thread has ended in time.
        var waiters: [Int: CheckedContinuation<Bool, Never>] = [:]

        mutating func number() -> Int {
            nextNumber += 1
            return nextNumber
        }
    }

    /// The loop, which belongs to the thread.
    public let loop: UVLoop

    /// The name of the thread, of which Linux shows the first 15 bytes.
    public let name: String

    private let state: Locked<State>

    /// Makes a loop, and starts a thread that runs it (`uv_thread_create`).
    ///
    /// - Parameters:
    ///   - name: the name of the thread.
    ///   - configuration: the settings of the loop.
    ///   - body: the first task on the loop. If it throws, `shutdown` throws its error. The thread keeps running in
    ///     either case.
    /// - Throws: the error of `UVLoop.init` or of `uv_thread_create`.
    public init(
        name: String = "uv", configuration: UVLoop.Configuration = UVLoop.Configuration(),
        body: @escaping @Sendable (UVLoop) async throws -> Void = { _ in }
    ) throws(UVError) {
        loop = try UVLoop(configuration: configuration)
        self.name = name
        state = try Locked(State())
        let semaphore = UnsafeMutablePointer<uv_sem_t>.allocate(capacity: 1)
        unsafe semaphore.initialize(to: uv_sem_t())
        unsafe uv_sem_init(semaphore, 0)
        defer {
            unsafe uv_sem_destroy(semaphore)
            unsafe semaphore.deallocate()
        }
        nonisolated(unsafe) let begun = unsafe semaphore
        // The thread retains this object until the thread ends.
        try SystemThread.start(name) { [self] in
            // The loop belongs to the new thread before this initialiser returns.
            loop.beginOnThisThread()
            unsafe uv_sem_post(begun)
            live(body)
        }
        unsafe uv_sem_wait(semaphore)
    }

    /// Runs the loop on the new thread until the loop is stopped, and closes it.
    private func live(_ body: @escaping @Sendable (UVLoop) async throws -> Void) {
        var failure: (any Error)?
        do {
            try loop.runTask { [self] in
                do { try await body(loop) } catch {
                    if !UVLoop.isCancellation(error) { state.withLock { $0.failure = error } }
                }
                // `stop` cancels the wait.
                _ = try? await loop.waitFor("UVLoopThread.run") { (_: PendingOperation<Void>) in nil }
                cancelTasks()
                while let task = state.withLock({ $0.tasks.values.first }) { await task.value }
            }
        } catch { failure = error }
        var leftOpen: [UVOpenHandle] = []
        do { leftOpen = try loop.close() } catch { failure = error }
        let waiters = state.withLock { state in
            state.hasEnded = true
            state.leftOpen = leftOpen
            state.failure = state.failure ?? failure
            defer { state.waiters = [:] }
            return state.waiters
        }
        for (_, waiter) in waiters { waiter.resume(returning: true) }
    }

    /// Cancels the tasks of `run`, and rejects later calls of `run`.
    private func cancelTasks() {
        let tasks = state.withLock { state in
            state.isShuttingDown = true
            return state.tasks
        }
        for (_, task) in tasks { task.cancel() }
    }

    /// Runs `body` as a task on the loop, and returns its value.
    ///
    /// Callable on any executor. If the calling task is cancelled, the task that runs `body` is cancelled too.
    ///
    /// - Returns: the value that `body` returns.
    /// - Throws: the error that `body` throws; `UVError` with `cancelled` if the thread is shutting down.
    public func run<Outcome: Sendable>(
        _ body: sending @escaping (UVLoop) async throws -> Outcome
    ) async throws -> Outcome {
        let call = LoopCall(body)
        let task: Task<Void, Never>? = state.withLock { state in
            guard !state.isShuttingDown else { return nil }
            let number = state.number()
            let task = Task(executorPreference: loop) { [self] in
                await call.perform(on: loop)
                self.state.withLock { $0.tasks[number] = nil }
            }
            state.tasks[number] = task
            return task
        }
        guard let task else { throw UVError(.cancelled, operation: "UVLoopThread.run") }
        await withTaskCancellationHandler {
            await task.value
        } onCancel: {
            task.cancel()
        }
        return try call.takeOutcome()
    }

    /// Ends the thread: cancels the tasks of `run` and the first task, waits for them, and closes the loop.
    ///
    /// `UVLoop.stop` starts the same sequence without waiting for it. Everything else that is open on the loop is
    /// closed, and tasks that wait for the loop are resumed with `cancelled`. Callable on any executor, and more than
    /// once. If a task does not respond to cancellation, the thread ends only when that task ends. Do not call this
    /// function in a task of `run`, because the call would wait for the task that makes it.
    ///
    /// - Parameter limit: the time limit for the wait.
    /// - Returns: the handles that the program had not closed; see `UVLoop.close`.
    /// - Throws: `UVError` with `timedOut` if the thread has not ended within the time limit; otherwise the error that
    ///   the first task throws.
    @discardableResult
    public func shutdown(within limit: Duration = .seconds(10)) async throws -> [UVOpenHandle] {
        cancelTasks()
        loop.stop()
        guard await waitForEnd(within: limit) else { throw UVError(.timedOut, operation: "UVLoopThread.shutdown") }
        return try state.withLock { state -> Result<[UVOpenHandle], any Error> in
            if let failure = state.failure { return .failure(failure) }
            return .success(state.leftOpen)
        }.get()
    }

    private func waitForEnd(within limit: Duration) async -> Bool {
        let number = state.withLock { $0.number() }
        let timer = Task { [state] in
            // A time limit of a year has the same effect as any longer one, and is in the range of every clock.
            try? await Task.sleep(for: min(limit, .seconds(31_536_000)))
            let waiter = state.withLock { $0.waiters.removeValue(forKey: number) }
            waiter?.resume(returning: false)
        }
        defer { timer.cancel() }
        return await withCheckedContinuation { waiter in
            let hasEnded = state.withLock { state in
                if !state.hasEnded { state.waiters[number] = waiter }
                return state.hasEnded
            }
            if hasEnded { waiter.resume(returning: true) }
        }
    }
}

// @unchecked Sendable: only the task of the call uses the object until that task has ended. After that, only the caller
// uses it.
/// A closure for a task on a loop, and its result.
private final class LoopCall<Outcome>: @unchecked Sendable {
    private let body: (UVLoop) async throws -> Outcome
    private var result: Result<Outcome, any Error>?

    init(_ body: @escaping (UVLoop) async throws -> Outcome) { self.body = body }

    func perform(on loop: UVLoop) async {
        do { result = .success(try await body(loop)) } catch { result = .failure(error) }
    }

    func takeOutcome() throws -> Outcome {
        guard let result else { throw UVError(.cancelled, operation: "UVLoopThread.run") }
        return try result.get()
    }
}

/// A group of loops, each with its own thread; `next` returns the threads in turn.
///
/// Use it to distribute connections or other work among processors. For example, each loop can have its own
/// `UVTCPListener`, if all of these listeners share their port.
public final class UVLoopGroup: Sendable {
    /// The threads of the group.
    public let threads: [UVLoopThread]

    private let position: Locked<Int>

    /// Starts the threads.
    ///
    /// - Parameters:
    ///   - count: the number of threads, which is at least 1. The default is the number of processors that the process
    ///     may use.
    ///   - name: the name of the threads, to which a number is appended.
    ///   - configuration: the settings of the loops.
    /// - Throws: the errors of `UVLoopThread.init`. In that case, the threads that have already started are stopped.
    public init(
        count: Int = UVSystem.availableParallelism, name: String = "uv",
        configuration: UVLoop.Configuration = UVLoop.Configuration()
    ) throws(UVError) {
        position = try Locked(0)
        var threads: [UVLoopThread] = []
        do throws(UVError) {
            for index in 0..<max(1, count) {
                threads.append(try UVLoopThread(name: "\(name)-\(index)", configuration: configuration))
            }
        } catch {
            for thread in threads { thread.loop.stop() }
            throw error
        }
        self.threads = threads
    }

    /// Returns the next thread, in turn.
    ///
    /// Callable from any thread.
    public func next() -> UVLoopThread {
        position.withLock { position in
            defer { position = (position + 1) % threads.count }
            return threads[position]
        }
    }

    /// Ends all threads at the same time; see `UVLoopThread.shutdown`.
    ///
    /// - Parameter limit: the time limit for the wait for all threads.
    /// - Returns: the handles that the program had not closed.
    /// - Throws: the first error of `UVLoopThread.shutdown`, after the call has waited for all threads.
    @discardableResult
    public func shutdown(within limit: Duration = .seconds(10)) async throws -> [UVOpenHandle] {
        let results = await withTaskGroup(of: Result<[UVOpenHandle], any Error>.self) { group in
            for thread in threads {
                group.addTask {
                    do { return .success(try await thread.shutdown(within: limit)) } catch { return .failure(error) }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        return try results.flatMap { try $0.get() }
    }
}
