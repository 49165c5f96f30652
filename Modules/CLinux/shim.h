// Declares the functions that Swift's Glibc module lacks: epoll, accept4, eventfd and variadic functions.
#ifndef SWIFT_LIBUV_CLINUX_SHIM_H
#define SWIFT_LIBUV_CLINUX_SHIM_H

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <linux/net_tstamp.h>

// Swift imports Glibc without _GNU_SOURCE, so its Glibc module lacks these functions.
extern int accept4(int descriptor, struct sockaddr *address, socklen_t *length, int flags);
extern int pipe2(int *ends, int flags);

// recv, send and epoll_wait as direct system calls. A failed call returns a negative error number. recv and send are
// repeated if a signal interrupts them. Direct calls save time, which matters because a server makes these calls for
// every message. In a process with several threads, glibc's functions spend about fifty instructions per call on
// support for thread cancellation, which this program does not use.

#if defined(__x86_64__)
static inline long clinux_call(long number, long a, long b, long c, long d, long e, long f) {
    long result;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}
#elif defined(__aarch64__)
static inline long clinux_call(long number, long a, long b, long c, long d, long e, long f) {
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = f;
    __asm__ volatile("svc 0"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                     : "memory");
    return x0;
}
#else
// The module that Swift imports lacks this function, too.
extern long syscall(long number, ...);
static inline long clinux_call(long number, long a, long b, long c, long d, long e, long f) {
    long result = syscall(number, a, b, c, d, e, f);
    return result < 0 ? -errno : result;
}
#endif

// Thread Sanitizer delays a signal handler until the thread makes a call that the sanitizer intercepts. It does not
// intercept direct system calls, so a signal could not stop a thread that blocks in a direct system call.
// scripts/sanitize defines this macro, which replaces the direct calls with calls to glibc.
#ifdef CLINUX_THROUGH_GLIBC
static inline long clinux_of_glibc(long result) { return result < 0 ? -errno : result; }
static inline long clinux_receive_once(int descriptor, void *bytes, size_t count) {
    return clinux_of_glibc(recv(descriptor, bytes, count, 0));
}
static inline long clinux_send_once(int descriptor, const void *bytes, size_t count) {
    return clinux_of_glibc(send(descriptor, bytes, count, MSG_NOSIGNAL));
}
static inline long clinux_epoll_wait(int descriptor, struct epoll_event *events, int count, int milliseconds) {
    return clinux_of_glibc(epoll_wait(descriptor, events, count, milliseconds));
}
#else
static inline long clinux_receive_once(int descriptor, void *bytes, size_t count) {
    return clinux_call(SYS_recvfrom, descriptor, (long)bytes, (long)count, 0, 0, 0);
}
static inline long clinux_send_once(int descriptor, const void *bytes, size_t count) {
    return clinux_call(SYS_sendto, descriptor, (long)bytes, (long)count, MSG_NOSIGNAL, 0, 0);
}
static inline long clinux_epoll_wait(int descriptor, struct epoll_event *events, int count, int milliseconds) {
    return clinux_call(SYS_epoll_pwait, descriptor, (long)events, count, milliseconds, 0, 8);
}
#endif

static inline long clinux_receive(int descriptor, void *bytes, size_t count) {
    long received;
    do received = clinux_receive_once(descriptor, bytes, count);
    while (received == -EINTR);
    return received;
}
static inline long clinux_send(int descriptor, const void *bytes, size_t count) {
    long sent;
    do sent = clinux_send_once(descriptor, bytes, count);
    while (sent == -EINTR);
    return sent;
}

// Waits with a timeout in nanoseconds, which must not be negative. Linux 5.11 and later support this call
// (epoll_pwait2). The timeout of epoll_wait is in milliseconds, which is a thousand times too coarse for pacing
// requests.
static inline long clinux_epoll_wait_nanoseconds(int descriptor, struct epoll_event *events, int count, long timeout) {
    const long limit[2] = {timeout / 1000000000, timeout % 1000000000};
    return clinux_call(441, descriptor, (long)events, count, (long)limit, 0, 8);
}

// Sets how much later than requested the kernel may wake this thread. Swift cannot call prctl, because it is variadic.
static inline int clinux_set_timer_slack(unsigned long nanoseconds) { return prctl(PR_SET_TIMERSLACK, nanoseconds, 0, 0, 0); }

// Set and get the processors on which a thread may run, as a set of bits. Thread 0 means the calling thread. The module
// that Swift imports lacks the macros for cpu_set_t.
static inline long clinux_set_affinity(int thread, const unsigned long *words, size_t count) {
    return clinux_call(SYS_sched_setaffinity, thread, (long)(count * sizeof *words), (long)words, 0, 0, 0);
}
static inline long clinux_get_affinity(int thread, unsigned long *words, size_t count) {
    return clinux_call(SYS_sched_getaffinity, thread, (long)(count * sizeof *words), (long)words, 0, 0, 0);
}

// Kernel timestamps of a TCP socket. A send timestamp belongs to the last byte of a send. The kernel identifies that
// byte by the number of bytes sent before it since the option was set (OPT_ID). A receive timestamp belongs to the last
// segment from which a call read bytes. The types and constants of <linux/errqueue.h> and <netinet/in.h> are repeated
// here. If these headers were included, types that Swift imports from Glibc would become types of this module.
struct clinux_extended_error {
    unsigned number;
    unsigned char origin, type, code, padding;
    unsigned reason, value;
};
enum {
    clinux_timestamping = SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE |
                          SOF_TIMESTAMPING_OPT_ID | SOF_TIMESTAMPING_OPT_TSONLY
};
static inline long clinux_stamp(const struct cmsghdr *header) {
    long stamp[2];
    __builtin_memcpy(stamp, CMSG_DATA(header), sizeof stamp);
    return stamp[0] * 1000000000 + stamp[1];
}
// Receives like clinux_receive, and also returns the arrival time of the last segment, or 0 if the kernel reports none.
static inline long clinux_receive_stamped(int descriptor, void *bytes, size_t count, long *time) {
    char control[128] __attribute__((aligned(8)));
    struct iovec vector = {bytes, count};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    *time = 0;
    long received;
    do received = clinux_call(SYS_recvmsg, descriptor, (long)&message, 0, 0, 0, 0);
    while (received == -EINTR);
    if (received < 0) return received;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header))
        if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_TIMESTAMPING) *time = clinux_stamp(header);
    return received;
}
// Reads the next message from the error queue. If the message contains a send timestamp, sets the offset and the time,
// and returns 1. Otherwise returns 0, or a negative error number if the call fails.
static inline long clinux_take_sent_stamp(int descriptor, unsigned *offset, long *time) {
    char control[256] __attribute__((aligned(8)));
    struct msghdr message = {.msg_control = control, .msg_controllen = sizeof control};
    long status;
    do status = clinux_call(SYS_recvmsg, descriptor, (long)&message, MSG_ERRQUEUE | MSG_DONTWAIT, 0, 0, 0);
    while (status == -EINTR);
    if (status < 0) return status;
    int found = 0;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_TIMESTAMPING) {
            *time = clinux_stamp(header);
            found |= 1;
        } else if ((header->cmsg_level == 0 && header->cmsg_type == 11) ||
                   (header->cmsg_level == 41 && header->cmsg_type == 25)) {
            // The types are IP_RECVERR and IPV6_RECVERR. Origin 4 is SO_EE_ORIGIN_TIMESTAMPING, and reason 0 is
            // SCM_TSTAMP_SND.
            struct clinux_extended_error error;
            __builtin_memcpy(&error, CMSG_DATA(header), sizeof error);
            if (error.origin == 4 && error.reason == 0) {
                *offset = error.value;
                found |= 2;
            }
        }
    }
    return found == 3;
}

// Swift cannot call ptrace, because it is variadic. A failed call returns a negative error number.
static inline long clinux_ptrace(long request, int process, long address, long data) {
    return clinux_call(SYS_ptrace, request, process, address, data, 0, 0);
}

// Returns the number of unread bytes (FIONREAD), or -1 if it fails. Swift cannot call ioctl, because it is variadic.
static inline int clinux_unread_byte_count(int descriptor) {
    int count = 0;
    return ioctl(descriptor, FIONREAD, &count) < 0 ? -1 : count;
}

// Makes a timer on CLOCK_MONOTONIC and returns its descriptor (timerfd), or a negative error number. <sys/timerfd.h> is
// not included, because it would turn the types of <time.h> into types of this module.
static inline long clinux_timer(void) { return clinux_call(SYS_timerfd_create, 1, O_NONBLOCK | O_CLOEXEC, 0, 0, 0, 0); }
// Makes the timer readable once, after a time that must be positive. The four numbers have the layout of the kernel's
// itimerspec.
static inline void clinux_start_timer(int timer, long nanoseconds) {
    const long limit[4] = {0, 0, nanoseconds / 1000000000, nanoseconds % 1000000000};
    clinux_call(SYS_timerfd_settime, timer, 0, (long)limit, 0, 0, 0);
}

// Sends a datagram to an address, or fails if that is not possible immediately. A signal handler may call this
// function, because it does not change errno.
static inline long clinux_send_datagram(
    int descriptor, const void *bytes, size_t count, const void *address, size_t length) {
    return clinux_call(
        SYS_sendto, descriptor, (long)bytes, (long)count, MSG_NOSIGNAL | MSG_DONTWAIT, (long)address, (long)length);
}

// The next two functions write without waiting for the reader. The first one writes to a socket, and the second one to
// a pipe (RWF_NOWAIT, Linux 6.4). In pwritev2, a position of -1 means the current position.
static inline long clinux_send_at_once(int descriptor, const void *bytes, size_t count) {
    return clinux_call(SYS_sendto, descriptor, (long)bytes, (long)count, MSG_NOSIGNAL | MSG_DONTWAIT, 0, 0);
}
static inline long clinux_write_at_once(int descriptor, const void *bytes, size_t count) {
    const struct iovec vector = {(void *)bytes, count};
    return clinux_call(SYS_pwritev2, descriptor, (long)&vector, 1, -1, -1, 8);
}
// write as a direct system call, which is not repeated if a signal interrupts it.
static inline long clinux_write_once(int descriptor, const void *bytes, size_t count) {
    return clinux_call(SYS_write, descriptor, (long)bytes, (long)count, 0, 0, 0);
}

// Opens the null device on each standard descriptor (0, 1 or 2) that is closed. Returns 0 or a negative error number.
static inline int clinux_open_standard_descriptors(void) {
    for (int number = 0; number <= 2; number++) {
        if (fcntl(number, F_GETFD) >= 0) continue;
        // The kernel returns the lowest free number, which is `number`.
        int descriptor = open("/dev/null", O_RDWR);
        // A container may lack the null device. In that case, a socket without a peer keeps the number in use.
        if (descriptor < 0) descriptor = socket(AF_UNIX, SOCK_STREAM, 0);
        if (descriptor < 0) return -errno;
    }
    return 0;
}

static inline int clinux_set_nonblocking(int descriptor, int enabled) {
    int flags = fcntl(descriptor, F_GETFL);
    if (flags < 0) return flags;
    return fcntl(descriptor, F_SETFL, enabled ? flags | O_NONBLOCK : flags & ~O_NONBLOCK);
}

// Drops all packets that arrive for a socket (SO_ATTACH_FILTER). The filter has only one instruction, "return 0". The
// two structures have the kernel's layout. <linux/filter.h> is not included, because it would turn the kernel's types
// into types of this module. Returns -1 if the call fails.
static inline int clinux_drop_packets(int descriptor) {
    struct { unsigned short code; unsigned char jt, jf; unsigned k; } instruction = {6 /* BPF_RET */, 0, 0, 0};
    struct { unsigned short count; void *instructions; } program = {1, &instruction};
    return setsockopt(descriptor, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

// Removes the filter of a socket (SO_DETACH_FILTER). Returns -1 if the call fails, for example if there is no filter.
static inline int clinux_receive_packets(int descriptor) {
    int unused = 0;
    return setsockopt(descriptor, SOL_SOCKET, SO_DETACH_FILTER, &unused, sizeof unused);
}

// The state that the kernel reports for a TCP connection (TCP_INFO). The structure has the kernel's layout, up to the
// last field that this package uses. Older kernels fill fewer fields.
struct clinux_tcp_info {
    unsigned char state, congestion_state, retransmits, probes, backoff, options, window_scales, flags;
    unsigned rto, ato, snd_mss, rcv_mss, unacked, sacked, lost, retrans, fackets;
    unsigned last_data_sent, last_ack_sent, last_data_recv, last_ack_recv;
    unsigned pmtu, rcv_ssthresh, rtt, rttvar, snd_ssthresh, snd_cwnd, advmss, reordering, rcv_rtt, rcv_space, total_retrans;
    unsigned long long pacing_rate, max_pacing_rate, bytes_acked, bytes_received;
    unsigned segs_out, segs_in, notsent_bytes, min_rtt;
};
// Level 6 is IPPROTO_TCP, option 11 is TCP_INFO. Returns the number of bytes that the kernel filled, or -1.
static inline int clinux_get_tcp_info(int descriptor, struct clinux_tcp_info *info) {
    socklen_t length = sizeof *info;
    __builtin_memset(info, 0, sizeof *info);
    return getsockopt(descriptor, 6, 11, info, &length) < 0 ? -1 : (int)length;
}

#endif
