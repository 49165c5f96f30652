// What the Glibc module of Swift leaves out: epoll, accept4, eventfd and the calls that are variadic.
#ifndef SWIFT_UV_CLINUX_SHIM_H
#define SWIFT_UV_CLINUX_SHIM_H

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>

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

static inline long clinux_receive(int descriptor, void *bytes, size_t count) {
    long received;
    do received = clinux_call(SYS_recvfrom, descriptor, (long)bytes, (long)count, 0, 0, 0);
    while (received == -EINTR);
    return received;
}
static inline long clinux_send(int descriptor, const void *bytes, size_t count) {
    long sent;
    do sent = clinux_call(SYS_sendto, descriptor, (long)bytes, (long)count, MSG_NOSIGNAL, 0, 0);
    while (sent == -EINTR);
    return sent;
}
static inline long clinux_epoll_wait(int descriptor, struct epoll_event *events, int count, int milliseconds) {
    return clinux_call(SYS_epoll_pwait, descriptor, (long)events, count, milliseconds, 0, 8);
}

// ptrace is variadic. A failure is a negative error number.
static inline long clinux_ptrace(long request, int process, long address, long data) {
    return clinux_call(SYS_ptrace, request, process, address, data, 0, 0);
}

static inline int clinux_set_nonblocking(int descriptor, int enabled) {
    int flags = fcntl(descriptor, F_GETFL);
    if (flags < 0) return flags;
    return fcntl(descriptor, F_SETFL, enabled ? flags | O_NONBLOCK : flags & ~O_NONBLOCK);
}

#endif
