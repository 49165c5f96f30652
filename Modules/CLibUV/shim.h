// Declares what Swift needs in addition to libuv's header: a check of the header's version, substitutes for macros and
// variadic functions (which Swift cannot import), and structures that C callbacks and Swift share.
#ifndef SWIFT_LIBUV_CLIBUV_SHIM_H
#define SWIFT_LIBUV_CLIBUV_SHIM_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#if defined(__linux__)
#include <sys/epoll.h>
#endif
#include <uv.h>

#if UV_VERSION_HEX < 0x012C00
#error "swift-libuv needs the header of libuv 1.44 or later; install a newer libuv1-dev"
#endif

#pragma clang assume_nonnull begin

// Returns a number that identifies the calling thread. Reading the thread pointer takes one instruction, whereas
// uv_thread_self is a call. The assembly is volatile because an async function can continue on another thread, so the
// compiler must not reuse an earlier result.
static inline uintptr_t cuv_this_thread(void) {
#if defined(__linux__) && defined(__x86_64__)
    uintptr_t thread;
    __asm__ volatile("movq %%fs:0, %0" : "=r"(thread));
    return thread;
#elif defined(__linux__) && defined(__aarch64__)
    uintptr_t thread;
    __asm__ volatile("mrs %0, tpidr_el0" : "=r"(thread));
    return thread;
#else
    return (uintptr_t)uv_thread_self();
#endif
}

// Returns the address of the running Swift task, or zero if there is none. withUnsafeCurrentTask calls the same
// function of the runtime, but also retains and releases the task.
extern __attribute__((swiftcall)) void *_Nullable swift_task_getCurrent(void);
static inline uintptr_t cuv_current_task(void) { return (uintptr_t)swift_task_getCurrent(); }

// Returns whether the running task, whose address is `task`, has been cancelled.
extern __attribute__((swiftcall)) _Bool swift_task_isCancelled(void *task);
static inline int cuv_is_cancelled(uintptr_t task) { return swift_task_isCancelled((void *)task); }

// The version of the header at compile time, in the format of UV_VERSION_HEX.
static const unsigned int cuv_header_version = UV_VERSION_HEX;

// --- Functions that libuv added after 1.44. With an older header, the substitutes return 0 or UV_ENOSYS.

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

// Reads three of the loop's counters: iterations, handled events, and events that were already waiting when the loop
// polled.
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

// --- Upcasts. They are valid because every handle begins with the fields of uv_handle_t, and every stream with those
// of uv_stream_t.

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
static inline uv_handle_t *cuv_handle_of_poll(uv_poll_t *poll) { return (uv_handle_t *)poll; }
static inline uv_handle_t *cuv_handle_of_udp(uv_udp_t *udp) { return (uv_handle_t *)udp; }

// --- One function for each option of uv_loop_configure, which is variadic.

static inline int cuv_loop_block_signal(uv_loop_t *loop, int signal) {
    return uv_loop_configure(loop, UV_LOOP_BLOCK_SIGNAL, signal);
}
static inline int cuv_loop_measure_idle_time(uv_loop_t *loop) {
    return uv_loop_configure(loop, UV_METRICS_IDLE_TIME);
}

// --- A function of libuv 1.46 that takes the name of a Unix domain socket together with its length. With an older
// header, the substitute returns UV_ENOSYS.

static inline int cuv_pipe_connect2(
    uv_connect_t *request, uv_pipe_t *pipe, const char *name, size_t count, uv_connect_cb on_connect) {
#if UV_VERSION_HEX >= 0x012E00
    return uv_pipe_connect2(request, pipe, name, count, UV_PIPE_NO_TRUNCATE, on_connect);
#else
    (void)request, (void)pipe, (void)name, (void)count, (void)on_connect;
    return UV_ENOSYS;
#endif
}

// --- A loop and the state of its C callbacks. The uv_loop_t must be the first field, because a handle's `loop` points
// to it and is cast to cuv_loop.

typedef struct cuv_loop {
    uv_loop_t loop;
    // `owner` is the thread that owns the loop. `runner` is the thread that is running or closing the loop, or zero if
    // there is no such thread. Other threads read both fields, so access them only through the atomic functions below.
    uintptr_t owner;
    uintptr_t runner;
    // Both handles are active while jobs for the loop's thread are queued. `after_io` runs the jobs after the I/O of
    // each iteration, and `without_waiting` prevents the iteration from waiting for I/O.
    uv_check_t after_io;
    uv_idle_t without_waiting;
    // The pool of write buffers for the loop.
    void *pool;
    // The buffer for reading, which each read borrows until its read callback returns.
    uv_buf_t read_buffer;
    // The stream whose reply bytes are being counted, and the number of its reply bytes that still wait for their write
    // callbacks.
    const uv_stream_t *_Nullable burst_stream;
    size_t burst_bytes;
    size_t burst_limit;
    // Lends memory for a read of a stream whose reader provides memory. A bit in the stream's `data` marks such
    // streams.
    void (*lend_own)(uv_stream_t *stream, uv_buf_t *buffer);
    // The total number of bytes that all streams of the loop have read and written.
    uint64_t bytes_read;
    uint64_t bytes_written;
    // The number of bytes that tasks have written since a task last waited on a connection of this loop.
    size_t turn_bytes;
} cuv_loop;

static inline void cuv_loop_initialize(
    cuv_loop *loop, void *pool, uv_buf_t read_buffer, void (*lend_own)(uv_stream_t *stream, uv_buf_t *buffer)) {
    *loop = (cuv_loop){
        .owner = cuv_this_thread(),
        .pool = pool,
        .read_buffer = read_buffer,
        .burst_limit = 64 * 1024,
        .lend_own = lend_own};
}

static inline cuv_loop *cuv_loop_of_stream(const uv_stream_t *stream) { return (cuv_loop *)stream->loop; }
static inline cuv_loop *cuv_loop_of_handle(const uv_handle_t *handle) { return (cuv_loop *)handle->loop; }
static inline int cuv_is_on_thread(const cuv_loop *loop) {
    return __atomic_load_n(&loop->owner, __ATOMIC_RELAXED) == cuv_this_thread();
}
// Returns whether the calling thread is running or closing the loop. If it is, no other thread can do so at the same
// time.
static inline int cuv_is_running_here(const cuv_loop *loop) {
    return __atomic_load_n(&loop->runner, __ATOMIC_RELAXED) == cuv_this_thread();
}
static inline void cuv_begin_running(cuv_loop *loop) {
    __atomic_store_n(&loop->owner, cuv_this_thread(), __ATOMIC_RELAXED);
    __atomic_store_n(&loop->runner, cuv_this_thread(), __ATOMIC_RELAXED);
}
static inline void cuv_end_running(cuv_loop *loop) { __atomic_store_n(&loop->runner, 0, __ATOMIC_RELAXED); }

// --- Jobs for the loop's thread. Starting and stopping `after_io` and `without_waiting` makes no system call.

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
// libuv reads up to 32 times in a row from one stream, but calls write callbacks only after all events of the current
// wait. Without a limit, replies would accumulate in more buffers than the processor cache can hold. Therefore this
// function stops the series of reads once the stream's replies exceed `burst_limit` bytes. It does so by lending no
// buffer, which makes libuv report UV_ENOBUFS. The library ignores that error. The limit applies only while the write
// queue is empty, that is, if the kernel has accepted all replies, but some write callbacks have not been called yet.
// If replies are still queued, the function lends the buffer, because the reader is responsible for limiting the write
// queue.
//
// The second-lowest bit of a stream's `data` is set if its reader provides memory. The replies of such a stream are
// never counted. The function checks the bit only if the read is not for `burst_stream`, so the check costs almost
// nothing for streams whose readers do not provide memory.
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

// Adds the descriptor of an active handle to the loop's epoll instance immediately. Otherwise libuv would add the
// descriptor before the loop's next wait, and would abort the process if the kernel could not add it. Once the
// epoll instance contains the descriptor, libuv only changes the descriptor's events, and this change needs no memory.
// The handle must be active, because libuv looks up each descriptor that epoll reports in a table, which has entries
// only for the descriptors of active handles.
// Returns 0 or a negative error number. After an error, the caller must deactivate the handle.
static inline int cuv_watch(const uv_handle_t *handle) {
#if defined(__linux__)
    int descriptor;
    if (uv_fileno(handle, &descriptor) != 0) return 0;
    struct epoll_event event = {.events = 0, .data = {.fd = descriptor}};
    if (epoll_ctl(uv_backend_fd(handle->loop), EPOLL_CTL_ADD, descriptor, &event) == 0) return 0;
    return errno == ENOMEM || errno == ENOSPC ? -errno : 0;
#else
    (void)handle;
    return 0;
#endif
}

// --- A memory block for one write, which contains the request and the bytes in one allocation.

// The role of a block in its write.
typedef enum __attribute__((enum_extensibility(closed))) cuv_block_role : uint32_t {
    // The block has the only buffer of the write.
    CUV_BLOCK_ROLE_ONLY __attribute__((swift_name("only"))) = 0,
    // The block has the first buffer of a write that has a completion.
    CUV_BLOCK_ROLE_FIRST_WITH_COMPLETION __attribute__((swift_name("firstWithCompletion"))),
    // The block has the second or a later buffer of a write.
    CUV_BLOCK_ROLE_FURTHER __attribute__((swift_name("further"))),
    // The block has the first buffer of a write that has no completion, and other blocks follow in the chain.
    CUV_BLOCK_ROLE_FIRST __attribute__((swift_name("first"))),
} cuv_block_role;

typedef struct cuv_write_block {
    uv_write_t request;
    // The next block in the free list, or the next block of the same write.
    struct cuv_write_block *_Nullable next;
    // The pool to which the block belongs.
    void *pool;
    // The bytes before `start` have been consumed. The `count` bytes that begin at `start` are to be written.
    size_t start;
    size_t count;
    size_t capacity;
    uint32_t size_class;
    cuv_block_role role;
    // Storage for a Swift closure.
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

// --- Writes without a request.

static inline int cuv_try_write(uv_stream_t *stream, const void *_Nullable bytes, size_t count) {
    const uv_buf_t buffer = {.base = (char *)bytes, .len = count};
    return uv_try_write(stream, &buffer, 1);
}

static inline int cuv_try_write2(uv_stream_t *stream, const void *_Nullable bytes, size_t count, uv_stream_t *sent) {
    const uv_buf_t buffer = {.base = (char *)bytes, .len = count};
    return uv_try_write2(stream, &buffer, 1, sent);
}

// --- Datagrams.

// One datagram to send: libuv's request, the datagram's first block, and its destination.
typedef struct cuv_datagram_request {
    uv_udp_send_t request;
    cuv_write_block *_Nullable first;
    // The next request in the free list, or in the queue.
    struct cuv_datagram_request *_Nullable next;
    // The destination, whose family is AF_UNSPEC if the socket is connected.
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

// Sets the receive callbacks of a socket that is not receiving. libuv 1.52 calls these callbacks even for an error on a
// socket that only sends, and aborts the process if they are not set.
static inline void cuv_udp_set_callbacks(uv_udp_t *udp, uv_alloc_cb on_lend, uv_udp_recv_cb on_receive) {
#if defined(_WIN32)
    (void)udp, (void)on_lend, (void)on_receive;
#else
    udp->alloc_cb = on_lend;
    udp->recv_cb = on_receive;
#endif
}

// Sends each buffer as a separate datagram to one address, and returns the number of datagrams sent. One call sends at
// most 20 datagrams, because libuv 1.50 to 1.52 skips every second group of 20 datagrams, but counts the skipped
// datagrams as sent.
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

// Returns the flag of uv_udp_bind that lets several sockets share a port, or 0 if the header lacks the flag.
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

// Memory that must be kept for one more iteration of the loop, and a timer handle. The timer is never started. It
// exists because its close callback shows that the iteration has passed.
typedef struct cuv_keeper {
    uv_timer_t timer;
    void *kept;
} cuv_keeper;

static inline uv_timer_t *cuv_keeper_timer(cuv_keeper *keeper) { return &keeper->timer; }
static inline cuv_keeper *cuv_keeper_of_handle(uv_handle_t *handle) { return (cuv_keeper *)handle; }

#pragma clang assume_nonnull end

// --- System calls for which libuv has no function. The Swift code also makes some system calls itself. It gets their
// declarations from the headers that are included here, because the C library's module has a different name on each
// platform.

#if !defined(_WIN32)
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#if defined(__GLIBC__)
#include <malloc.h>
#endif
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/syscall.h>
#endif

// The types of sockets. On some platforms, SOCK_STREAM and SOCK_DGRAM are members of an enumeration, which Swift
// imports differently.
static const int cuv_stream_type = SOCK_STREAM;
static const int cuv_datagram_type = SOCK_DGRAM;

// Substitutes for errno and for variadic functions. Swift can import neither.
static inline int cuv_errno(void) { return errno; }
static inline int cuv_fcntl(int descriptor, int command, int argument) { return fcntl(descriptor, command, argument); }
static inline int cuv_open_nothing(void) { return open("/dev/null", O_RDONLY | O_CLOEXEC); }

// Closes the descriptor `number`, and makes `number` refer to the same file as `descriptor`. Both happen in one step,
// so that no other thread can get the number between the two. Returns 0 or a negative error number.
static inline int cuv_replace_descriptor(int descriptor, int number) {
    int status;
#if defined(__linux__)
    // The GNU C library declares this function only with _GNU_SOURCE.
    extern int dup3(int, int, int);
    do status = dup3(descriptor, number, O_CLOEXEC);
    while (status < 0 && errno == EINTR);
#else
    do status = dup2(descriptor, number);
    while (status < 0 && errno == EINTR);
    if (status >= 0) (void)fcntl(number, F_SETFD, FD_CLOEXEC);
#endif
    return status < 0 ? -errno : 0;
}

// Opens the null device for use as a standard descriptor, which child processes may inherit. Returns the descriptor or
// a negative error number.
static inline int cuv_open_null_device(void) {
    int descriptor = open("/dev/null", O_RDWR);
    return descriptor < 0 ? -errno : descriptor;
}

// Returns whether a descriptor is the controlling side of a pseudo terminal.
static inline int cuv_is_pseudo_terminal_controller(int descriptor) {
#if defined(TIOCGPTN)
    unsigned int number;
    return ioctl(descriptor, TIOCGPTN, &number) == 0;
#else
    (void)descriptor;
    return 0;
#endif
}

// Marks all descriptors above 2 close-on-exec, and returns 0 or a negative error number. Kernels before 5.11 do not
// support this flag of close_range, so on these kernels the function marks each descriptor separately.
static inline int cuv_mark_close_on_exec(void) {
#if defined(__linux__) && defined(SYS_close_range)
    if (syscall(SYS_close_range, 3U, ~0U, 1U << 2) == 0) return 0;
#endif
    DIR *directory = opendir("/dev/fd");
    if (directory == NULL) return -errno;
    for (struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory)) {
        int descriptor = atoi(entry->d_name);
        int flags = descriptor > 2 ? fcntl(descriptor, F_GETFD) : -1;
        if (flags >= 0) (void)fcntl(descriptor, F_SETFD, flags | FD_CLOEXEC);
    }
    (void)closedir(directory);
    return 0;
}

// Returns whether a process is a child for which this process has not waited yet. The child may be running or may have
// ended.
static inline int cuv_is_child(pid_t process) {
    siginfo_t info;
    return waitid(P_PID, (id_t)process, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

// Waits for a child, and returns whether the child has ended. If `blocks` is 0 and the child is running, the function
// returns 0 immediately.
static inline int cuv_wait_for_child(pid_t process, int blocks) {
    pid_t result;
    do result = waitpid(process, NULL, blocks ? 0 : WNOHANG);
    while (result < 0 && errno == EINTR);
    return result != 0;
}

// Returns the C library's free memory to the system, if the C library has a function for it.
static inline void cuv_trim_memory(void) {
#if defined(__GLIBC__)
    (void)malloc_trim(0);
#endif
}

// Closes a descriptor. In Swift, the name `close` would refer to the functions of the library.
static inline void cuv_close(int descriptor) { (void)close(descriptor); }

// Makes a close-on-exec socket, and returns its descriptor or a negative error number.
static inline int cuv_socket(int family, int type) {
#ifdef SOCK_CLOEXEC
    int descriptor = socket(family, type | SOCK_CLOEXEC, 0);
#else
    int descriptor = socket(family, type, 0);
    if (descriptor >= 0) (void)fcntl(descriptor, F_SETFD, FD_CLOEXEC);
#endif
    return descriptor < 0 ? -errno : descriptor;
}

// Ignores SIGPIPE, unless the program has installed a handler.
static inline void cuv_ignore_broken_pipes(void) {
    struct sigaction current;
    if (sigaction(SIGPIPE, NULL, &current) == 0 && current.sa_handler == SIG_DFL) (void)signal(SIGPIPE, SIG_IGN);
}

// Restores the disposition that a signal had before libuv set the default disposition, unless the current disposition
// is no longer the default.
static inline void cuv_restore_signal(int number, const struct sigaction *previous) {
    struct sigaction current;
    if (sigaction(number, NULL, &current) != 0 || current.sa_handler != SIG_DFL) return;
    (void)sigaction(number, previous, NULL);
}

// Changes a stored disposition from SIG_DFL to SIG_IGN.
static inline void cuv_ignore_instead_of_default(struct sigaction *disposition) {
    if (disposition->sa_handler != SIG_DFL) return;
    memset(disposition, 0, sizeof *disposition);
    disposition->sa_handler = SIG_IGN;
}

// Returns the number of unread bytes on a socket, or -1 if it cannot be determined.
static inline int cuv_unread_byte_count(int descriptor) {
    int count = 0;
    return ioctl(descriptor, FIONREAD, &count) == 0 ? count : -1;
}
#endif

// --- Accepting. A poll handle watches the socket of a listener. A timer ends a pause in accepting, and keeps the loop
// running while the poll handle is stopped. Like all internal handles, these two have no `data`.

#if !defined(_WIN32)
#pragma clang assume_nonnull begin

typedef struct cuv_acceptor {
    // Must be the first field, because a pointer to it is cast to cuv_acceptor.
    uv_poll_t poll;
    uv_timer_t timer;
    // The listener's object, or NULL once the listener is closing.
    void *_Nullable listener;
    int open_handles;
} cuv_acceptor;

static inline cuv_acceptor *cuv_acceptor_of_poll(uv_poll_t *poll) { return (cuv_acceptor *)poll; }
static inline cuv_acceptor *cuv_acceptor_of_timer(uv_timer_t *timer) {
    return (cuv_acceptor *)((char *)timer - offsetof(cuv_acceptor, timer));
}

// Makes an acceptor, or returns NULL and sets a negative status if libuv cannot watch the descriptor.
static inline cuv_acceptor *_Nullable cuv_acceptor_make(
    uv_loop_t *loop, int descriptor, void *listener, int *status) {
    cuv_acceptor *acceptor = (cuv_acceptor *)calloc(1, sizeof *acceptor);
    *status = acceptor == NULL ? UV_ENOMEM : uv_poll_init(loop, &acceptor->poll, descriptor);
    if (*status < 0) {
        free(acceptor);
        return NULL;
    }
    (void)uv_timer_init(loop, &acceptor->timer);
    acceptor->listener = listener;
    acceptor->open_handles = 2;
    return acceptor;
}
static inline void cuv_acceptor_closed(cuv_acceptor *acceptor) {
    if (--acceptor->open_handles == 0) free(acceptor);
}
static inline void cuv_acceptor_poll_closed(uv_handle_t *poll) {
    cuv_acceptor_closed(cuv_acceptor_of_poll((uv_poll_t *)poll));
}
static inline void cuv_acceptor_timer_closed(uv_handle_t *timer) {
    cuv_acceptor_closed(cuv_acceptor_of_timer((uv_timer_t *)timer));
}
static inline void cuv_acceptor_close(cuv_acceptor *acceptor) {
    acceptor->listener = NULL;
    uv_close((uv_handle_t *)&acceptor->poll, cuv_acceptor_poll_closed);
    uv_close((uv_handle_t *)&acceptor->timer, cuv_acceptor_timer_closed);
}
static inline int cuv_acceptor_is_watching(const cuv_acceptor *acceptor) {
    return uv_is_active((const uv_handle_t *)&acceptor->poll);
}
static inline int cuv_acceptor_is_active(const cuv_acceptor *acceptor) {
    return cuv_acceptor_is_watching(acceptor) || uv_is_active((const uv_handle_t *)&acceptor->timer);
}
static inline int cuv_acceptor_watch(cuv_acceptor *acceptor, uv_poll_cb on_readable) {
    (void)uv_timer_stop(&acceptor->timer);
    return uv_poll_start(&acceptor->poll, UV_READABLE, on_readable);
}
static inline void cuv_acceptor_stop(cuv_acceptor *acceptor, uint64_t milliseconds, uv_timer_cb on_timeout) {
    (void)uv_poll_stop(&acceptor->poll);
    (void)uv_timer_start(&acceptor->timer, on_timeout, milliseconds, 0);
}
static inline void cuv_acceptor_set_reference(cuv_acceptor *acceptor, int is_referenced) {
    if (is_referenced) {
        uv_ref((uv_handle_t *)&acceptor->poll);
        uv_ref((uv_handle_t *)&acceptor->timer);
    } else {
        uv_unref((uv_handle_t *)&acceptor->poll);
        uv_unref((uv_handle_t *)&acceptor->timer);
    }
}

// Starts to listen, and returns 0 or a negative error number.
static inline int cuv_listen(int descriptor, int backlog) { return listen(descriptor, backlog) == 0 ? 0 : -errno; }

// Returns whether a connection is waiting to be accepted.
static inline int cuv_has_connection(int listener) {
    struct pollfd entry = {.fd = listener, .events = POLLIN};
    return poll(&entry, 1, 0) == 1;
}

// Accepts a connection, and returns a non-blocking close-on-exec descriptor or a negative error number.
static inline int cuv_accept(int listener) {
    int descriptor;
#if defined(__linux__)
    // The GNU C library declares this function only with _GNU_SOURCE.
    extern int accept4(int, struct sockaddr *_Nullable, socklen_t *_Nullable, int);
    do descriptor = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    while (descriptor < 0 && errno == EINTR);
#else
    do descriptor = accept(listener, NULL, NULL);
    while (descriptor < 0 && errno == EINTR);
    if (descriptor >= 0) (void)fcntl(descriptor, F_SETFD, FD_CLOEXEC);
#endif
    return descriptor < 0 ? -errno : descriptor;
}

// Binds a socket to a free port on all IPv4 addresses.
static inline int cuv_tcp_bind_any(uv_tcp_t *tcp) {
    struct sockaddr_in any;
    memset(&any, 0, sizeof any);
    any.sin_family = AF_INET;
    return uv_tcp_bind(tcp, (const struct sockaddr *)&any, 0);
}

#pragma clang assume_nonnull end
#endif

#include "threads.h"

#endif
