"""Runs a server under tools that count: valgrind for instructions and allocations, strace for system calls."""

import contextlib
import os
import pathlib
import re
import resource
import signal
import socket
import string
import subprocess
import time

from callgrind import Profile
from programs import Failure, Program, connect, exchange, receive

ALLOCATING = re.compile(r"(malloc|calloc|realloc|aligned_alloc|memalign|posix_memalign)(@|'|$)")


class Server(Program):
    """`uvserver serve`, started by a prefix command, and stopped at the end of a `with` block."""

    def __init__(self, model, work, *prefix):
        self.work = pathlib.Path(work)
        errors = self.work / "errors"
        with open(errors, "w") as file:
            super().__init__(
                ".build/release/uvserver", "serve", "--model", model, "--port", 0, prefix=prefix, stderr=file)
        try:
            self.port = self.listening_port()
        except Failure:
            self.__exit__()
            raise SystemExit(f"count: the server '{model}' did not start:\n{errors.read_text()}") from None
        self.pid = self.process.pid
        if "strace" in prefix:
            self.pid = int(pathlib.Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text())

    def __exit__(self, *_):
        with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired, AttributeError):
            os.kill(self.pid, signal.SIGTERM)
            self.process.wait(30)
        super().__exit__()

    def connect(self):
        connection = connect(self.port)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if receive(connection, 1) != b"*":
            raise Failure("count: no greeting")
        return connection

    def exchange(self, connections, payload, messages):
        """Sends messages with one message in flight on each connection, and waits until the server is idle."""
        with contextlib.ExitStack() as stack:
            opened = [stack.enter_context(self.connect()) for _ in range(connections)]
            exchange(opened, *message(payload), messages)
        self.settle()

    def visit(self, payload, visits):
        """Opens one connection after another, sends one message on each, and waits until the server has closed it."""
        for _ in range(visits):
            with self.connect() as connection:
                exchange([connection], *message(payload), 1)
                connection.shutdown(socket.SHUT_WR)
                receive(connection)
        self.settle()

    @contextlib.contextmanager
    def stall(self):
        """Keeps a client connected that does not read, and that has sent as many bytes as the server accepts."""
        with self.connect() as connection:
            connection.send(b"^")
            connection.settimeout(1)
            with contextlib.suppress(TimeoutError):
                while True:
                    connection.send(b"a" * 65536)
            self.settle()
            yield

    def settle(self):
        """Waits until all threads have slept for 50 ms."""
        before, quiet = None, 0
        while quiet < 5:
            time.sleep(0.01)
            now = [activity(thread) for thread in pathlib.Path(f"/proc/{self.pid}/task").iterdir()]
            quiet = quiet + 1 if now == before and all(thread[:1] == ["S"] for thread in now) else 0
            before = now

    def idle_bytes(self, connections):
        """Opens idle connections, and returns the resident bytes per connection."""
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        before = self.resident_bytes()
        with contextlib.ExitStack() as stack:
            resource.setrlimit(resource.RLIMIT_NOFILE, (limits[1], limits[1]))
            stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, limits)
            for _ in range(connections):
                stack.enter_context(self.connect())
            self.settle()
            return (self.resident_bytes() - before) / connections

    def resident_bytes(self):
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"^VmRSS:\s*(\d+)", status, re.MULTILINE)[1]) * 1024


def message(payload):
    """Returns a message with `payload` bytes, and the reply to it."""
    body = (string.ascii_lowercase.encode() * (payload // 26 + 1))[:payload]
    return b"^" + body + b"$", bytes(byte + 1 for byte in body)


def activity(thread):
    """Returns a thread's state and its context switches, or an empty list if the thread has just ended."""
    try:
        status = (thread / "status").read_text()
        return re.findall(r"^(?:State|\w*voluntary_ctxt_switches):\s*(\w+)", status, re.MULTILINE)
    except OSError:
        return []


class InstructionCount(Server):
    """Counts user-space instructions (libuv and libc included) and calls that allocate memory, with callgrind."""

    names = ("instructions", "allocations")

    def __init__(self, model, work):
        self.file, self.dumps = pathlib.Path(work) / "callgrind", 0
        super().__init__(model, work, "valgrind", "--tool=callgrind", f"--callgrind-out-file={self.file}")

    def read(self):
        """Returns the counts since the previous call of `read`. A dump resets callgrind's counts."""
        self.dumps += 1
        done = subprocess.run(["vgdb", f"--pid={self.pid}", "dump"], capture_output=True, text=True, timeout=120)
        if done.returncode:
            raise SystemExit(f"count: vgdb cannot attach to valgrind:\n{done.stderr}")
        self.settle()
        profile = Profile(f"{self.file}.{self.dumps}")
        return [profile.instructions, profile.calls(ALLOCATING)]


class CallCount(Server):
    """Counts system calls with strace."""

    names = ("syscalls",)

    def __init__(self, model, work):
        self.trace, self.before = pathlib.Path(work) / "strace", 0
        super().__init__(model, work, "strace", "-f", "-q", "-o", str(self.trace))

    def read(self):
        """Returns the count since the previous call of `read`."""
        # strace prints a call on two lines if another thread interrupts it. Only the first line matches.
        now = len(re.findall(r"^\d+ +\w+\(", self.trace.read_text(errors="replace"), re.MULTILINE))
        since, self.before = now - self.before, now
        return [since]
