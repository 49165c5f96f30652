// What the Glibc module of Swift leaves out: epoll, accept4 and eventfd.
#ifndef SWIFT_UV_CLINUX_SHIM_H
#define SWIFT_UV_CLINUX_SHIM_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

// accept4 is hidden from Swift's own Glibc import, which is built without _GNU_SOURCE.
extern int accept4(int descriptor, struct sockaddr *restrict address, socklen_t *restrict length, int flags);

#endif
