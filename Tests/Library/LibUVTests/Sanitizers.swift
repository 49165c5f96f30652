import Glibc

/// Whether the tests run under a sanitizer, which does not return freed memory to the system.
var isSanitized: Bool {
    unsafe dlsym(nil, "__asan_init") != nil || dlsym(nil, "__tsan_init") != nil
}
