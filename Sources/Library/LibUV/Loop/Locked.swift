internal import CLibUV

// @unchecked Sendable: the value is accessed only while the mutex is locked.
/// A value that several threads share, protected by a mutex (`uv_mutex_t`).
///
/// A mutex of libuv is used because Thread Sanitizer supports it.
@safe
final class Locked<Value>: @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<uv_mutex_t>
    private let value: UnsafeMutablePointer<Value>

    /// - Throws: the error of `uv_mutex_init`.
    init(_ initial: Value) throws(UVError) {
        unsafe mutex = .allocate(capacity: 1)
        unsafe value = .allocate(capacity: 1)
        unsafe mutex.initialize(to: uv_mutex_t())
        unsafe value.initialize(to: initial)
        try unsafe check(uv_mutex_init(mutex), "uv_mutex_init")
    }

    deinit {
        unsafe uv_mutex_destroy(mutex)
        unsafe value.deinitialize(count: 1)
        unsafe value.deallocate()
        unsafe mutex.deallocate()
    }

    /// Locks the mutex and calls `body` with the value.
    func withLock<Outcome>(_ body: (inout Value) -> Outcome) -> Outcome {
        unsafe uv_mutex_lock(mutex)
        defer { unsafe uv_mutex_unlock(mutex) }
        return unsafe body(&value.pointee)
    }
}
