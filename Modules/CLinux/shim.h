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

static inline int clinux_set_nonblocking(int descriptor, int enabled) {
    int flags = fcntl(descriptor, F_GETFL);
    if (flags < 0) return flags;
    return fcntl(descriptor, F_SETFL, enabled ? flags | O_NONBLOCK : flags & ~O_NONBLOCK);
}

#endif
