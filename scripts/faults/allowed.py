"""The allowed results that are worse than "that client", with their reasons; and the faults of the short run."""

import re
from typing import NamedTuple

from case import ABORTS, FATAL, LIBUV_MODELS


class Allowed(NamedTuple):
    """An allowed result. Each field up to the phase is a regular expression that must match the whole value.

    `model` must match the model and its options, for example `epoll --admin`.
    """

    call: str
    error: str
    model: str
    phase: str
    result: str
    reason: str


# The administration runs a loop of libuv in every model.
LIBUV = f"({'|'.join(LIBUV_MODELS)}) .*|.* --admin"
ALLOWED = (
    Allowed("mmap|brk|mremap|munmap|mprotect|madvise", ".*", ".*", ".*", FATAL,
            "Swift's runtime and the C library end a process that cannot allocate memory."),
    Allowed("epoll_ctl|epoll_wait|epoll_pwait", ".*", LIBUV, ".*", ABORTS,
            "libuv aborts the process if one of libuv's `epoll_ctl` calls fails. The server adds the descriptors of "
            "its clients before libuv does, so a failure of the server's own call affects only one client "
            "([decision](decisions/0032-epoll-ctl-before-libuv.md)). The remaining calls of libuv add libuv's own "
            "descriptors at the start of a loop, or change a registration. Linux does not report these errors when a "
            "registration is changed."),
    Allowed("pipe2", ".*", LIBUV, ".*", ABORTS,
            "libuv aborts the process if it cannot create the pipe that it needs for signals."),
    Allowed("write|read", ".*", LIBUV, ".*", ABORTS,
            "libuv aborts the process if it cannot write to, or read from, the pipe or the eventfd that wakes a loop. "
            "Linux does not report these errors for an empty pipe or eventfd."),
)


def reason(case, outcome):
    """Returns why a result is allowed, or None."""
    for entry in ALLOWED:
        if entry.result == outcome[0] and all(
                re.fullmatch(pattern, value) for pattern, value in (
                    (entry.call, case.call), (entry.error, case.error), (entry.model, f"{case.model} {case.variant}"),
                    (entry.phase, case.phase))):
            return entry.reason
    return None


# The short run: a fixed selection of faults without options. Each row has regular expressions for the phase, the call,
# the kind of descriptor, the error and the position. The rows cover each model, each phase and each kind of result.
SHORT = (
    ("start", "socket", "", "EMFILE", "every"),
    ("start", "bind", "", "EADDRINUSE", "first"),
    ("start", "read", "file", "EINTR", "first"),
    ("start", "clone3|epoll_create1|eventfd2|pipe2|timerfd_create", "", "EAGAIN|EMFILE", "first"),
    ("serving", "accept4", "", ".*", "first"),
    ("serving", "accept4", "", "EMFILE", "every"),
    ("serving", "read|recvfrom", "connection|", "EINTR|EAGAIN", "every second"),
    ("serving", "read|recvfrom", "connection|", "ECONNRESET", "first"),
    ("serving", "write|sendto", "connection|", "EAGAIN", "every second"),
    ("serving", "write|sendto", "connection|", "EPIPE", "middle"),
    ("serving", "epoll_ctl|clone3|pselect6|ppoll|poll", "", "ENOMEM", "first"),
    ("draining", "accept4", "", "EPERM|EMFILE", "first|every"),
    ("draining", "write|sendto", "connection|", "EPIPE", "first"),
    ("draining", "getsockopt", "", "ENOBUFS", "every"),
)


def is_short(case):
    """Whether the short run includes a fault."""
    values = (case.phase, case.call, case.kind, case.error, case.position)
    return not case.variant and any(
        all(re.fullmatch(pattern, value) for pattern, value in zip(choice, values)) for choice in SHORT)
