"""The system calls of the servers, and the errors that their manual pages allow.

Each call has two lists of errors: those to inject, and those that only a programming error can cause, which are not
injected. A call without errors to inject has a reason in place of the lists.
"""

import re

# The descriptor of a call, in the format of strace -y and -yy.
DESCRIPTOR = re.compile(r"^\d+<([^>]*)>")
# The network errors that Linux reports on a socket, and the errors of protocols and firewalls (accept(2), ip(7)).
NETWORK = "ENETDOWN EPROTO EHOSTDOWN ENONET EHOSTUNREACH EOPNOTSUPP ENETUNREACH ETIMEDOUT"
PATH = "EACCES ELOOP ENAMETOOLONG ENOENT ENOMEM ENOTDIR"

# call: (errors to inject, errors that are programming errors)
ERRORS = {
    "accept4": (f"EAGAIN ECONNABORTED EINTR EMFILE ENFILE ENOBUFS ENOMEM EPERM {NETWORK}",
                "EBADF EFAULT EINVAL ENOTSOCK"),
    "access": (f"{PATH} EIO EROFS", "EFAULT EINVAL"),
    "bind": ("EACCES EADDRINUSE EADDRNOTAVAIL ENOBUFS ENOMEM EPERM", "EBADF EFAULT EINVAL ENOTSOCK"),
    "brk": ("ENOMEM", ""),
    "clone": ("EAGAIN ENOMEM EPERM", "EINVAL"),
    "clone3": ("EAGAIN ENOMEM EPERM ENOSYS", "EINVAL EEXIST"),
    "close": ("EINTR EIO", "EBADF"),
    "connect": ("EACCES EAGAIN ECONNREFUSED EINTR ENETUNREACH ENOENT EPERM ETIMEDOUT",
                "EAFNOSUPPORT EALREADY EBADF EFAULT EISCONN ENOTSOCK EPROTOTYPE"),
    "dup": ("EMFILE", "EBADF"),
    "epoll_create1": ("EMFILE ENFILE ENOMEM", "EINVAL"),
    "epoll_ctl": ("ENOMEM ENOSPC", "EBADF EEXIST EINVAL ELOOP ENOENT EPERM"),
    "epoll_pwait": ("EINTR", "EBADF EFAULT EINVAL"),
    "epoll_pwait2": ("EINTR ENOSYS", "EBADF EFAULT EINVAL"),
    "epoll_wait": ("EINTR", "EBADF EFAULT EINVAL"),
    "eventfd2": ("EMFILE ENFILE ENODEV ENOMEM", "EINVAL"),
    # Only F_SETLK reports EACCES and EAGAIN, and only F_SETPIPE_SZ reports EBUSY. The servers use neither.
    "fcntl": ("EINTR EMFILE EPERM", "EBADF EFAULT EINVAL EACCES EAGAIN EBUSY EDEADLK ENOLCK ENOTDIR"),
    "fstat": ("ENOMEM EOVERFLOW", "EBADF EFAULT"),
    "getdents64": ("ENOENT", "EBADF EFAULT EINVAL ENOTDIR"),
    "getpeername": ("ENOBUFS ENOTCONN", "EBADF EFAULT EINVAL ENOTSOCK"),
    "getrandom": ("EAGAIN EINTR ENOSYS", "EFAULT EINVAL"),
    "getrlimit": ("EPERM", "EFAULT EINVAL ESRCH"),
    "getsockname": ("ENOBUFS", "EBADF EFAULT EINVAL ENOTSOCK"),
    "getsockopt": ("ENOBUFS ENOMEM", "EBADF EFAULT EINVAL ENOPROTOOPT ENOTSOCK"),
    "io_uring_enter": ("EAGAIN EBUSY EINTR", "EBADF EBADFD EBADR EFAULT EINVAL ENXIO EOPNOTSUPP"),
    "io_uring_register": ("EBUSY EINTR EMFILE ENOMEM", "EACCES EBADF EBADFD EEXIST EFAULT EINVAL ENXIO EOPNOTSUPP"),
    "io_uring_setup": ("EMFILE ENFILE ENOMEM ENOSYS EPERM", "EFAULT EINVAL"),
    "listen": ("EADDRINUSE ENOBUFS ENOMEM", "EBADF ENOTSOCK EOPNOTSUPP"),
    "madvise": ("EACCES EAGAIN EIO ENOMEM EPERM", "EBADF EINVAL"),
    "mmap": ("EAGAIN ENFILE ENODEV ENOMEM EPERM", "EACCES EBADF EEXIST EINVAL EOVERFLOW ETXTBSY"),
    "mprotect": ("EACCES ENOMEM", "EINVAL"),
    "mremap": ("EAGAIN ENOMEM", "EFAULT EINVAL"),
    "munmap": ("ENOMEM", "EINVAL"),
    "nanosleep": ("EINTR", "EFAULT EINVAL"),
    "clock_nanosleep": ("EINTR", "EFAULT EINVAL ENOTSUP"),
    "newfstatat": (f"{PATH} EOVERFLOW", "EBADF EFAULT EINVAL"),
    "openat": (f"{PATH} EINTR EMFILE ENFILE ENODEV ENXIO EPERM EIO", "EBADF EFAULT EINVAL EISDIR EEXIST ENOTTY"),
    "pipe2": ("EMFILE ENFILE", "EFAULT EINVAL"),
    # poll reports EINVAL if the limit on descriptors was lowered below the number of entries.
    "poll": ("EINTR EINVAL ENOMEM", "EFAULT"),
    "ppoll": ("EINTR EINVAL ENOMEM", "EFAULT"),
    "prctl": ("EPERM", "EACCES EBADF EBUSY EFAULT EINVAL ENODEV ENXIO EOPNOTSUPP"),
    "pread64": ("EINTR EIO", "EBADF EFAULT EINVAL EISDIR EOVERFLOW ENXIO ESPIPE"),
    "prlimit64": ("EPERM", "EFAULT EINVAL ESRCH"),
    "pselect6": ("EINTR ENOMEM", "EBADF EINVAL"),
    "pwritev2": ("EAGAIN EINTR EIO ENOSPC EOPNOTSUPP EPIPE", "EBADF EFAULT EINVAL"),
    "read": ("EAGAIN EINTR EIO", "EBADF EFAULT EINVAL EISDIR"),
    "readlink": (f"{PATH} EIO", "EFAULT EINVAL"),
    "readlinkat": (f"{PATH} EIO", "EBADF EFAULT EINVAL"),
    "recvfrom": ("EAGAIN ECONNREFUSED ECONNRESET EHOSTUNREACH EINTR ENETDOWN ENOMEM ENOTCONN ETIMEDOUT",
                 "EBADF EFAULT EINVAL ENOTSOCK"),
    "recvmsg": ("EAGAIN ECONNREFUSED ECONNRESET EINTR ENOMEM ENOTCONN ETIMEDOUT", "EBADF EFAULT EINVAL ENOTSOCK"),
    "sched_getaffinity": ("EPERM", "EFAULT EINVAL ESRCH"),
    "select": ("EINTR ENOMEM", "EBADF EINVAL"),
    "sendmsg": ("EACCES EAGAIN ECONNREFUSED ECONNRESET EINTR EMSGSIZE ENOBUFS ENOMEM ENOTCONN EPERM EPIPE",
                "EALREADY EBADF EDESTADDRREQ EFAULT EINVAL EISCONN ENOTSOCK EOPNOTSUPP"),
    "sendto": ("EACCES EAGAIN ECONNREFUSED ECONNRESET EHOSTUNREACH EINTR ENETDOWN ENETUNREACH ENOBUFS ENOMEM ENOTCONN "
               "EPERM EPIPE ETIMEDOUT",
               "EALREADY EBADF EDESTADDRREQ EFAULT EINVAL EISCONN EMSGSIZE ENOTSOCK EOPNOTSUPP"),
    "setsockopt": ("ENOBUFS ENOMEM", "EBADF EDOM EFAULT EINVAL EISCONN ENOPROTOOPT ENOTSOCK"),
    "shutdown": ("ENOTCONN", "EBADF EINVAL ENOTSOCK"),
    "sigaltstack": ("ENOMEM EPERM", "EFAULT EINVAL"),
    "socket": ("EACCES EAFNOSUPPORT EMFILE ENFILE ENOBUFS ENOMEM EPROTONOSUPPORT", "EINVAL"),
    "socketpair": ("EMFILE ENFILE", "EAFNOSUPPORT EFAULT EOPNOTSUPP EPROTONOSUPPORT"),
    "statfs": (f"{PATH} EINTR EIO ENOSYS", "EFAULT EOVERFLOW"),
    "statx": (f"{PATH}", "EBADF EFAULT EINVAL"),
    "timerfd_create": ("EMFILE ENFILE ENODEV ENOMEM EPERM", "EINVAL"),
    "timerfd_settime": ("ECANCELED", "EBADF EFAULT EINVAL"),
    "write": ("EAGAIN EDQUOT EFBIG EINTR EIO ENOSPC EPERM EPIPE", "EBADF EDESTADDRREQ EFAULT EINVAL"),
    "writev": ("EAGAIN EDQUOT EFBIG EINTR EIO ENOBUFS ENOMEM ENOSPC EPERM EPIPE ECONNRESET EHOSTUNREACH ENETUNREACH "
               "ETIMEDOUT", "EBADF EDESTADDRREQ EFAULT EINVAL"),
}

# The errors of calls for which they depend on the kind of descriptor: eventfd(2), timerfd_create(2), tcp(7), pipe(7).
# Writing to an eventfd fails only if the eventfd's counter is full, and in that case the reader is already awake.
# Shutting down a listening socket does not fail.
BY_KIND = {
    "read": {"eventfd": "EAGAIN", "timerfd": "EAGAIN", "file": "EINTR EIO", "pipe": "EAGAIN EINTR",
             "connection": "EAGAIN ECONNREFUSED ECONNRESET EHOSTUNREACH EINTR ENETDOWN ENOMEM ENOTCONN ETIMEDOUT"},
    "write": {"eventfd": "", "file": "EAGAIN EDQUOT EFBIG EINTR EIO ENOSPC EPERM EPIPE",
              "pipe": "EAGAIN EINTR EPIPE",
              "connection": "EACCES EAGAIN ECONNRESET EHOSTUNREACH EINTR ENETDOWN ENETUNREACH ENOBUFS ENOMEM EPERM "
                            "EPIPE ETIMEDOUT"},
    "shutdown": {"listener": "", "connection": "ENOTCONN"},
}


def errors_of(call, kind):
    """Returns the errors to inject into a call on a descriptor of this kind."""
    if kind:
        return BY_KIND[call].get(kind, "").split()
    return ERRORS.get(call, ("",))[0].split()


def kind_of(call, rest):
    """Returns the kind of a call's descriptor, if the possible errors depend on it."""
    if call not in BY_KIND or not (found := DESCRIPTOR.match(rest)):
        return ""
    text = found[1]
    for kind, pattern in (("eventfd", r"anon_inode:\[eventfd"), ("timerfd", r"anon_inode:\[timerfd"),
                          ("pipe", r"pipe:"), ("connection", r"\w+:\[.*->"), ("listener", r"TCP(v6)?:\[[^>]*\]"),
                          ("connection", "socket:|UNIX|TCP")):
        if re.match(pattern, text):
            return kind
    return "file"


# Calls without errors, and calls in which strace cannot inject an error as the kernel would report it.
WITHOUT_ERRORS = """
alarm arch_prctl clock_getres clock_gettime execve exit exit_group getegid geteuid getgid getpgrp getpid getppid gettid
gettimeofday getuid membarrier rt_sigaction rt_sigprocmask rt_sigreturn sched_yield set_robust_list set_tid_address
setitimer sysinfo uname
""".split()
NOT_INJECTED = dict.fromkeys(WITHOUT_ERRORS, "every error is a programming error, or the call has no errors") | {
    "futex": "strace cannot distinguish waiting from waking, and waking cannot fail",
    "getcwd": "the servers do not use the working directory",
    "ioctl": "FIONREAD and FIONBIO fail only because of a programming error",
    "kill": "a call for the process itself always succeeds",
    "lseek": "it fails only for a pipe, or because of a programming error",
    "restart_syscall": "the kernel makes this call itself",
    "rseq": "the C library uses it in all threads or in none, but strace could make it fail only in later threads",
    "tgkill": "a call for the process itself always succeeds",
}

# If strace injects an error, the call is not made. After an injected error in `close`, the descriptor therefore stays
# open, although the kernel would close it even if it reported an error. Such a connection does not count as affected.
LEAVES_OPEN = {"close"}

# Models in which an injected error would not show what the kernel would do. The blocking models wake a thread with
# `shutdown`. The kernel lets `shutdown` fail only if the connection is closed already, and then no thread waits for it.
NOT_INJECTED_IN = {"shutdown": ("sequential", "threads", "thread-pool")}

# Errors that are injected into every second call, not into all calls.
REPEATED = {"EINTR", "EAGAIN"}

# The functions of libuv that abort the process if a call fails.
LIBUV_FUNCTIONS = {
    "epoll_ctl": "uv__io_poll", "epoll_pwait": "uv__io_poll", "epoll_wait": "uv__io_poll",
    "pipe2": "uv__signal_global_init", "write": "uv__signal_unlock or uv__async_send",
    "read": "uv__signal_lock or uv__async_io",
}
