"""A server under the tools that count: valgrind for instructions, strace and a preloaded library for calls."""

import os
import pathlib
import re
import signal
import subprocess
import time


class Server:
    """`uvserver serve` behind a prefix command; stopped at the end of a `with` block."""

    def __init__(self, model, work, *prefix):
        self.work = pathlib.Path(work)
        output, errors = self.work / "output", self.work / "errors"
        with open(output, "w") as out, open(errors, "w") as err:
            command = [*prefix, ".build/release/uvserver", "serve", "--model", model, "--port", "0"]
            self.process = subprocess.Popen(command, stdout=out, stderr=err)
        self.pid = self.process.pid
        deadline = time.monotonic() + 60
        while not (listening := re.search(r"^listening on .*?:(\d+) ", output.read_text(), re.MULTILINE)):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.__exit__()
                raise SystemExit(f"count: the server '{model}' did not start:\n{errors.read_text()}")
            time.sleep(0.02)
        self.port = listening[1]
        if "strace" in prefix:
            self.pid = int(pathlib.Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()[0])

    def __enter__(self):
        return self

    def __exit__(self, *error):
        try:
            os.kill(self.pid, signal.SIGTERM)
            self.process.wait(30)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()

    def drive(self, *arguments):
        """Runs the client to its end, and waits until the server has nothing left to do."""
        subprocess.run([self.work / "pingpong", arguments[0], self.port, *map(str, arguments[1:])], check=True)
        self.settle()

    def settle(self):
        """Waits until every thread sleeps, and none has been scheduled for 50 ms."""
        before, quiet = None, 0
        while quiet < 5:
            time.sleep(0.01)
            now = [activity(thread) for thread in pathlib.Path(f"/proc/{self.pid}/task").iterdir()]
            quiet = quiet + 1 if now == before and all(thread[:1] == ["S"] for thread in now) else 0
            before = now

    def idle_bytes(self, connections):
        """Resident bytes for each of that many connections without a message."""
        before = self.resident_bytes()
        with subprocess.Popen([self.work / "pingpong", "idle", self.port, str(connections)],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE) as clients:
            if clients.stdout.readline() != b"open\n":
                raise SystemExit(f"count: the client could not open {connections} connections")
            self.settle()
            return (self.resident_bytes() - before) / connections

    def resident_bytes(self):
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"^VmRSS:\s*(\d+)", status, re.MULTILINE)[1]) * 1024


def activity(thread):
    """A thread's state and its context switches; empty if it has just ended."""
    try:
        status = (thread / "status").read_text()
        return re.findall(r"^(?:State|\w*voluntary_ctxt_switches):\s*(\w+)", status, re.MULTILINE)
    except OSError:
        return []


class InstructionCount(Server):
    """User-space instructions, libuv's and libc's included, counted by callgrind."""

    names = ("instructions",)

    def __init__(self, model, work):
        self.file, self.dumps = pathlib.Path(work) / "callgrind", 0
        super().__init__(model, work, "valgrind", "--tool=callgrind", f"--callgrind-out-file={self.file}")

    def read(self):
        """Returns the count since its last call; a dump sets the count to 0."""
        self.dumps += 1
        done = subprocess.run(["vgdb", f"--pid={self.pid}", "dump"], capture_output=True, text=True, timeout=120)
        if done.returncode:
            raise SystemExit(f"count: vgdb may not trace valgrind:\n{done.stderr}")
        self.settle()
        text = pathlib.Path(f"{self.file}.{self.dumps}").read_text()
        return [int(re.search(r"^(?:summary|totals): (\d+)", text, re.MULTILINE)[1])]


class CallCount(Server):
    """System calls, by strace, and calls that allocate memory, by a preloaded library."""

    names = ("syscalls", "allocations")

    def __init__(self, model, work):
        self.trace, self.count, self.before = pathlib.Path(work) / "strace", pathlib.Path(work) / "count", [0, 0]
        super().__init__(model, work, "strace", "-f", "-q", "-o", str(self.trace),
                         "-E", f"COUNT_ALLOCATIONS={self.count}", "-E", f"LD_PRELOAD={work}/allocations.so")

    def read(self):
        """Returns the counts since its last call."""
        # A call that another thread interrupts is traced on two lines, of which only the first matches.
        calls = len(re.findall(r"^\d+ +\w+\(", self.trace.read_text(errors="replace"), re.MULTILINE))
        now = [calls, int.from_bytes(self.count.read_bytes()[:8], "little")]
        since = [new - old for new, old in zip(now, self.before)]
        self.before = now
        return since


def difference(count, few, more, command, before, after):
    """The cost of one repetition: the difference between a run of `few + more` and one of `few`, divided by `more`."""
    count.drive(command, *before, few, *after)
    runs = []
    for repetitions in (few, few + more):
        count.read()
        count.drive(command, *before, repetitions, *after)
        runs.append(count.read())
    return [(long - short) / more for short, long in zip(*runs)]
