"""Runs one case: a server with one fault, and clients that check what they receive."""

import http.client
import pathlib
import re
import signal
import tempfile
import time
from dataclasses import dataclass, field

from clients import PROXY_HEADER, Client, settle
from errors import LEAVES_OPEN, LIBUV_FUNCTIONS, errors_of, kind_of
from server import LOG_LINE, VARIANTS, Injection, Server

PHASES = ("start", "serving", "draining")
LIBUV_MODELS = ("libuv", "libuv-eager", "libuv-loops", "async")
UNAFFECTED, CLIENT, REFUSED, ABORTS, FATAL, FAILED, NOT_REACHED = (
    "unaffected", "that client", "start refused", "libuv aborts", "fatal", "FAILED", "not reached")
# The order in which an outcome hides others in the same cell.
ORDER = (NOT_REACHED, UNAFFECTED, CLIENT, REFUSED, ABORTS, FATAL, FAILED)
# The calls in which a server waits after it has started.
WAITS = ("accept4", "epoll_pwait", "epoll_wait", "poll", "ppoll", "pselect6")
# The time in seconds within which a server must serve again after a fault has passed. Listeners pause for at most one
# second.
RECOVERY = 5
BIG = 3_000_000


@dataclass(frozen=True)
class Case:
    model: str
    variant: str
    phase: str
    call: str
    kind: str  # the kind of descriptor, if the possible errors depend on it; otherwise empty
    error: str
    position: str  # "first", "middle", "every" or "every second"
    # The occurrences, as strace expects them. They differ a little from one recording to the next.
    when: str = field(compare=False)

    def __str__(self):
        options = f" --options '{self.variant}'" if self.variant else ""
        kind = f" --descriptor {self.kind}" if self.kind else ""
        return (f"--model {self.model} --phase {self.phase} --call {self.call}{kind} --error {self.error} "
                f"--position '{self.position}'{options}")


class Bad(Exception):
    """The server has done something that a fault does not excuse."""


def run(program, case):
    """Returns the outcome and its text."""
    injection = Injection(case.call, case.error, case.when)
    with tempfile.TemporaryDirectory(prefix="uvfaults-") as name:
        folder = pathlib.Path(name)
        is_start = case.phase == "start"
        server = Server(program, case.model, VARIANTS[case.variant], folder, injection if is_start else None, is_start)
        with server:
            try:
                outcome = Conversation(server, case).run()
            except Bad as bad:
                last = server.errors.strip().splitlines()[-1:]
                outcome = FAILED, f"{bad}" + (f"; last line: {last[0]}" if last else "")
            # A fault that is injected several times can hit a descriptor for which Linux does not report the error.
            if ORDER.index(outcome[0]) > ORDER.index(CLIENT) and any(
                    case.error not in errors_of(case.call, kind_of(case.call, line)) for line in server.injected_lines):
                return NOT_REACHED, ""
            return outcome


def record(program, model, variant, phase):
    """Runs a case without a fault, and returns the trace of its system calls."""
    with tempfile.TemporaryDirectory(prefix="uvfaults-") as name:
        server = Server(program, model, VARIANTS[variant], pathlib.Path(name), None, phase == "start")
        case = Case(model, variant, phase, "", "", "", "first", "")
        with server:
            try:
                outcome = Conversation(server, case).run()
            except Bad as bad:
                outcome = FAILED, str(bad)
            if outcome[0] != UNAFFECTED:
                raise Bad(f"without a fault, {model} {variant} ({phase}): {outcome[1]}\n{server.errors}")
            return server.trace


class Conversation:
    """The scripted conversation with one server."""

    def __init__(self, server, case):
        self.server, self.case = server, case
        self.kind = server.variant.kind
        self.is_sequential = case.model == "sequential"
        self.clients = []
        self.injection = Injection(case.call, case.error, case.when) if case.call else None
        self.has_been_injected = False

    def client(self, name, window=None):
        header = PROXY_HEADER if self.kind == "proxy" else b""
        client = Client(name, self.server.port, header, window)
        self.clients.append(client)
        return client

    def run(self):
        try:
            return getattr(self, self.case.phase)()
        finally:
            for client in self.clients:
                client.close()

    # MARK: The phases

    def start(self):
        if port := self.server.wait_for_port(5):
            settle([self.client("early").say(b"^abc$", b"bcd").finish()], 0.4, lambda: self.server.status is not None)
        injected = self.server.injected
        if self.server.status is not None:
            return self.death(injected)
        self.server.detach()
        if not port and not self.server.wait_for_port(RECOVERY):
            if self.server.status is not None:
                return self.death(injected)
            raise Bad("the server neither starts nor ends")
        settle(self.clients, RECOVERY, lambda: self.server.status is not None)
        self.expect_service()
        return self.end(injected)

    def serving(self):
        self.begin()
        waiting = [] if self.is_sequential else [self.client(name).say(b"^ab", b"bc") for name in ("silent", "talking")]
        self.expect_settled(waiting)
        self.server.attach(self.injection)
        self.talk(waiting[1:])
        injected = self.server.injected
        if self.server.status is not None:
            return self.death(injected)
        self.server.detach()
        for client in waiting[:1]:
            client.say(b"c$", b"d")
        settle(self.clients, RECOVERY, lambda: self.server.status is not None)
        if self.server.status is not None:
            return self.death(injected)
        self.finish_clients()
        self.expect_service()
        return self.end(injected)

    def talk(self, waiting):
        """Lets clients connect, send messages and leave during the fault."""
        limit = 0.25
        if self.is_sequential:
            for name, message, reply in (("new", b"^abc$", b"bcd"), ("short", b"^x$", b"y")):
                settle([self.client(name).say(message, reply).finish()], limit)
            big = self.big_client().finish()
            settle([big], 0.6)
            return
        settle([self.client("new").say(b"^abc$", b"bcd")], limit)
        for client in waiting:
            settle([client.say(b"c$^", b"d")], limit)
            settle([client.say(b"c$", b"d")], limit)
        settle([self.client("short").say(b"^x$", b"y").finish()], limit)
        settle([self.big_client()], 0.6)
        leaving = Client("leaving", self.server.port, PROXY_HEADER if self.kind == "proxy" else b"").say(b"^y", b"z")
        settle([leaving], 0.1)
        leaving.reset()
        if self.kind == "limit":
            rejected = [Client("rejected", self.server.port) for _ in range(8)]
            settle(rejected, 0.1)
            for client in rejected:
                client.close()
        if self.kind == "admin":
            self.ask("/metrics", 0.5)
        if self.kind in ("tick", "manager"):
            time.sleep(0.25)

    def big_client(self):
        """Returns a client that sends a long message, and begins to read only when the server cannot send more."""
        return self.say_much(self.client("big", window=16384), BIG)

    def say_much(self, client, size):
        client.say(b"^" + b"a" * size + b"$", b"b" * size)
        client.reads_from = time.monotonic() + 0.06
        return client

    def draining(self):
        self.begin()
        talking = self.client("talking").say(b"^ab", b"bc")
        idle = [] if self.is_sequential else [self.client("idle")]
        big = None if self.is_sequential else self.client("big", window=16384)
        self.expect_settled(self.clients)
        self.server.attach(self.injection)
        if big:
            # The reply must arrive within the drain's timeout, even on a busy machine.
            settle([self.say_much(big, BIG // 3)], 0.03)
        # The server may still accept this client, or the kernel may reset its connection.
        queued = Client("queued", self.server.port, PROXY_HEADER if self.kind == "proxy" else b"")
        self.server.terminate()
        for client in self.clients:
            client.may_end = True
        settle([*idle, queued], 0.06)
        talking.say(b"c$", b"d")
        everyone = [*self.clients, queued]
        settle(everyone, 3.0, lambda: self.server.status is not None)
        status = self.server.wait(1.5 if self.case.position.startswith("every") else 2.5)
        injected = self.server.injected
        self.server.detach()
        if status is None:
            status = self.server.wait(3)
        settle(everyone, 0.2)
        if queued.is_wrong:
            raise Bad(f"the queued client received {bytes(queued.received[:40])!r}")
        queued.close()
        if status is None:
            raise Bad("SIGTERM does not end the server")
        if status != 0:
            return self.death(injected)
        return self.judge(injected)

    # MARK: Parts of the phases

    def begin(self):
        if not self.server.wait_for_port(10):
            raise Bad("the server does not start without a fault")

    def expect_settled(self, clients):
        if not settle(clients, 5) or any(client.is_lost for client in clients):
            raise Bad("the server does not serve without a fault")

    def expect_service(self):
        """Checks that the server serves a new client, and that the administration responds."""
        client = self.client("later").say(b"^abc$", b"bcd").finish()
        settle([client], RECOVERY, lambda: self.server.status is not None)
        if self.server.status is None and (client.is_lost or not client.is_done):
            raise Bad("the server does not serve a new client after the fault has passed")
        if self.kind == "admin" and self.server.status is None and self.ask("/healthz", RECOVERY) != 200:
            raise Bad("/healthz does not respond after the fault has passed")

    def finish_clients(self):
        for client in self.clients:
            if not client.is_lost:
                client.finish()
        settle([client for client in self.clients if not client.is_lost],
               0.3 if self.case.call in LEAVES_OPEN else RECOVERY, lambda: self.server.status is not None)

    def ask(self, path, seconds):
        """Returns the status of the administration's response, or None."""
        port = self.server.admin_port
        if not port:
            return None
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            response.read()
            return response.status
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    # MARK: The judgement

    def end(self, injected):
        """Ends the server with SIGTERM, and judges the bytes that the clients have received."""
        self.server.terminate()
        status = self.server.wait(4)
        if status is None:
            self.server.terminate()
            second = "" if self.server.wait(2) is None else "; a second one does"
            raise Bad(f"SIGTERM does not end the server{second}")
        if status != 0:
            return self.death(injected)
        return self.judge(injected)

    def check_bytes(self):
        for client in self.clients:
            if client.is_wrong:
                raise Bad(f"the client '{client.name}' received a wrong byte")

    def judge(self, injected):
        self.check_bytes()
        for line in self.server.errors.splitlines():
            if not LOG_LINE.match(line):
                raise Bad(f"unexpected text on standard error: {line}")
        if self.injection and not injected:
            return NOT_REACHED, ""
        leaves_open = self.case.call in LEAVES_OPEN
        affected = [client.name for client in self.clients
                    if client.is_lost or not (client.is_complete if leaves_open else client.is_done)]
        if not affected:
            return UNAFFECTED, ""
        if len(affected) > injected:
            raise Bad(f"{injected} errors affect {len(affected)} clients: {', '.join(affected)}")
        return CLIENT, ", ".join(affected)

    def death(self, injected):
        """Judges the end of the process."""
        self.check_bytes()
        status, lines = self.server.wait(5), self.server.errors.strip().splitlines()
        last = lines[-1] if lines else ""
        if not injected:
            raise Bad(f"the server ended with status {status} before the fault")
        if status == 0 and self.case.phase != "draining":
            raise Bad("the server ended with status 0")
        if status < 0:
            name = signal.Signals(-status).name
            uses_libuv = self.case.model in LIBUV_MODELS or self.kind == "admin"
            if status == -signal.SIGABRT and uses_libuv and self.case.call in LIBUV_FUNCTIONS:
                return ABORTS, LIBUV_FUNCTIONS[self.case.call]
            return FATAL, f"{name}: {last[:200]}" if last else name
        if not re.match(r"uvserver: \S", last):
            return FATAL, f"status {status} without a line: {last[:200]}"
        if self.case.phase == "start" and self.case.call not in WAITS:
            own = [line for line in lines if line.startswith("uvserver:")]
            if status != 1 or len(own) != 1:
                raise Bad(f"the start fails with status {status} and {len(own)} lines")
            return REFUSED, last.removeprefix("uvserver: ")
        return FATAL, last.removeprefix("uvserver: ")
