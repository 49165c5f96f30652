import Glibc

/// Whether the tests run under a sanitizer, which does not return freed memory to the system.
var isSanitized: Bool { unsafe dlsym(nil, "__asan_init") != nil || isThreadSanitized }

/// Whether the tests run under Thread Sanitizer.
var isThreadSanitized: Bool { unsafe dlsym(nil, "__tsan_init") != nil }
