internal import Glibc

// @unchecked Sendable: `state` is read and written only while the mutex is locked.
/// State that threads share, with a mutex and a condition variable (`pthread_mutex_t`, `pthread_cond_t`).
@safe
public final class Monitor<State: ~Copyable>: @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    private var state: State

    /// Makes a monitor with its initial state.
    public init(_ state: consuming sending State) {
        unsafe mutex = .allocate(capacity: 1)
        unsafe condition = .allocate(capacity: 1)
        unsafe _ = pthread_mutex_init(mutex, nil)
        // By default, the timeout of a wait is measured with the wall clock, which can be set back, so the monotonic
        // clock is chosen instead.
        var attributes = pthread_condattr_t()
        unsafe _ = pthread_condattr_init(&attributes)
        unsafe _ = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        unsafe _ = pthread_cond_init(condition, &attributes)
        unsafe _ = pthread_condattr_destroy(&attributes)
        self.state = state
    }

    deinit {
        unsafe _ = pthread_cond_destroy(condition)
        unsafe _ = pthread_mutex_destroy(mutex)
        unsafe condition.deallocate()
        unsafe mutex.deallocate()
    }

    /// Locks the mutex and calls `body` with the state (`pthread_mutex_lock`).
    public func withLock<Failure: Error, Outcome>(
        _ body: (inout State) throws(Failure) -> sending Outcome
    ) throws(Failure) -> sending Outcome {
        unsafe _ = pthread_mutex_lock(mutex)
        defer { unsafe _ = pthread_mutex_unlock(mutex) }
        return try body(&state)
    }

    /// Calls `body` with the state, or returns `nil` if another thread has locked the mutex (`pthread_mutex_trylock`).
    public func withLockIfAvailable<Outcome>(_ body: (inout State) -> sending Outcome) -> sending Outcome? {
        guard unsafe pthread_mutex_trylock(mutex) == 0 else { return nil }
        defer { unsafe _ = pthread_mutex_unlock(mutex) }
        return body(&state)
    }

    /// Calls `body` with the state, and again after each notification, until `body` returns a value
    /// (`pthread_cond_wait`).
    public func wait<Outcome>(until body: (inout State) -> Outcome?) -> Outcome {
        unsafe _ = pthread_mutex_lock(mutex)
        defer { unsafe _ = pthread_mutex_unlock(mutex) }
        while true {
            if let outcome = body(&state) { return outcome }
            unsafe _ = pthread_cond_wait(condition, mutex)
        }
    }

    /// Waits like `wait(until:)`, but returns `nil` if the timeout passes first (`pthread_cond_timedwait`).
    ///
    /// The timeout is measured with the monotonic clock.
    public func wait<Outcome>(timeout: Duration, until body: (inout State) -> Outcome?) -> Outcome? {
        var end = timespec()
        unsafe _ = clock_gettime(CLOCK_MONOTONIC, &end)
        end = timespec(.seconds(end.tv_sec) + .nanoseconds(end.tv_nsec) + timeout)
        unsafe _ = pthread_mutex_lock(mutex)
        defer { unsafe _ = pthread_mutex_unlock(mutex) }
        while true {
            if let outcome = body(&state) { return outcome }
            if unsafe pthread_cond_timedwait(condition, mutex, &end) == ETIMEDOUT { return body(&state) }
        }
    }

    /// Wakes one waiting thread (`pthread_cond_signal`).
    public func notify() { unsafe _ = pthread_cond_signal(condition) }

    /// Wakes all waiting threads (`pthread_cond_broadcast`).
    public func notifyAll() { unsafe _ = pthread_cond_broadcast(condition) }
}
