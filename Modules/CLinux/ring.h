// The kernel's interface of io_uring: the layout of the shared memory, and the three system calls. A build machine may
// lack liburing, so this package does not use it, and every build contains the model `io-uring`. <linux/io_uring.h> is
// not included, because it would turn the kernel's types into types of this module.
#ifndef SWIFT_LIBUV_CLINUX_RING_H
#define SWIFT_LIBUV_CLINUX_RING_H

#include "shim.h"
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

// A request (io_uring_sqe). The kernel returns the tag with each completion of the request.
struct clinux_ring_request {
    uint8_t operation, flags;
    uint16_t priority;
    int32_t descriptor;
    uint64_t offset, address;
    uint32_t length, operation_flags;
    int32_t tag_descriptor;
    uint32_t tag_kind;
    uint16_t buffer_group, personality;
    int32_t file_index;
    uint64_t padding[2];
};

// A completion (io_uring_cqe).
struct clinux_ring_completion {
    int32_t tag_descriptor;
    uint32_t tag_kind;
    int32_t result;
    uint32_t flags;
};

// An entry of the ring of provided buffers (io_uring_buf). The tail of that ring is in the last two bytes of its first
// entry.
struct clinux_ring_buffer {
    uint64_t address;
    uint32_t length;
    uint16_t identifier, tail;
};

enum {
    clinux_ring_nothing = 0,
    clinux_ring_poll = 6,
    clinux_ring_accept = 13,
    clinux_ring_cancel = 14,
    clinux_ring_send = 26,
    clinux_ring_receive = 27,
    // Flags of a request: it takes a provided buffer; it has no completion if it succeeds.
    clinux_ring_selects_buffer = 1 << 5,
    clinux_ring_skips_success = 1 << 6,
    // Multishot flags, which accept and receive take in the priority field (`ioprio`): one request completes many
    // times.
    clinux_ring_accepts_many = 1,
    clinux_ring_receives_many = 2,
    // Flags of send: it does not wait for the client; a partial send counts as a failure, and therefore has a
    // completion; a closed connection raises no SIGPIPE.
    clinux_ring_send_flags = MSG_DONTWAIT | MSG_WAITALL | MSG_NOSIGNAL,
    // Flags of cancel: it cancels all requests of a descriptor.
    clinux_ring_cancels_all = 1 << 0 | 1 << 1,
    // Flags of a completion: it has a buffer; the request completes again.
    clinux_ring_has_buffer = 1,
    clinux_ring_has_more = 2,
};

// The ring of requests and the ring of completions, in memory that the process shares with the kernel.
struct clinux_ring {
    int32_t descriptor;
    uint32_t request_count, request_mask, completion_mask;
    // The number of requests that have been made. The first `*request_head` of them have been submitted.
    uint32_t made;
    // The number of completions that have been removed.
    uint32_t removed;
    const uint32_t *_Nullable request_head, *_Nullable request_flags;
    uint32_t *_Nullable request_tail;
    uint32_t *_Nullable completion_head;
    const uint32_t *_Nullable completion_tail;
    struct clinux_ring_request *_Nullable requests;
    struct clinux_ring_completion *_Nullable completions;
    void *_Nullable memory;
    size_t byte_count;
    struct clinux_ring_buffer *_Nullable buffers;
    uint32_t buffer_mask;
    uint16_t buffer_tail;
};

static inline void clinux_ring_close(struct clinux_ring *_Nonnull ring) {
    if (ring->buffers) munmap(ring->buffers, (ring->buffer_mask + 1) * sizeof *ring->buffers);
    if (ring->requests) munmap(ring->requests, ring->request_count * sizeof *ring->requests);
    if (ring->memory) munmap(ring->memory, ring->byte_count);
    if (ring->descriptor >= 0) close(ring->descriptor);
    __builtin_memset(ring, 0, sizeof *ring);
    ring->descriptor = -1;
}

// Makes both rings (io_uring_setup). Only the calling thread may use them. The kernel runs the ring's deferred work on
// that thread, and only while the thread waits for completions. The kernel rounds both sizes up to powers of two.
// Returns 0 or a negative error number.
static inline long clinux_ring_open(struct clinux_ring *_Nonnull ring, uint32_t requests, uint32_t completions) {
    struct {
        uint32_t requests, completions, flags, thread, idle, features, queue, reserved[3];
        struct { uint32_t head, tail, mask, entries, flags, dropped, array, reserved; uint64_t address; } request;
        struct { uint32_t head, tail, mask, entries, overflow, entry, flags, reserved; uint64_t address; } completion;
    } setup;
    __builtin_memset(ring, 0, sizeof *ring);
    __builtin_memset(&setup, 0, sizeof setup);
    setup.completions = completions;
    // CQSIZE, CLAMP, SINGLE_ISSUER, DEFER_TASKRUN.
    setup.flags = 1 << 3 | 1 << 4 | 1 << 12 | 1 << 13;
    long descriptor = clinux_call(425, requests, (long)&setup, 0, 0, 0, 0);
    ring->descriptor = (int)descriptor;
    if (descriptor < 0) return descriptor;
    size_t first = setup.request.array + setup.requests * sizeof(uint32_t);
    size_t second = setup.completion.entry + setup.completions * sizeof(struct clinux_ring_completion);
    ring->byte_count = first > second ? first : second;
    ring->request_count = setup.requests;
    const int protection = PROT_READ | PROT_WRITE, kind = MAP_SHARED | MAP_POPULATE;
    void *memory = mmap(NULL, ring->byte_count, protection, kind, ring->descriptor, 0);
    void *entries = mmap(NULL, setup.requests * sizeof *ring->requests, protection, kind, ring->descriptor, 0x10000000);
    ring->memory = memory == MAP_FAILED ? NULL : memory;
    ring->requests = entries == MAP_FAILED ? NULL : (struct clinux_ring_request *)entries;
    if (!ring->memory || !ring->requests) {
        clinux_ring_close(ring);
        return -ENOMEM;
    }
    char *base = (char *)ring->memory;
    ring->request_mask = setup.requests - 1;
    ring->completion_mask = setup.completions - 1;
    ring->request_head = (uint32_t *)(base + setup.request.head);
    ring->request_tail = (uint32_t *)(base + setup.request.tail);
    ring->request_flags = (uint32_t *)(base + setup.request.flags);
    ring->completion_head = (uint32_t *)(base + setup.completion.head);
    ring->completion_tail = (uint32_t *)(base + setup.completion.tail);
    ring->completions = (struct clinux_ring_completion *)(base + setup.completion.entry);
    // The kernel reads the requests in the order of this array, which never changes: index `place` selects the request
    // at `place`.
    for (uint32_t place = 0; place < setup.requests; place++)
        ((uint32_t *)(base + setup.request.array))[place] = place;
    return 0;
}

// Registers a ring of `count` provided buffers (IORING_REGISTER_PBUF_RING). `count` must be a power of two. Returns 0 or a
// negative error number.
static inline long clinux_ring_provide(struct clinux_ring *_Nonnull ring, uint32_t count) {
    void *memory = mmap(NULL, count * sizeof *ring->buffers, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return -ENOMEM;
    ring->buffers = (struct clinux_ring_buffer *)memory;
    ring->buffer_mask = count - 1;
    const struct { uint64_t address; uint32_t count; uint16_t group, flags; uint64_t reserved[3]; } registration = {
        (uint64_t)(uintptr_t)memory, count, 0, 0, {0, 0, 0}};
    return clinux_call(427, ring->descriptor, 22, (long)&registration, 1, 0, 0);
}

// Adds a buffer to the ring of provided buffers. The kernel sees the buffer after `clinux_ring_publish`.
static inline void clinux_ring_return(
    struct clinux_ring *_Nonnull ring, void *_Nonnull bytes, uint32_t length, uint16_t identifier) {
    struct clinux_ring_buffer *buffer = &ring->buffers[ring->buffer_tail++ & ring->buffer_mask];
    buffer->address = (uint64_t)(uintptr_t)bytes;
    buffer->length = length;
    buffer->identifier = identifier;
}
static inline void clinux_ring_publish(struct clinux_ring *_Nonnull ring) {
    __atomic_store_n(&ring->buffers[0].tail, ring->buffer_tail, __ATOMIC_RELEASE);
}

// Returns the number of requests that have been made but not submitted.
static inline uint32_t clinux_ring_unsubmitted(const struct clinux_ring *_Nonnull ring) {
    return ring->made - __atomic_load_n(ring->request_head, __ATOMIC_ACQUIRE);
}

// Makes a request. The ring must not be full. The fields that no request needs are always 0.
static inline void clinux_ring_make(
    struct clinux_ring *_Nonnull ring, uint8_t operation, uint8_t flags, uint16_t priority, int32_t descriptor,
    const void *_Nullable address, uint32_t length, uint32_t operation_flags, uint32_t kind) {
    struct clinux_ring_request *request = &ring->requests[ring->made++ & ring->request_mask];
    request->operation = operation;
    request->flags = flags;
    request->priority = priority;
    request->descriptor = descriptor;
    request->address = (uint64_t)(uintptr_t)address;
    request->length = length;
    request->operation_flags = operation_flags;
    request->tag_descriptor = descriptor;
    request->tag_kind = kind;
}
static inline int clinux_ring_is_full(const struct clinux_ring *_Nonnull ring) {
    return clinux_ring_unsubmitted(ring) == ring->request_count;
}
// Returns the request that was made `count` requests before the next one.
static inline struct clinux_ring_request *_Nonnull clinux_ring_request_before(
    const struct clinux_ring *_Nonnull ring, uint32_t count) {
    return &ring->requests[(ring->made - count) & ring->request_mask];
}

// Submits all requests, and waits for `wanted` completions (io_uring_enter). `timeout` is NULL, or points to seconds and
// nanoseconds. Returns 0 if the kernel has consumed all requests, 1 if it has not, or a negative error number.
static inline long clinux_ring_enter(
    struct clinux_ring *_Nonnull ring, uint32_t wanted, const long *_Nullable timeout) {
    __atomic_store_n(ring->request_tail, ring->made, __ATOMIC_RELEASE);
    const long count = clinux_ring_unsubmitted(ring);
    const struct { uint64_t mask; uint32_t mask_size, reserved; uint64_t timeout; } argument = {
        0, 0, 0, (uint64_t)(uintptr_t)timeout};
    // The flags are GETEVENTS and, if there is a timeout, EXT_ARG.
    const long consumed =
        timeout ? clinux_call(426, ring->descriptor, count, wanted, 1 | 1 << 3, (long)&argument, sizeof argument)
                : clinux_call(426, ring->descriptor, count, wanted, 1, 0, 0);
    if (__builtin_expect(consumed == count, 1)) return 0;
    return consumed < 0 ? consumed : 1;
}

// Returns whether the kernel has completions for which the queue has no room. clinux_ring_enter moves them to the queue.
static inline int clinux_ring_has_overflow(const struct clinux_ring *_Nonnull ring) {
    return (__atomic_load_n(ring->request_flags, __ATOMIC_ACQUIRE) & 1 << 1) != 0;
}

static inline uint32_t clinux_ring_completed(const struct clinux_ring *_Nonnull ring) {
    return __atomic_load_n(ring->completion_tail, __ATOMIC_ACQUIRE) - ring->removed;
}
static inline struct clinux_ring_completion *_Nonnull clinux_ring_completion_at(
    const struct clinux_ring *_Nonnull ring, uint32_t index) {
    return &ring->completions[(ring->removed + index) & ring->completion_mask];
}
static inline void clinux_ring_remove(struct clinux_ring *_Nonnull ring, uint32_t count) {
    ring->removed += count;
    __atomic_store_n(ring->completion_head, ring->removed, __ATOMIC_RELEASE);
}

#endif
