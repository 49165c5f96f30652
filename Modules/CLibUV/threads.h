// Functions that concern threads: thread names, the main queue, and a list of the write-buffer blocks that were dropped
// outside the loop's thread. Included by shim.h.
#ifndef SWIFT_LIBUV_CLIBUV_THREADS_H
#define SWIFT_LIBUV_CLIBUV_THREADS_H

#if !defined(_WIN32)
#include <dlfcn.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

// The GNU C library declares RTLD_DEFAULT only with _GNU_SOURCE.
#if defined(__linux__) && !defined(RTLD_DEFAULT)
#define RTLD_DEFAULT ((void *)0)
#endif

#pragma clang assume_nonnull begin

// --- Blocks that other threads have dropped. A push needs no lock. The loop's thread always takes the whole list,
// never a single block. Therefore a push is correct even if the first block leaves the list and comes back during the
// push.

typedef struct cuv_returned_blocks {
    // The thread to which the pool belongs.
    uintptr_t thread;
    // The first block, or CUV_POOL_CLOSED or CUV_POOL_ABANDONED in place of a pointer.
    cuv_write_block *_Nullable head;
    // The number of blocks that other threads have made, minus the number that they have freed.
    ptrdiff_t balance;
} cuv_returned_blocks;

// The states of a pool. They decide what happens to a dropped block: an open pool keeps it, a closed pool frees it and
// releases a reference to the loop object, and an abandoned pool only frees it.
enum { CUV_POOL_OPEN = 0, CUV_POOL_CLOSED = 1, CUV_POOL_ABANDONED = 2 };

static inline void cuv_returned_initialize(cuv_returned_blocks *returned) {
    *returned = (cuv_returned_blocks){.thread = cuv_this_thread()};
}
static inline void cuv_returned_belong_here(cuv_returned_blocks *returned) {
    __atomic_store_n(&returned->thread, cuv_this_thread(), __ATOMIC_RELAXED);
}
static inline int cuv_returned_belongs_here(const cuv_returned_blocks *returned) {
    return __atomic_load_n(&returned->thread, __ATOMIC_RELAXED) == cuv_this_thread();
}
static inline int cuv_returned_is_mark(const cuv_write_block *_Nullable block) {
    return (uintptr_t)block == CUV_POOL_CLOSED || (uintptr_t)block == CUV_POOL_ABANDONED;
}
// Adds a block to the list of an open pool, and returns the pool's state. If the state is not CUV_POOL_OPEN, the caller
// must free the block.
static inline int cuv_returned_push(cuv_returned_blocks *returned, cuv_write_block *block) {
    cuv_write_block *head = __atomic_load_n(&returned->head, __ATOMIC_ACQUIRE);
    do {
        if (cuv_returned_is_mark(head)) return (int)(uintptr_t)head;
        block->next = head;
    } while (!__atomic_compare_exchange_n(&returned->head, &head, block, 1, __ATOMIC_RELEASE, __ATOMIC_ACQUIRE));
    return CUV_POOL_OPEN;
}
// Takes all blocks of an open pool.
static inline cuv_write_block *_Nullable cuv_returned_take(cuv_returned_blocks *returned) {
    if (__atomic_load_n(&returned->head, __ATOMIC_RELAXED) == NULL) return NULL;
    return __atomic_exchange_n(&returned->head, NULL, __ATOMIC_ACQUIRE);
}
// Takes all blocks, and makes all later pushes return `state`.
static inline cuv_write_block *_Nullable cuv_returned_close(cuv_returned_blocks *returned, int state) {
    cuv_write_block *head =
        __atomic_exchange_n(&returned->head, (cuv_write_block *)(uintptr_t)state, __ATOMIC_ACQ_REL);
    return cuv_returned_is_mark(head) ? NULL : head;
}
static inline ptrdiff_t cuv_returned_balance(const cuv_returned_blocks *returned) {
    return __atomic_load_n(&returned->balance, __ATOMIC_RELAXED);
}
static inline ptrdiff_t cuv_returned_take_balance(cuv_returned_blocks *returned) {
    return __atomic_exchange_n(&returned->balance, 0, __ATOMIC_RELAXED);
}
static inline void cuv_returned_add(cuv_returned_blocks *returned, ptrdiff_t count) {
    (void)__atomic_fetch_add(&returned->balance, count, __ATOMIC_RELAXED);
}

// --- Threads of loops.

#if !defined(_WIN32)
// Sets the name of the calling thread. On Linux, the name must have at most 15 bytes.
static inline void cuv_set_thread_name(const char *name) {
#if defined(__linux__)
    (void)pthread_setname_np(pthread_self(), name);
#elif defined(__APPLE__)
    (void)pthread_setname_np(name);
#else
    (void)name;
#endif
}
static inline void cuv_thread_detach(uv_thread_t thread) { (void)pthread_detach(thread); }

// --- The main queue of libdispatch, which runs the jobs of Swift's main actor. Its descriptor becomes readable when
// jobs are enqueued. CoreFoundation's run loop serves the queue with the functions below. The weak declarations find
// these functions in a statically linked program. Otherwise the functions are looked up by name at run time, so that a
// program can be linked without libdispatch.

extern int cuv_dispatch_handle(void) __asm__("_dispatch_get_main_queue_handle_4CF") __attribute__((weak));
extern void cuv_dispatch_callback(void *_Nullable) __asm__("_dispatch_main_queue_callback_4CF") __attribute__((weak));
extern const char *_Nullable cuv_dispatch_label(void *_Nullable) __asm__("dispatch_queue_get_label")
    __attribute__((weak));

// Returns whether the calling thread is the first thread of the process.
static inline int cuv_is_main_thread(void) {
#if defined(__linux__)
    return syscall(SYS_gettid) == getpid();
#elif defined(__APPLE__)
    return pthread_main_np();
#else
    return 0;
#endif
}
// Returns the main queue's descriptor, or -1 if the program has no libdispatch or the platform has no such descriptor.
static inline int cuv_main_queue_descriptor(void) {
#if defined(__linux__)
    int (*handle)(void) = cuv_dispatch_handle;
    if (handle == NULL) handle = (int (*)(void))dlsym(RTLD_DEFAULT, "_dispatch_get_main_queue_handle_4CF");
    return handle == NULL ? -1 : handle();
#else
    return -1;
#endif
}
// Makes the descriptor readable.
static inline void cuv_main_queue_poke(int descriptor) {
    const uint64_t one = 1;
    (void)!write(descriptor, &one, sizeof one);
}
// Runs the queued jobs of the main queue. The descriptor is an event counter. The function resets the counter before it
// runs the jobs, so that a job that is enqueued while they run makes the descriptor readable again.
static inline void cuv_main_queue_run(int descriptor) {
    uint64_t count;
    (void)!read(descriptor, &count, sizeof count);
    void (*callback)(void *_Nullable) = cuv_dispatch_callback;
    if (callback == NULL) callback = (void (*)(void *_Nullable))dlsym(RTLD_DEFAULT, "_dispatch_main_queue_callback_4CF");
    if (callback != NULL) callback(NULL);
}
// Returns whether the calling code is running on the main queue.
static inline int cuv_is_on_main_queue(void) {
    const char *(*label)(void *_Nullable) = cuv_dispatch_label;
    if (label == NULL) label = (const char *(*)(void *_Nullable))dlsym(RTLD_DEFAULT, "dispatch_queue_get_label");
    const char *name = label == NULL ? NULL : label(NULL);
    return name == NULL ? 0 : strcmp(name, "com.apple.main-thread") == 0;
}
#endif

#pragma clang assume_nonnull end

#endif
