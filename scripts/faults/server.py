"""Runs the server, and attaches strace to it or starts it under strace."""

import contextlib
import ctypes
import os
import pathlib
import re
import resource
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field

LIBRARY = ctypes.CDLL(None)
LISTENING = re.compile(r"^listening on \S+:(\d+) \(.*\)$", re.MULTILINE)
ADMINISTRATION = re.compile(r"at http://127\.0\.0\.1:(\d+)/")
LOG_LINE = re.compile(r"^\d{4}-\d\d-\d\dT\S+Z (trace|debug|info|notice|warning|error|critical) uvserver: \S.*$"
                      r"|^\{\"time\":.*\}$|^uvserver: \S.*$")


@dataclass(frozen=True)
class Variant:
    """Options of the server that make it use more system calls."""

    options: tuple = ()
    # What the check does with these options: "admin", "inherited", "manager", "proxy", "limit" or "tick".
    kind: str = ""


VARIANTS = {
    "": Variant(),
    "--admin": Variant(("--admin", "127.0.0.1:0"), "admin"),
    "--write-timeout": Variant(("--write-timeout", "400ms", "--idle-timeout", "1m", "--min-read-rate", "1"), "tick"),
    "--log-format json": Variant(("--log-format", "json", "--log-level", "debug")),
    "--max-connections": Variant(("--max-connections", "6"), "limit"),
    "--proxy-protocol": Variant(("--proxy-protocol", "127.0.0.1"), "proxy"),
    "--drain-delay": Variant(("--drain-delay", "50ms")),
    "LISTEN_FDS": Variant((), "inherited"),
    "WATCHDOG_USEC": Variant((), "manager"),
}
MODEL_OPTIONS = {"thread-pool": ("--threads", "6"), "libuv-loops": ("--loops", "2")}


@dataclass
class Injection:
    """An error of a system call, at the occurrences that `when` describes (see strace(1))."""

    call: str
    error: str
    when: str

    def options(self):
        return ["-y", "-e", f"trace={self.call}", "-e", f"inject={self.call}:error={self.error}:when={self.when}"]


def port_of(process):
    """Returns a port on which a process listens, from the kernel's tables, or None."""
    with contextlib.suppress(OSError):
        folder = pathlib.Path(f"/proc/{process}")
        own = {os.readlink(path) for path in (folder / "fd").iterdir()}
        for line in (folder / "net/tcp").read_text().splitlines()[1:]:
            words = line.split()
            if words[3] == "0A" and f"socket:[{words[9]}]" in own:
                return int(words[1].split(":")[1], 16)
    return None


def prepare():
    """Prevents core dumps of the process, and makes it end when the check ends (PR_SET_PDEATHSIG)."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    LIBRARY.prctl(1, signal.SIGKILL)


def strace_options(injection):
    return injection.options() if injection else ["-yy", "-e", "trace=all"]


@dataclass
class Server:
    """A server process whose output goes to files in a directory."""

    program: str
    model: str
    variant: Variant
    folder: pathlib.Path
    injection: Injection | None = None
    # Whether the process starts under strace. Otherwise `attach` starts strace.
    is_traced: bool = False
    tracer: subprocess.Popen | None = None
    sockets: list = field(default_factory=list)

    def __enter__(self):
        command = [self.program, "serve", "--model", self.model, "--port", "0", "--drain-timeout", "2s",
                   *MODEL_OPTIONS.get(self.model, ()), *self.variant.options]
        if self.is_traced:
            # With -D, strace runs in a separate process, and this process becomes the server. --seccomp-bpf is not
            # used, because strace could not detach from the process. With -I 2, strace detaches when it receives a
            # signal.
            command = ["strace", "-D", "-I", "2", "-f", "-qq", "-o", str(self.folder / "trace"),
                       *strace_options(self.injection), *command]
        environment = {"PATH": os.environ["PATH"], "SWIFT_BACKTRACE": "enable=no"}
        environment |= {name: value for name, value in os.environ.items() if name == "LD_LIBRARY_PATH"}
        passed = []
        if self.variant.kind == "inherited":
            listener = socket.create_server(("127.0.0.1", 0))
            self.sockets.append(listener)
            passed.append(listener.fileno())
            environment["LISTEN_FDS"] = "1"
            command = ["bash", "-c", f'LISTEN_PID=$$ exec "$@" 3<&{listener.fileno()}', "bash", *command]
        if self.variant.kind == "manager":
            manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            manager.bind(str(self.folder / "manager"))
            self.sockets.append(manager)
            environment |= {"NOTIFY_SOCKET": str(self.folder / "manager"), "WATCHDOG_USEC": "100000"}
        with open(self.folder / "out", "wb") as out, open(self.folder / "err", "wb") as err:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=environment, pass_fds=passed,
                preexec_fn=prepare)
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self.process.kill()
        self.process.wait()
        self.detach()
        for opened in self.sockets:
            opened.close()

    @property
    def output(self):
        return (self.folder / "out").read_text(errors="replace")

    @property
    def errors(self):
        return (self.folder / "err").read_text(errors="replace")

    @property
    def status(self):
        """The exit status, or None while the process runs."""
        return self.process.poll()

    def wait_for_port(self, seconds):
        """Returns the port, or None if the server has ended or does not listen in time."""
        began = time.monotonic()
        while (passed := time.monotonic() - began) < seconds and self.status is None:
            if found := LISTENING.search(self.output):
                self.port = int(found[1])
                return self.port
            # A fault can prevent the server from printing the line.
            if self.injection and passed > 0.5 and (port := port_of(self.process.pid)):
                self.port = port
                return port
            time.sleep(0.004)
        found = LISTENING.search(self.output)
        self.port = int(found[1]) if found else None
        return self.port

    @property
    def admin_port(self):
        found = ADMINISTRATION.search(self.errors)
        return int(found[1]) if found else None

    def attach(self, injection, seconds=5):
        """Attaches strace, and returns when it traces all threads."""
        with open(self.folder / "strace-err", "wb") as err:
            self.tracer = subprocess.Popen(
                ["strace", "-f", "-q", "-p", str(self.process.pid), "-o", str(self.folder / "trace"),
                 *strace_options(injection)], stderr=err, stdout=err, stdin=subprocess.DEVNULL)
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.status is None:
            if all("TracerPid:\t0\n" not in text for text in self.thread_states()):
                return
            time.sleep(0.002)

    def thread_states(self):
        for thread in pathlib.Path(f"/proc/{self.process.pid}/task").glob("*/status"):
            with contextlib.suppress(OSError):
                yield thread.read_text()

    def detach(self):
        """Ends strace, and thereby the fault."""
        if self.tracer:
            self.tracer.send_signal(signal.SIGINT)
            try:
                self.tracer.wait(5)
            except subprocess.TimeoutExpired:
                self.tracer.kill()
                self.tracer.wait()
            self.tracer = None
        elif self.is_traced and self.status is None:
            end, told = time.monotonic() + 5, None
            while (tracer := self.tracer_identifier()) and time.monotonic() < end:
                if tracer != told:
                    told = tracer
                    os.kill(tracer, signal.SIGTERM)
                time.sleep(0.002)

    def tracer_identifier(self):
        """Returns the process identifier of the strace that traces the server, or 0."""
        with contextlib.suppress(OSError, TypeError):
            text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
            return int(re.search(r"TracerPid:\t(\d+)", text)[1])
        return 0

    @property
    def trace(self):
        path = self.folder / "trace"
        return path.read_text(errors="replace") if path.exists() else ""

    @property
    def injected_lines(self):
        """The arguments of each call that has failed because of the fault."""
        return [line.split("(", 1)[1] for line in self.trace.splitlines() if "(INJECTED" in line and "(" in line]

    @property
    def injected(self):
        return self.trace.count("(INJECTED")

    def terminate(self):
        with contextlib.suppress(OSError):
            self.process.send_signal(signal.SIGTERM)

    def wait(self, seconds):
        """Waits until the server ends. Returns the exit status, or None if the server still runs."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
