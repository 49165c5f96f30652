import Glibc

/// What the tests run under.
enum Sanitizer {
    /// Whether Thread Sanitizer is in the process.
    static var isThread: Bool { unsafe dlsym(nil, "__tsan_init") != nil }
}
