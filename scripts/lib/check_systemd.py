"""Runs the program with the settings of uvserver.service, and does the work of systemd.

The script passes a socket to the program, receives its notifications, and restarts it while clients are connecting. It
compares the program's system calls with the system calls that the unit's filter allows.

usage: check_systemd.py PROGRAM SERVICE-FILE
"""
import os
import re
import socket
import subprocess
import sys
import tempfile

from programs import DEADLINE, Program, available_models, connect, receive

program, unit = sys.argv[1:]


def fail(text):
    sys.exit(f"check-systemd: {text}")


def values(name):
    """Returns the values of a setting in the unit, one for each line that sets it."""
    with open(unit) as lines:
        return [line.split("=", 1)[1].strip() for line in lines if line.startswith(f"{name}=")]


def members(word):
    """Returns the system calls of a set such as `@aio`, including its subsets. Any other word is a system call."""
    if not word.startswith("@"):
        return {word}
    listing = subprocess.check_output(["systemd-analyze", "syscall-filter", "--no-pager", word], text=True)
    lines = [line.strip() for line in listing.splitlines()[1:]]
    return set().union(*(members(line) for line in lines if line and not line.startswith("#")))


def allowed_calls():
    allowed = members("@default")
    for value in values("SystemCallFilter"):
        calls = set().union(*(members(word) for word in value.lstrip("~").split()))
        allowed = allowed - calls if value.startswith("~") else allowed | calls
    return allowed


class Manager:
    """Does the work of systemd, with a listening socket and a notification socket for the service."""

    def __init__(self, directory):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.notifications = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notifications.settimeout(DEADLINE)
        self.path = os.path.join(directory, "notify")
        self.notifications.bind(self.path)
        self.trace = os.path.join(directory, "trace")

    def start(self, model):
        options = dict(item.split("=", 1) for value in values("Environment") for item in value.split())
        options |= {"UVSERVER_MODEL": model, "UVSERVER_DRAIN_DELAY": "50ms", "NOTIFY_SOCKET": self.path}
        options |= {"WATCHDOG_USEC": "200000", "LISTEN_FDS": "1", "LISTEN_FDNAMES": "uvserver.socket"}
        descriptor = self.listener.fileno()
        # With -D, strace runs in a separate process, and the program keeps the shell's process identifier (LISTEN_PID).
        self.process = subprocess.Popen(
            ["bash", "-c", f'LISTEN_PID=$$ exec "$@" 3<&{descriptor}', "bash",
             "strace", "-D", "-f", "-qq", "-A", "-o", self.trace, program, "serve"],
            env=os.environ | options, pass_fds=[descriptor], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.expect("READY=1")

    def expect(self, wanted):
        """Reads notifications up to the wanted notification. Only status and watchdog messages may precede it."""
        while (text := self.notifications.recv(4096).decode()) != wanted:
            if not text.startswith(("STATUS=", "WATCHDOG=1")):
                fail(f"expected {wanted}, got {text}")

    def stop(self):
        self.process.terminate()
        self.expect("STOPPING=1")
        if self.process.wait(DEADLINE) != 0:
            fail(f"the exit code after SIGTERM is {self.process.returncode} instead of 0")

    def connect(self):
        client = connect(self.listener.getsockname()[1])
        client.sendall(b"^abc$")
        return client


def expect_reply(client):
    with client:
        reply = receive(client, 4)
    if reply != b"*bcd":
        fail(f"expected the reply b'*bcd', got {reply!r}")


def run(model, directory):
    """Starts and stops the service twice, and returns the system calls of both processes."""
    manager = Manager(directory)
    manager.start(model)
    expect_reply(manager.connect())
    manager.expect("WATCHDOG=1")
    manager.stop()
    waiting = [manager.connect() for _ in range(20)]
    manager.start(model)
    for client in waiting:
        expect_reply(client)
    manager.stop()
    with open(manager.trace) as lines:
        return lines.read()


def check_calls(model, trace, allowed):
    # A call that another thread interrupts has a second line, which begins with `<... NAME resumed>`.
    calls = set(re.findall(r"^\d+ +(?:<\.\.\. )?(\w+)[( ]", trace, re.MULTILINE)) - {"resumed"}
    if len(calls) < 20:
        fail(f"{model}: only {len(calls)} system calls were traced")
    # The unit permits these calls only in a comment.
    ring = {"io_uring_setup", "io_uring_enter", "io_uring_register"} if model == "io-uring" else set()
    if denied := calls - allowed - ring:
        fail(f"{model}: the unit's filter denies these calls: {', '.join(sorted(denied))}")
    families = set(re.findall(r"\bsocket\((AF_\w+)", trace))
    if unknown := families - set(" ".join(values("RestrictAddressFamilies")).split()):
        fail(f"{model}: the unit does not allow sockets of these families: {', '.join(sorted(unknown))}")
    # MemoryDenyWriteExecute rejects these calls.
    if re.search(r"\bmmap\([^)]*PROT_WRITE\|PROT_EXEC|\bmprotect\([^)]*PROT_EXEC", trace):
        fail(f"{model}: the program makes memory executable")
    print(f"{model}: a restart rejected none of 21 clients; the unit allows all {len(calls)} system calls")


def activate():
    """Runs the program under systemd-socket-activate twice, with one client each time."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    for _ in range(2):
        command = ["systemd-socket-activate", "-l", f"127.0.0.1:{port}", program, "serve"]
        with Program(*command, stderr=subprocess.STDOUT) as server:
            server.expect_among("Listening on .*")
            # systemd-socket-activate starts the program when a client connects.
            client = connect(port)
            server.expect_among(rf"listening on 127\.0\.0\.1:{port} \(libuv\)")
            client.sendall(b"^abc$")
            expect_reply(client)
            server.terminate()
            if server.process.wait(DEADLINE) != 0:
                fail(f"systemd-socket-activate: the exit code is {server.process.returncode} instead of 0")
    print("systemd-socket-activate: in two runs, a client started the program and "
          "received a reply, and SIGTERM stopped the program")


allowed = allowed_calls()
for name in available_models(program):
    with tempfile.TemporaryDirectory() as place:
        check_calls(name, run(name, place), allowed)
activate()
