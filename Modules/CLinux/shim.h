// Declares what Swift's Glibc module lacks: epoll, accept4, eventfd and the variadic calls.
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

// Swift imports Glibc without _GNU_SOURCE, and therefore without these functions.
extern int accept4(int descriptor, struct sockaddr *address, socklen_t *length, int flags);
extern int pipe2(int *ends, int flags);

// recv, send and epoll_wait as direct system calls. The first two are repeated if a signal interrupts them. Every
// message uses these calls. In a process with several threads, glibc's versions spend about fifty instructions per call
// on making it a cancellation point, but this program cancels no threads. A failure is a negative error number.

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
// Swift's import lacks this function too.
extern long syscall(long number, ...);
static inline long clinux_call(long number, long a, long b, long c, long d, long e, long f) {
    long result = syscall(number, a, b, c, d, e, f);
    return result < 0 ? -errno : result;
}
#endif

// Thread Sanitizer delays a signal handler until the thread is in a call that it intercepts. It does not intercept
// direct system calls, so a thread that blocks in one would not notice a stop. scripts/sanitize defines this macro.
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

// Waits with a timeout in nanoseconds, if the kernel supports it (5.11). epoll_wait counts in milliseconds, which is a
// thousand times too coarse for pacing. The timeout must not be negative.
static inline long clinux_epoll_wait_nanoseconds(int descriptor, struct epoll_event *events, int count, long timeout) {
    const long limit[2] = {timeout / 1000000000, timeout % 1000000000};
    return clinux_call(441, descriptor, (long)events, count, (long)limit, 0, 8);
}

// Sets by how much the kernel may delay the end of a sleep of this thread; prctl is variadic.
static inline int clinux_set_timer_slack(unsigned long nanoseconds) { return prctl(PR_SET_TIMERSLACK, nanoseconds, 0, 0, 0); }

// Set and get the processors on which a thread may run, as bits; 0 is the calling thread. Swift's import lacks the
// macros of cpu_set_t.
static inline long clinux_set_affinity(int thread, const unsigned long *words, size_t count) {
    return clinux_call(SYS_sched_setaffinity, thread, (long)(count * sizeof *words), (long)words, 0, 0, 0);
}
static inline long clinux_get_affinity(int thread, unsigned long *words, size_t count) {
    return clinux_call(SYS_sched_getaffinity, thread, (long)(count * sizeof *words), (long)words, 0, 0, 0);
}

// Kernel timestamps of a TCP socket. A send timestamp belongs to the last byte of a send, and is identified by that
// byte's offset since the option was set (OPT_ID). A receive timestamp belongs to the last segment from which a receive
// took bytes. The headers of the kernel and of the network are not included here, because types that Swift knows from
// Glibc would then become types of this module.
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
// Like clinux_receive. Also returns the time of the last segment, or 0 if the kernel reports none.
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
// Reads the next send timestamp. Returns 1 with the offset and the time, 0 if the message was of another kind, or a
// negative error.
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
            // The control message must be IP_RECVERR or IPV6_RECVERR, with origin 4 (SO_EE_ORIGIN_TIMESTAMPING) and
            // reason 0 (SCM_TSTAMP_SND).
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

// ioctl is variadic. Returns the number of unread bytes (FIONREAD), or -1.
static inline int clinux_unread_byte_count(int descriptor) {
    int count = 0;
    return ioctl(descriptor, FIONREAD, &count) < 0 ? -1 : count;
}

// A timer as a descriptor (timerfd) on CLOCK_MONOTONIC, or a negative error number. <sys/timerfd.h> would make <time.h>
// this module's.
static inline long clinux_timer(void) { return clinux_call(SYS_timerfd_create, 1, O_NONBLOCK | O_CLOEXEC, 0, 0, 0, 0); }
// Makes the timer readable once, after a time that must be positive. The kernel's itimerspec is four longs.
static inline void clinux_start_timer(int timer, long nanoseconds) {
    const long limit[4] = {0, 0, nanoseconds / 1000000000, nanoseconds % 1000000000};
    clinux_call(SYS_timerfd_settime, timer, 0, (long)limit, 0, 0, 0);
}

// Sends a datagram to an address, immediately or not at all. May be called in a signal handler, because it does not
// change errno.
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

// What the kernel reports about a TCP connection (TCP_INFO), in the kernel's layout, up to the last field that is used
// here. An older kernel fills fewer fields.
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
