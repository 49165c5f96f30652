import Glibc

/// Whether the tests and the program run under a sanitizer.
var isSanitized: Bool {
    unsafe dlsym(nil, "__asan_init") != nil || dlsym(nil, "__tsan_init") != nil
}
