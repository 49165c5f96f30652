internal import Glibc

// @unchecked Sendable: `state` is read and written under the mutex only.
/// State that threads share, with the lock that guards it and a condition to wait on (`pthread_mutex_t`,
/// `pthread_cond_t`).
@safe
public final class Monitor<State: ~Copyable>: @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    private var state: State

    /// Makes a monitor that nobody holds.
    public init(_ state: consuming sending State) {
        unsafe mutex = .allocate(capacity: 1)
        unsafe condition = .allocate(capacity: 1)
        unsafe _ = pthread_mutex_init(mutex, nil)
        unsafe _ = pthread_cond_init(condition, nil)
        self.state = state
    }

    deinit {
        unsafe _ = pthread_cond_destroy(condition)
        unsafe _ = pthread_mutex_destroy(mutex)
        unsafe condition.deallocate()
        unsafe mutex.deallocate()
    }

    /// Calls `body` with the state, while no other thread has it (`pthread_mutex_lock`).
    public func withLock<Failure: Error, Outcome>(
        _ body: (inout State) throws(Failure) -> sending Outcome
    ) throws(Failure) -> sending Outcome {
        unsafe _ = pthread_mutex_lock(mutex)
        defer { unsafe _ = pthread_mutex_unlock(mutex) }
        return try body(&state)
    }

    /// Calls `body` with the state, again after each `notify`, until it returns something (`pthread_cond_wait`).
    public func wait<Outcome>(until body: (inout State) -> Outcome?) -> Outcome {
        unsafe _ = pthread_mutex_lock(mutex)
        defer { unsafe _ = pthread_mutex_unlock(mutex) }
        while true {
            if let outcome = body(&state) { return outcome }
            unsafe _ = pthread_cond_wait(condition, mutex)
        }
    }

    /// As `wait`, for at most `timeout` (`pthread_cond_timedwait`); `nil` where it has passed.
    public func wait<Outcome>(timeout: Duration, until body: (inout State) -> Outcome?) -> Outcome? {
        var end = timespec()
        unsafe _ = clock_gettime(CLOCK_REALTIME, &end)
        let (seconds, attoseconds) = timeout.components
        let nanoseconds = end.tv_nsec + Int(attoseconds / 1_000_000_000)
        end.tv_sec += Int(clamping: seconds) + nanoseconds / 1_000_000_000
        end.tv_nsec = nanoseconds % 1_000_000_000
        unsafe _ = pthread_mutex_lock(mutex)
        defer { unsafe _ = pthread_mutex_unlock(mutex) }
        while true {
            if let outcome = body(&state) { return outcome }
            if unsafe pthread_cond_timedwait(condition, mutex, &end) == ETIMEDOUT { return body(&state) }
        }
    }

    /// Lets one waiting thread look again (`pthread_cond_signal`).
    public func notify() { unsafe _ = pthread_cond_signal(condition) }

    /// Lets every waiting thread look again (`pthread_cond_broadcast`).
    public func notifyAll() { unsafe _ = pthread_cond_broadcast(condition) }
}
