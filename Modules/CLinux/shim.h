// What the Glibc module of Swift leaves out: epoll, accept4, eventfd and the calls that are variadic.
#ifndef SWIFT_UV_CLINUX_SHIM_H
#define SWIFT_UV_CLINUX_SHIM_H

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

// Swift's own import of Glibc is made without _GNU_SOURCE, and lacks this one.
extern int accept4(int descriptor, struct sockaddr *address, socklen_t *length, int flags);

// recv and send, again while a signal interrupts them; inline, because they are on every message's way.

static inline ssize_t clinux_receive(int descriptor, void *bytes, size_t count) {
    ssize_t received;
    do received = recv(descriptor, bytes, count, 0);
    while (received < 0 && errno == EINTR);
    return received;
}
static inline ssize_t clinux_send(int descriptor, const void *bytes, size_t count) {
    ssize_t sent;
    do sent = send(descriptor, bytes, count, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent;
}

static inline int clinux_set_nonblocking(int descriptor, int enabled) {
    int flags = fcntl(descriptor, F_GETFL);
    if (flags < 0) return flags;
    return fcntl(descriptor, F_SETFL, enabled ? flags | O_NONBLOCK : flags & ~O_NONBLOCK);
}

#endif
