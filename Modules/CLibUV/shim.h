// What Swift needs of libuv beyond its header: a check of its version, names for what the importer cannot
// see (macros, variadic functions), and the few structures that C callbacks and Swift share.
#ifndef SWIFT_LIBUV_CLIBUV_SHIM_H
#define SWIFT_LIBUV_CLIBUV_SHIM_H

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#if UV_VERSION_HEX < 0x012C00
#error "swift-libuv needs the header of libuv 1.44 or later; install a newer libuv1-dev"
#endif

#pragma clang assume_nonnull begin

// The version of the header that this was compiled with, as UV_VERSION_HEX.
static const unsigned int cuv_header_version = UV_VERSION_HEX;

// --- Functions that are newer than 1.44: with an older header they answer that they are not there.

static inline uint64_t cuv_available_memory(void) {
#if UV_VERSION_HEX >= 0x012D00
    return uv_get_available_memory();
#else
    return 0;
#endif
}

static inline int cuv_getrusage_thread(uv_rusage_t *usage) {
#if UV_VERSION_HEX >= 0x013200
    return uv_getrusage_thread(usage);
#else
    (void)usage;
    return UV_ENOSYS;
#endif
}

// How many rounds the loop has made, how many events it has handled, and how many of those had been waiting.
static inline int cuv_metrics_info(uv_loop_t *loop, uint64_t *rounds, uint64_t *events, uint64_t *waiting) {
#if UV_VERSION_HEX >= 0x012D00
    uv_metrics_t metrics;
    int status = uv_metrics_info(loop, &metrics);
    if (status == 0) {
        *rounds = metrics.loop_count;
        *events = metrics.events;
        *waiting = metrics.events_waiting;
    }
    return status;
#else
    (void)loop, (void)rounds, (void)events, (void)waiting;
    return UV_ENOSYS;
#endif
}

// --- Upcasts: every handle begins with the fields of uv_handle_t, every stream with those of uv_stream_t.

static inline uv_stream_t *cuv_stream_of_tcp(uv_tcp_t *tcp) { return (uv_stream_t *)tcp; }
static inline uv_handle_t *cuv_handle_of_tcp(uv_tcp_t *tcp) { return (uv_handle_t *)tcp; }
static inline uv_stream_t *cuv_stream_of_handle(uv_handle_t *handle) { return (uv_stream_t *)handle; }
static inline uv_handle_t *cuv_handle_of_stream(uv_stream_t *stream) { return (uv_handle_t *)stream; }
static inline uv_handle_t *cuv_handle_of_timer(uv_timer_t *timer) { return (uv_handle_t *)timer; }
static inline uv_handle_t *cuv_handle_of_async(uv_async_t *async) { return (uv_handle_t *)async; }
static inline uv_handle_t *cuv_handle_of_signal(uv_signal_t *signal) { return (uv_handle_t *)signal; }
static inline uv_handle_t *cuv_handle_of_prepare(uv_prepare_t *prepare) { return (uv_handle_t *)prepare; }
static inline uv_handle_t *cuv_handle_of_check(uv_check_t *check) { return (uv_handle_t *)check; }
static inline uv_handle_t *cuv_handle_of_idle(uv_idle_t *idle) { return (uv_handle_t *)idle; }
static inline uv_handle_t *cuv_handle_of_udp(uv_udp_t *udp) { return (uv_handle_t *)udp; }

// --- The variadic uv_loop_configure, one function for each option.

static inline int cuv_loop_block_signal(uv_loop_t *loop, int signal) {
    return uv_loop_configure(loop, UV_LOOP_BLOCK_SIGNAL, signal);
}
static inline int cuv_loop_measure_idle_time(uv_loop_t *loop) {
    return uv_loop_configure(loop, UV_METRICS_IDLE_TIME);
}

// --- Names of Unix domain sockets with their length, which libuv takes since 1.46; UV_ENOSYS with older headers.

static inline int cuv_pipe_bind2(uv_pipe_t *pipe, const char *name, size_t count) {
#if UV_VERSION_HEX >= 0x012E00
    return uv_pipe_bind2(pipe, name, count, UV_PIPE_NO_TRUNCATE);
#else
    (void)pipe, (void)name, (void)count;
    return UV_ENOSYS;
#endif
}
static inline int cuv_pipe_connect2(
    uv_connect_t *request, uv_pipe_t *pipe, const char *name, size_t count, uv_connect_cb on_connect) {
#if UV_VERSION_HEX >= 0x012E00
    return uv_pipe_connect2(request, pipe, name, count, UV_PIPE_NO_TRUNCATE, on_connect);
#else
    (void)request, (void)pipe, (void)name, (void)count, (void)on_connect;
    return UV_ENOSYS;
#endif
}

// --- A loop, and what its C callbacks need of it. The uv_loop_t comes first: a handle's `loop` points here.

typedef struct cuv_loop {
    uv_loop_t loop;
    // The thread that the loop belongs to, and the one that is running or closing it now; zero where there is none.
    // Other threads ask for both, hence only through the functions below.
    uintptr_t owner;
    uintptr_t runner;
    // While the loop's thread has jobs left, the one is called after each round of I/O to run them, and the other
    // keeps that round from waiting.
    uv_check_t after_io;
    uv_idle_t without_waiting;
    // The pool of the loop's write buffers.
    void *pool;
    // How many streams have writes gathered behind one that the kernel has not taken whole.
    size_t gathering_streams;
    // The one buffer that every read of the loop borrows, for the length of a read callback.
    uv_buf_t read_buffer;
    // The stream whose answers are being counted, and how many of their bytes wait for their write callbacks.
    const uv_stream_t *_Nullable burst_stream;
    size_t burst_bytes;
    size_t burst_limit;
    // Lends memory that a reader has brought along, to a stream whose `data` says that there is such a reader.
    void (*lend_own)(uv_stream_t *stream, uv_buf_t *buffer);
    // Bytes read and written by all streams of the loop.
    uint64_t bytes_read;
    uint64_t bytes_written;
} cuv_loop;

static inline void cuv_loop_initialize(
    cuv_loop *loop, void *pool, uv_buf_t read_buffer, void (*lend_own)(uv_stream_t *stream, uv_buf_t *buffer)) {
    *loop = (cuv_loop){
        .owner = (uintptr_t)uv_thread_self(),
        .pool = pool,
        .read_buffer = read_buffer,
        .burst_limit = 64 * 1024,
        .lend_own = lend_own};
}

static inline cuv_loop *cuv_loop_of_stream(const uv_stream_t *stream) { return (cuv_loop *)stream->loop; }
static inline cuv_loop *cuv_loop_of_handle(const uv_handle_t *handle) { return (cuv_loop *)handle->loop; }
static inline int cuv_is_on_thread(const cuv_loop *loop) {
    return __atomic_load_n(&loop->owner, __ATOMIC_RELAXED) == (uintptr_t)uv_thread_self();
}
// Whether the calling thread is running or closing the loop: then nothing else is, and will not until it returns.
static inline int cuv_is_running_here(const cuv_loop *loop) {
    return __atomic_load_n(&loop->runner, __ATOMIC_RELAXED) == (uintptr_t)uv_thread_self();
}
static inline void cuv_begin_running(cuv_loop *loop) {
    __atomic_store_n(&loop->owner, (uintptr_t)uv_thread_self(), __ATOMIC_RELAXED);
    __atomic_store_n(&loop->runner, (uintptr_t)uv_thread_self(), __ATOMIC_RELAXED);
}
static inline void cuv_end_running(cuv_loop *loop) { __atomic_store_n(&loop->runner, 0, __ATOMIC_RELAXED); }

// --- Jobs of the loop's thread. Starting and stopping these handles touches memory only, and no descriptor.

static inline void cuv_do_not_wait(uv_idle_t *idle) { (void)idle; }
static inline void cuv_jobs_initialize(cuv_loop *loop) {
    (void)uv_check_init(&loop->loop, &loop->after_io);
    (void)uv_idle_init(&loop->loop, &loop->without_waiting);
}
static inline void cuv_jobs_begin(cuv_loop *loop, uv_check_cb run_jobs) {
    (void)uv_check_start(&loop->after_io, run_jobs);
    (void)uv_idle_start(&loop->without_waiting, cuv_do_not_wait);
}
static inline int cuv_has_jobs_begun(const cuv_loop *loop) {
    return uv_is_active((const uv_handle_t *)&loop->without_waiting);
}
static inline void cuv_jobs_end(cuv_loop *loop) {
    (void)uv_check_stop(&loop->after_io);
    (void)uv_idle_stop(&loop->without_waiting);
}
static inline void cuv_jobs_close(cuv_loop *loop) {
    if (!uv_is_closing((uv_handle_t *)&loop->after_io)) uv_close((uv_handle_t *)&loop->after_io, NULL);
    if (!uv_is_closing((uv_handle_t *)&loop->without_waiting)) uv_close((uv_handle_t *)&loop->without_waiting, NULL);
}

// Lends the loop's buffer to a read.
//
// libuv reads up to 32 times in a row from one stream, and calls write callbacks only in its next iteration.
// Answers beyond a limit would pile up in cold buffers: when the kernel has taken all of them and only their
// callbacks are due, nothing is lent. libuv then reports UV_ENOBUFS, which is ignored, and leaves its run of
// reads. While the kernel has not taken all of them the buffer is lent: what bounds the queue is the reader.
//
// The second bit of a stream's `data` says that a reader has brought memory of its own. Such a stream is never the
// one whose answers are counted, so that the question costs other streams nothing.
static inline void cuv_lend_read_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer) {
    uv_stream_t *stream = (uv_stream_t *)handle;
    cuv_loop *loop = (cuv_loop *)handle->loop;
    (void)suggested;
    if (loop->burst_stream != stream) {
        if ((uintptr_t)handle->data & 2) {
            loop->lend_own(stream, buffer);
            return;
        }
        loop->burst_stream = stream;
        loop->burst_bytes = 0;
    } else if (loop->burst_bytes > loop->burst_limit && stream->write_queue_size == 0) {
        buffer->base = NULL;
        buffer->len = 0;
        return;
    }
    *buffer = loop->read_buffer;
}

static inline void cuv_burst_wrote(const uv_stream_t *stream, size_t count) {
    cuv_loop *loop = (cuv_loop *)stream->loop;
    if (loop->burst_stream == stream) loop->burst_bytes += count;
}
static inline void cuv_burst_completed(const uv_stream_t *stream, size_t count) {
    cuv_loop *loop = (cuv_loop *)stream->loop;
    if (loop->burst_stream == stream) loop->burst_bytes -= count < loop->burst_bytes ? count : loop->burst_bytes;
}

static inline void cuv_burst_forget(const uv_stream_t *stream) {
    cuv_loop *loop = (cuv_loop *)stream->loop;
    if (loop->burst_stream == stream) loop->burst_stream = NULL;
}

static inline int cuv_read_start(uv_stream_t *stream, uv_read_cb on_read) {
    return uv_read_start(stream, cuv_lend_read_buffer, on_read);
}

// --- A block of memory for one write: the request, then the bytes, in one allocation.

typedef struct cuv_write_block {
    uv_write_t request;
    // The next block of a free list, or of a write of several buffers.
    struct cuv_write_block *_Nullable next;
    // The pool that the block goes back to.
    void *pool;
    // Bytes before `start` have been taken; `count` bytes from there are to be written.
    size_t start;
    size_t count;
    size_t capacity;
    uint32_t size_class;
    // 0: a write of one buffer; 1: the first of a write with a completion; 2: a further buffer of a write; 3: the
    // first of a write of several buffers without a completion.
    uint32_t role;
    // Room for a Swift closure.
    void *_Nullable completion[2];
    unsigned char bytes[];
} cuv_write_block;

static inline void cuv_block_initialize(cuv_write_block *block, void *pool, size_t capacity, uint32_t size_class) {
    *block = (cuv_write_block){.pool = pool, .capacity = capacity, .size_class = size_class};
}
static inline unsigned char *cuv_block_bytes(cuv_write_block *block) { return block->bytes; }
static inline uv_write_t *cuv_block_request(cuv_write_block *block) { return &block->request; }
static inline cuv_write_block *cuv_block_of_request(uv_write_t *request) { return (cuv_write_block *)request; }
static inline void *cuv_block_completion(cuv_write_block *block) { return block->completion; }
static inline size_t cuv_block_header_size(void) { return offsetof(cuv_write_block, bytes); }

static inline int cuv_write_one(cuv_write_block *block, uv_stream_t *stream, uv_write_cb on_write) {
    const uv_buf_t buffer = {.base = (char *)block->bytes + block->start, .len = block->count};
    return uv_write(&block->request, stream, &buffer, 1, on_write);
}

// --- Requests begin with the fields of uv_req_t; `handle` of a write is its stream.

static inline int cuv_try_write(uv_stream_t *stream, const void *_Nullable bytes, size_t count) {
    const uv_buf_t buffer = {.base = (char *)bytes, .len = count};
    return uv_try_write(stream, &buffer, 1);
}

static inline int cuv_try_write2(uv_stream_t *stream, const void *_Nullable bytes, size_t count, uv_stream_t *sent) {
    const uv_buf_t buffer = {.base = (char *)bytes, .len = count};
    return uv_try_write2(stream, &buffer, 1, sent);
}

// --- Datagrams.

// A send: libuv's request, the first of the blocks that make up the datagram, and where it goes to.
typedef struct cuv_datagram_request {
    uv_udp_send_t request;
    cuv_write_block *_Nullable first;
    // The next request of the free list, or of those that wait.
    struct cuv_datagram_request *_Nullable next;
    // Of the family AF_UNSPEC where the socket is connected.
    struct sockaddr_storage destination;
} cuv_datagram_request;

static inline void cuv_datagram_set_destination(
    cuv_datagram_request *datagram, const struct sockaddr *_Nullable destination) {
    datagram->destination.ss_family = AF_UNSPEC;
    if (destination == NULL) return;
    if (destination->sa_family == AF_INET) {
        *(struct sockaddr_in *)&datagram->destination = *(const struct sockaddr_in *)destination;
    } else if (destination->sa_family == AF_INET6) {
        *(struct sockaddr_in6 *)&datagram->destination = *(const struct sockaddr_in6 *)destination;
    }
}
static inline const struct sockaddr *_Nullable cuv_datagram_destination(const cuv_datagram_request *datagram) {
    return datagram->destination.ss_family == AF_UNSPEC ? NULL : (const struct sockaddr *)&datagram->destination;
}

static inline cuv_datagram_request *cuv_datagram_of_request(uv_udp_send_t *request) {
    return (cuv_datagram_request *)request;
}
static inline uv_udp_send_t *cuv_datagram_send(cuv_datagram_request *datagram) { return &datagram->request; }

static inline int cuv_udp_try_send(
    uv_udp_t *udp, const void *_Nullable bytes, size_t count, const struct sockaddr *_Nullable address) {
    const uv_buf_t buffer = {.base = (char *)bytes, .len = count};
    return uv_udp_try_send(udp, &buffer, 1, address);
}

// Puts a socket's callbacks in place that is not receiving. libuv 1.52 calls them all the same, where an error comes
// to a socket that is only sending, and ends the process if there are none.
static inline void cuv_udp_set_callbacks(uv_udp_t *udp, uv_alloc_cb on_lend, uv_udp_recv_cb on_receive) {
#if defined(_WIN32)
    (void)udp, (void)on_lend, (void)on_receive;
#else
    udp->alloc_cb = on_lend;
    udp->recv_cb = on_receive;
#endif
}

// Sends each buffer as a datagram of its own to one address; how many were sent. At most 20 in one call: of more,
// libuv 1.50 to 1.52 leaves out every second score, and counts as if it had not.
static inline int cuv_udp_try_send_each(
    uv_udp_t *udp, uv_buf_t *buffers, unsigned int count, struct sockaddr *_Nullable address) {
#if UV_VERSION_HEX >= 0x013200
    enum { limit = 20 };
    uv_buf_t *datagrams[limit];
    unsigned int sizes[limit];
    struct sockaddr *_Nullable addresses[limit];
    if (count > limit) count = limit;
    for (unsigned int index = 0; index < count; index++) {
        datagrams[index] = &buffers[index];
        sizes[index] = 1;
        addresses[index] = address;
    }
    return uv_udp_try_send2(udp, count, datagrams, sizes, addresses, 0);
#else
    (void)udp, (void)buffers, (void)count, (void)address;
    return UV_ENOSYS;
#endif
}

// The flag of uv_udp_bind that lets several sockets share a port; 0 where the header has none.
static inline unsigned int cuv_udp_share_port_flag(void) {
#if UV_VERSION_HEX >= 0x013100
    return UV_UDP_REUSEPORT;
#else
    return 0;
#endif
}

static inline int cuv_udp_open_ex(uv_udp_t *udp, uv_os_sock_t socket, unsigned int flags) {
#if UV_VERSION_HEX >= 0x013400
    return uv_udp_open_ex(udp, socket, flags);
#else
    (void)udp, (void)socket, (void)flags;
    return UV_ENOSYS;
#endif
}

// A handle that is closed only to learn that the loop has gone round once more, and what is kept until then.
typedef struct cuv_keeper {
    uv_timer_t timer;
    void *kept;
} cuv_keeper;

static inline uv_timer_t *cuv_keeper_timer(cuv_keeper *keeper) { return &keeper->timer; }
static inline cuv_keeper *cuv_keeper_of_handle(uv_handle_t *handle) { return (cuv_keeper *)handle; }

#pragma clang assume_nonnull end

// How many bytes have come on a socket and are not read yet; -1 where that cannot be told.
#if !defined(_WIN32)
#include <sys/ioctl.h>
static inline int cuv_unread_byte_count(int descriptor) {
    int count = 0;
    return ioctl(descriptor, FIONREAD, &count) == 0 ? count : -1;
}
#endif

#endif
