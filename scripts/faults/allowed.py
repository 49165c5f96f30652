"""The results worse than "that client" that are allowed, each with its reason; and the faults of the short run."""

import re
from typing import NamedTuple

from case import ABORTS, FATAL, LIBUV_MODELS, Case


class Allowed(NamedTuple):
    """A result that is allowed. Each field except the last two is a regular expression that must match the whole."""

    call: str
    error: str
    model: str
    phase: str
    result: str
    reason: str


LIBUV = "|".join(LIBUV_MODELS)
ALLOWED = (
    Allowed("mmap|brk|mremap|munmap|mprotect|madvise", ".*", ".*", ".*", FATAL,
            "Swift's runtime and the C library end a process that cannot allocate memory."),
    Allowed("epoll_ctl|epoll_wait|epoll_pwait", ".*", LIBUV, ".*", ABORTS,
            "libuv aborts the process if it cannot watch a descriptor. It has no way to report the error "
            "([why the server does not check it](decisions/0028-no-check-before-epoll-ctl.md))."),
    Allowed("write|read", ".*", LIBUV, ".*", ABORTS,
            "libuv aborts the process if it cannot write to or read from the descriptor that wakes a loop."),
)


def reason(case, outcome):
    """Returns why a result is allowed, or None."""
    for entry in ALLOWED:
        if entry.result == outcome[0] and all(
                re.fullmatch(pattern, value) for pattern, value in (
                    (entry.call, case.call), (entry.error, case.error), (entry.model, case.model),
                    (entry.phase, case.phase))):
            return entry.reason
    return None


SHORT: tuple[Case, ...] = ()
