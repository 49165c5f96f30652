// What the Glibc module of Swift leaves out: epoll, accept4, eventfd and the calls that are variadic.
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

// Swift's own import of Glibc is made without _GNU_SOURCE, and lacks this one.
extern int accept4(int descriptor, struct sockaddr *address, socklen_t *length, int flags);

// recv, send and epoll_wait, again while a signal interrupts the first two. They are on every message's way, and
// go to the kernel directly: in a process of several threads, glibc's own spend some fifty instructions on each
// call to make it a cancellation point, and nothing here cancels threads. A failure is a negative error number.

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
// Missing from Swift's import too.
extern long syscall(long number, ...);
static inline long clinux_call(long number, long a, long b, long c, long d, long e, long f) {
    long result = syscall(number, a, b, c, d, e, f);
    return result < 0 ? -errno : result;
}
#endif

// Thread Sanitizer holds a signal's handler back until the thread is in a call that it knows, which a system call made
// directly is not: a thread that blocks in one would not hear of a stop. Hence this, which scripts/sanitize defines.
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

// A wait that ends to the nanosecond, where the kernel has it (5.11): epoll_wait's milliseconds are a thousand times too
// coarse for pacing. The timeout must not be negative.
static inline long clinux_epoll_wait_nanoseconds(int descriptor, struct epoll_event *events, int count, long timeout) {
    const long limit[2] = {timeout / 1000000000, timeout % 1000000000};
    return clinux_call(441, descriptor, (long)events, count, (long)limit, 0, 8);
}

// How far after its time a sleep of this thread may end, at the kernel's convenience; prctl is variadic.
static inline int clinux_set_timer_slack(unsigned long nanoseconds) { return prctl(PR_SET_TIMERSLACK, nanoseconds, 0, 0, 0); }

// The processors that a thread may run on, as bits; 0 is the calling thread. Swift's import lacks cpu_set_t's macros.
static inline long clinux_set_affinity(int thread, const unsigned long *words, size_t count) {
    return clinux_call(SYS_sched_setaffinity, thread, (long)(count * sizeof *words), (long)words, 0, 0, 0);
}
static inline long clinux_get_affinity(int thread, unsigned long *words, size_t count) {
    return clinux_call(SYS_sched_getaffinity, thread, (long)(count * sizeof *words), (long)words, 0, 0, 0);
}

// Kernel timestamps of a TCP socket. A sent one is for the last byte of a send, and is told apart by that byte's offset
// since the option was set (OPT_ID); a received one is for the last segment that a receive took bytes of. The kernel's
// and the network's headers are not included here, lest types that Swift knows from Glibc become this module's.
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
// As clinux_receive; the time is that of the last segment, or 0 where the kernel tells none.
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
// Takes the next sent timestamp: 1 with the offset and the time, 0 where the message was another, or a negative error.
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
            // IP_RECVERR or IPV6_RECVERR; origin 4 is SO_EE_ORIGIN_TIMESTAMPING, reason 0 is SCM_TSTAMP_SND.
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

// ptrace is variadic. A failure is a negative error number.
static inline long clinux_ptrace(long request, int process, long address, long data) {
    return clinux_call(SYS_ptrace, request, process, address, data, 0, 0);
}

// ioctl is variadic. FIONREAD: the bytes that wait to be read, or -1.
static inline int clinux_unread_byte_count(int descriptor) {
    int count = 0;
    return ioctl(descriptor, FIONREAD, &count) < 0 ? -1 : count;
}

// A descriptor that becomes readable again and again (timerfd), or a negative error number. The kernel's itimerspec is four
// longs; <sys/timerfd.h> would make <time.h> this module's. The clock is CLOCK_MONOTONIC.
static inline long clinux_interval_timer(long nanoseconds) {
    const long part[2] = {nanoseconds / 1000000000, nanoseconds % 1000000000};
    const long limit[4] = {part[0], part[1], part[0], part[1]};
    long timer = clinux_call(SYS_timerfd_create, 1, O_NONBLOCK | O_CLOEXEC, 0, 0, 0, 0);
    if (timer < 0) return timer;
    long status = clinux_call(SYS_timerfd_settime, timer, 0, (long)limit, 0, 0, 0);
    if (status == 0) return timer;
    clinux_call(SYS_close, timer, 0, 0, 0, 0, 0);
    return status;
}

// A datagram to an address, sent at once or not at all. Callable in a signal handler: errno stays what it is.
static inline long clinux_send_datagram(
    int descriptor, const void *bytes, size_t count, const void *address, size_t length) {
    return clinux_call(
        SYS_sendto, descriptor, (long)bytes, (long)count, MSG_NOSIGNAL | MSG_DONTWAIT, (long)address, (long)length);
}

static inline int clinux_set_nonblocking(int descriptor, int enabled) {
    int flags = fcntl(descriptor, F_GETFL);
    if (flags < 0) return flags;
    return fcntl(descriptor, F_SETFL, enabled ? flags | O_NONBLOCK : flags & ~O_NONBLOCK);
}

// What the kernel tells of a TCP connection (TCP_INFO), as its own header lays it out as far as it is used here; an older
// kernel fills less of it.
struct clinux_tcp_info {
    unsigned char state, congestion_state, retransmits, probes, backoff, options, window_scales, flags;
    unsigned rto, ato, snd_mss, rcv_mss, unacked, sacked, lost, retrans, fackets;
    unsigned last_data_sent, last_ack_sent, last_data_recv, last_ack_recv;
    unsigned pmtu, rcv_ssthresh, rtt, rttvar, snd_ssthresh, snd_cwnd, advmss, reordering, rcv_rtt, rcv_space, total_retrans;
    unsigned long long pacing_rate, max_pacing_rate, bytes_acked, bytes_received;
    unsigned segs_out, segs_in, notsent_bytes, min_rtt;
};
// Level 6 is IPPROTO_TCP, option 11 TCP_INFO. The number of bytes that were filled, or -1.
static inline int clinux_get_tcp_info(int descriptor, struct clinux_tcp_info *info) {
    socklen_t length = sizeof *info;
    __builtin_memset(info, 0, sizeof *info);
    return getsockopt(descriptor, 6, 11, info, &length) < 0 ? -1 : (int)length;
}

#endif
