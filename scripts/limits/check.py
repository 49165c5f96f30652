"""Runs the servers under limits and in unusual environments; see scripts/check-limits."""

import argparse
import contextlib
import fcntl
import os
import pathlib
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time

from clients import Client, settle
from programs import available_models
from server import LISTENING, LOG_LINE, port_of

SECONDS = 5
# The smallest address space in which a model must serve; docs/operating.md states it.
ADDRESS_SPACE = 512 << 20
# The same for `thread-pool`, whose 32 threads have stacks and arenas.
POOL_ADDRESS_SPACE = 1536 << 20
USER = 65531  # a user without processes


class Failure(Exception):
    """A check has failed, for the reason in the message."""


def expect(condition, what):
    if not condition:
        raise Failure(what)


class Server:
    """A server. Its descriptors 0, 1 and 2 are files in a directory, unless `streams` replaces or closes them."""

    def __init__(self, check, *options, streams=None, limits=None, wrapper=(), environment=None, user=None):
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=check.work))
        command = [*wrapper, check.program, "serve", "--model", check.model, "--port", "0", "--drain-timeout", "1s",
                   *options]
        streams = dict(streams or {})
        for number, name in ((0, os.devnull), (1, self.folder / "out"), (2, self.folder / "err")):
            if number not in streams:
                streams[number] = os.open(name, os.O_RDWR | os.O_CREAT, 0o666)

        def prepare():
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            # The duplicates are above the standard descriptors, so that no `dup2` below replaces one of them.
            sources = {number: fcntl.fcntl(source, fcntl.F_DUPFD_CLOEXEC, 20)
                       for number, source in streams.items() if source is not None}
            for number, source in streams.items():
                if source is None:
                    os.close(number)
                else:
                    os.dup2(sources[number], number)
            for kind, value in (limits or {}).items():
                resource.setrlimit(kind, (value, value))
            if user:
                os.setgroups([])
                os.setresgid(user, user, user)
                os.setresuid(user, user, user)

        self.process = subprocess.Popen(
            command, preexec_fn=prepare, close_fds=True,
            env={"PATH": os.environ["PATH"], "SWIFT_BACKTRACE": "enable=no"} | (environment or {}))
        self.clients = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for client in self.clients:
            client.close()
        with contextlib.suppress(OSError):
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
        self.process.wait()

    @property
    def errors(self):
        path = self.folder / "err"
        return path.read_text(errors="replace") if path.exists() else ""

    @property
    def output(self):
        path = self.folder / "out"
        return path.read_text(errors="replace") if path.exists() else ""

    def wait_for_port(self):
        """Returns the port, or None if the server has ended or does not listen in time."""
        end = time.monotonic() + SECONDS
        while time.monotonic() < end and self.process.poll() is None:
            found = LISTENING.search(self.output)
            self.port = int(found[1]) if found else port_of(self.process.pid)
            if self.port:
                return self.port
            time.sleep(0.01)
        return None

    def starts(self):
        expect(self.wait_for_port(), f"the server does not start: status {self.process.poll()}, {self.last_line}")

    @property
    def last_line(self):
        return (self.errors.strip().splitlines() or ["no line"])[-1]

    def client(self, message=b"^abc$", reply=b"bcd"):
        client = Client("client", self.port).say(message, reply)
        self.clients.append(client)
        return client

    def serves(self, count=1, is_done=True):
        """Checks that new clients receive their replies and nothing else."""
        for _ in range(count):
            client = self.client()
            if is_done:
                client.finish()
            settle([client], SECONDS)
            expect(not client.is_wrong, f"a client received {bytes(client.received)!r}")
            expect(client.is_done and not client.is_lost, "the server does not serve a client")
            if is_done:
                client.close()
                self.clients.remove(client)

    def stops(self, seconds=SECONDS):
        """Checks that SIGTERM ends the server with status 0."""
        self.process.terminate()
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Failure("SIGTERM does not end the server") from None
        expect(status == 0, f"the status after SIGTERM is {status}: {self.last_line}")

    def replaces(self, numbers):
        """Checks that the server has opened /dev/null on each closed standard descriptor."""
        for number in numbers:
            target = os.readlink(f"/proc/{self.process.pid}/fd/{number}")
            expect(target == os.devnull, f"the closed descriptor {number} is {target}")

    def is_refused(self, *words):
        """Checks that the program ends with status 1, and with one line that contains one of the words."""
        status, lines = self.process.wait(SECONDS), self.errors.strip().splitlines()
        expect(status == 1 and len(lines) == 1 and lines[0].startswith("uvserver: "),
               f"the start is refused with status {status} and the text {self.errors.strip()[:200]!r}")
        expect(any(word in lines[0] for word in words), f"the line names no limit: {lines[0]}")

    def logs_well(self):
        for line in self.errors.splitlines():
            expect(LOG_LINE.match(line), f"unexpected text on standard error: {line[:200]}")


class Checks:
    """The checks of one model. Each method with a documentation comment is a check."""

    def __init__(self, program, model, work):
        self.program, self.model, self.work = program, model, work
        self.is_sequential = model == "sequential"

    # MARK: Standard descriptors

    def closed_descriptors(self):
        """closed standard descriptors"""
        for closed in ((0,), (1,), (2,), (0, 1, 2)):
            with Server(self, "--log-level", "debug", streams=dict.fromkeys(closed)) as server:
                server.starts()
                server.serves(3)
                server.replaces(closed)
                server.stops()

    def closed_descriptors_with_admin(self):
        """closed standard descriptors, with --admin"""
        with Server(self, "--admin", "127.0.0.1:0", streams=dict.fromkeys((0, 1, 2))) as server:
            # Without the log, it is unknown which port is the administration's, so no client connects.
            server.starts()
            server.replaces((0, 1, 2))
            server.stops()

    def stuck_log(self):
        """a full pipe as standard error"""
        with full_pipe() as pipe, Server(self, "--log-level", "debug", streams={2: pipe}) as server:
            server.starts()
            server.serves(20)
            server.stops()

    def stuck_log_with_timeouts(self):
        """a full pipe as standard error, and clients that exceed --idle-timeout"""
        with full_pipe() as pipe, Server(self, "--idle-timeout", "200ms", streams={2: pipe}) as server:
            server.starts()
            silent = [server.client() for _ in range(1 if self.is_sequential else 5)]
            settle(silent, SECONDS, lambda: all(client.is_closed for client in silent))
            for client in silent:
                client.may_end = True
            expect(settle(silent, SECONDS), "the server does not close silent clients")
            server.serves(3)
            server.stops()

    def stuck_output(self):
        """a full pipe as standard output"""
        with full_pipe() as pipe, Server(self, streams={1: pipe}) as server:
            server.starts()
            server.serves()
            server.stops()

    def full_disk(self):
        """a full disk as standard output and standard error"""
        full = os.open("/dev/full", os.O_WRONLY)
        with contextlib.closing(os.fdopen(full, "wb", buffering=0)):
            for streams in ({1: full}, {2: full}, {1: full, 2: full}):
                with Server(self, "--log-level", "debug", streams=streams) as server:
                    server.starts()
                    server.serves(3)
                    server.stops()

    # MARK: Limits

    def few_descriptors(self):
        """descriptor limits from 3 to 32"""
        for limit in (3, 4, 6, 8, 10, 12, 16, 24, 32):
            with Server(self, limits={resource.RLIMIT_NOFILE: limit}) as server:
                if server.wait_for_port():
                    with naming(f"limit {limit}"):
                        server.serves()
                        server.stops()
                elif limit < 6:
                    # The dynamic linker needs some descriptors as well.
                    expect(server.process.wait(SECONDS) != 0, f"limit {limit}: the status is 0")
                else:
                    with naming(f"limit {limit}"):
                        server.is_refused("descriptor", "open files", "nofile")

    def full_descriptors(self):
        """more clients than descriptors; a connected client is not affected, and new clients are served afterwards"""
        if self.is_sequential:
            return
        with Server(self, limits={resource.RLIMIT_NOFILE: 40}) as server:
            server.starts()
            first = server.client()
            settle([first], SECONDS)
            more = [server.client() for _ in range(60)]
            settle(more, 1.5)
            first.say(b"^c$", b"d")
            settle([first], SECONDS)
            expect(first.is_done and not first.is_lost, "a connected client is affected")
            for client in more:
                expect(not client.is_wrong, f"a client received {bytes(client.received)!r}")
                client.close()
            server.clients = [first]
            server.serves(3)
            server.logs_well()
            server.stops()

    def few_processes(self):
        """process limits from 1 to 12, as an ordinary user"""
        if os.getuid() != 0:
            raise NotImplementedError("needs root")
        for limit in (1, 2, 3, 6, 12):
            with Server(self, limits={resource.RLIMIT_NPROC: limit}, user=USER) as server:
                if server.wait_for_port():
                    clients = [server.client() for _ in range(1 if self.is_sequential else 8)]
                    settle(clients, 1)
                    for client in clients:
                        expect(not client.is_wrong, f"a client received {bytes(client.received)!r}")
                    expect(server.process.poll() is None, f"limit {limit}: the server has ended: {server.last_line}")
                    server.logs_well()
                    server.stops()
                else:
                    with naming(f"limit {limit}"):
                        server.is_refused("thread", "process", "nproc")

    def address_space(self):
        """a limited address space"""
        space = POOL_ADDRESS_SPACE if self.model == "thread-pool" else ADDRESS_SPACE
        with Server(self, limits={resource.RLIMIT_AS: space}) as server:
            server.starts()
            server.serves(3)
            server.stops()
        for size in (16, 32, 64, 128, 256):
            with Server(self, limits={resource.RLIMIT_AS: size << 20}) as server:
                if server.wait_for_port():
                    settle([server.client()], 1)
                    server.process.terminate()
                try:
                    server.process.wait(SECONDS)
                except subprocess.TimeoutExpired:
                    raise Failure(f"with {size} MiB, the server neither starts nor ends") from None

    # MARK: The environment

    def without_proc(self):
        """without /proc"""
        with Server(self, wrapper=without_proc()) as server:
            server.starts()
            server.serves(3)
            server.stops()

    def stepped_clock(self):
        """a clock that is set back or forward by an hour"""
        for step in (-3600, 3600):
            clock = pathlib.Path(self.work) / f"clock-{self.model}{step}"
            clock.write_text("0")
            environment = {"LD_PRELOAD": f"{self.work}/clock.so", "UVCLOCK": str(clock)}
            with Server(self, "--idle-timeout", "1s", "--write-timeout", "10m", environment=environment) as server:
                server.starts()
                silent = server.client()
                settle([silent], SECONDS)
                clock.write_text(str(step))
                settle([silent], 0.2)
                if not self.is_sequential:
                    expect(not silent.is_closed, f"a step by {step} s closes a client early")
                    server.serves()
                silent.may_end = True
                settle([silent], 4)
                expect(silent.is_closed, f"after a step by {step} s, --idle-timeout does not close a silent client")
                open_message = server.client(b"^ab", b"bc")
                settle([open_message], SECONDS)
                clock.write_text("0")
                server.stops(4)

    def stopped(self):
        """SIGSTOP, then SIGCONT"""
        with Server(self) as server:
            server.starts()
            waiting = [] if self.is_sequential else [server.client()]
            settle(waiting, SECONDS)
            server.process.send_signal(signal.SIGSTOP)
            waiting += [server.client() for _ in range(1 if self.is_sequential else 5)]
            for client in waiting:
                client.say(b"^x$", b"y")
            settle(waiting, 0.3)
            server.process.send_signal(signal.SIGCONT)
            settle(waiting, SECONDS)
            expect(all(client.is_done and not client.is_lost for client in waiting), "a client lost its reply")
            server.process.send_signal(signal.SIGSTOP)
            server.process.terminate()
            server.process.send_signal(signal.SIGCONT)
            server.stops()


@contextlib.contextmanager
def naming(what):
    """Adds a description of the check to a failure."""
    try:
        yield
    except Failure as failure:
        raise Failure(f"{what}: {failure}") from None


def full_pipe():
    """Returns a context manager that provides the write end of a full pipe."""

    @contextlib.contextmanager
    def context():
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(writer, b"x" * 4096)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(writer, b"x")
        os.set_blocking(writer, True)
        try:
            yield writer
        finally:
            os.close(reader)
            os.close(writer)

    return context()


def without_proc():
    """Returns a command that runs a program without /proc."""
    prefix = ("unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /proc && exec "$@"', "sh")
    if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode:
        raise NotImplementedError("unshare cannot hide /proc here")
    return prefix


class ProgramChecks:
    """The checks of commands that exit by themselves."""

    def __init__(self, program, bench):
        self.program, self.bench = program, bench

    def run(self, *command, **options):
        return subprocess.run(command, capture_output="stdout" not in options, timeout=60, check=False, text=True,
                              stdin=subprocess.DEVNULL, **options)

    def full_disk(self):
        """commands whose output goes to a full disk do not exit with status 0"""
        commands = [(self.program, "--help"), (self.program, "models"), (self.program, "serve", "--help"),
                    (self.program, "--version")]
        if self.bench:
            commands += [(self.bench, "--help"), (self.bench, "machine")]
        with open("/dev/full", "wb") as full:
            silent = [" ".join(map(os.path.basename, command)) for command in commands
                      if self.run(*command, stdout=full, stderr=subprocess.PIPE).returncode == 0]
        expect(not silent, f"exit with status 0: {', '.join(silent)}")

    def without_proc(self):
        """without /proc, arguments are read, and a missing command is a usage error"""
        prefix = without_proc()
        status = self.run(*prefix, self.program, "health", "127.0.0.1:1").returncode
        expect(status == 1, f"the status of 'health' for a dead server is {status}")
        status = self.run(*prefix, self.program).returncode
        expect(status == 64, f"the status without a command is {status}")

    def without_command(self):
        """a missing command is a usage error"""
        status = self.run(self.program).returncode
        expect(status == 64, f"the status without a command is {status}")

    def control_characters(self):
        """control characters in arguments are escaped"""
        text = self.run(self.program, "serve", "--model", "\x1b[31mx\r").stderr
        expect(not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", text), f"the line is {text!r}")

    def arithmetic(self):
        """very large and invalid numbers do not crash a program"""
        for option in ("--port", "--backlog", "--max-connections", "--max-buffered-bytes", "--max-buffered-total",
                       "--min-read-rate", "--threads", "--queue", "--loops", "--idle-timeout", "--write-timeout",
                       "--drain-delay", "--drain-timeout"):
            for value in ("-1", "1e400", "99999999999999999999", "9223372036854775807s", "nan", ""):
                status = self.run(self.program, "serve", "--host", "invalid", f"{option}={value}").returncode
                expect(status == 64, f"{option}={value}: the status is {status}")


def run_check(what, check):
    """Runs a check, prints one line, and returns whether it has passed."""
    began = time.monotonic()
    try:
        check()
    except NotImplementedError as why:
        print(f"SKIPPED  {what}: {why}", flush=True)
        return True
    except (Failure, OSError, subprocess.SubprocessError) as failure:
        print(f"FAILED   {what}: {failure}", flush=True)
        return False
    print(f"ok       {what} ({time.monotonic() - began:.1f} s)", flush=True)
    return True


def checks_of(owner):
    return [(name, getattr(owner, name)) for name in vars(type(owner))
            if not name.startswith("_") and getattr(type(owner), name).__doc__]


def main():
    parser = argparse.ArgumentParser(prog="check-limits")
    parser.add_argument("--model", action="append")
    parser.add_argument("--check")
    parser.add_argument("--clock", required=True)
    parser.add_argument("program")
    arguments = parser.parse_args()
    program = os.path.realpath(arguments.program)
    bench = os.path.join(os.path.dirname(program), "uvbench")
    models = arguments.model or available_models(program)
    passed = []
    with tempfile.TemporaryDirectory(prefix="uvlimits-") as work:
        os.chmod(work, 0o755)
        os.symlink(arguments.clock, f"{work}/clock.so")
        if not arguments.model:
            for name, check in checks_of(ProgramChecks(program, bench if os.path.exists(bench) else None)):
                if arguments.check in (None, name):
                    passed.append(run_check(f"programs: {check.__doc__}", check))
        for model in models:
            for name, check in checks_of(Checks(program, model, work)):
                if arguments.check in (None, name):
                    passed.append(run_check(f"{model}: {check.__doc__}", check))
    failed = passed.count(False)
    print(f"check-limits: {f'{failed} of {len(passed)} checks FAILED' if failed else 'all checks passed'}")
    return 1 if failed else 0


sys.exit(main())
