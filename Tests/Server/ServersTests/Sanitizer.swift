import Glibc

/// The sanitizer under which the tests run.
enum Sanitizer {
    /// Whether Thread Sanitizer is active.
    static var isThread: Bool { unsafe dlsym(nil, "__tsan_init") != nil }
}
