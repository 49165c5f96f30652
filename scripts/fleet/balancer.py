"""HAProxy on its own host, with the configuration of examples/deploy."""

import asyncio
import contextlib
import pathlib
import re
import socket
import time
from dataclasses import dataclass

from journal import port_of
from network import CLIENTS
from server import Failure

ADDRESS = "10.90.0.10"
LOG_PORT, SO_RCVBUFFORCE = 5140, 33
CONFIGURATION = pathlib.Path(__file__).resolve().parents[2] / "examples/deploy/haproxy.cfg"
ENDED = re.compile(r"client=([\d.]+:\d+) server=(\w+) from=([\d.]+:\d+) ended=(..)")


@dataclass
class Way:
    """The server of a client's connection, from HAProxy's log after its end."""

    client: str
    server: str
    near: str  # HAProxy's address of its connection with the server
    ending: str


class Balancer:
    def __init__(self, network, host, folder):
        self.network, self.host = network, host
        self.log, self.control = folder / "haproxy.log", folder / "control"
        self.file = folder / "haproxy.cfg"
        self.process = None
        self.lines = []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 4 << 20)
        self.socket.bind((CLIENTS, LOG_PORT))
        self.socket.setblocking(False)
        asyncio.get_running_loop().add_reader(self.socket, self.read)

    def read(self):
        with contextlib.suppress(BlockingIOError):
            while True:
                self.lines.append(self.socket.recv(4096).decode(errors="replace"))

    def configure(self):
        """The configuration file as it is, with a control socket. The log is sent as datagrams, since HAProxy drops
        lines on its standard output when two of its threads write at once."""
        text, changes = CONFIGURATION.read_text(), {
            "\nglobal\n": f"\nglobal\n    stats socket {self.control} level admin\n",
            "log stdout ": f"log {CLIENTS}:{LOG_PORT} "}
        for old, new in changes.items():
            if text.count(old) != 1:
                raise Failure(f"{CONFIGURATION} must have exactly one line with {old.strip()}")
            text = text.replace(old, new)
        self.file.write_text(text)

    async def start(self):
        self.configure()
        with self.log.open("ab") as log:
            self.process = self.network.start(self.host, "haproxy", "-db", "-f", str(self.file), stdout=log, stderr=log)
        deadline = time.monotonic() + 10
        while not self.control.is_socket():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise Failure(f"haproxy did not start: {self.log.read_text(errors='replace')[-500:]}")
            await asyncio.sleep(0.02)

    async def ask(self, command):
        reader, writer = await asyncio.open_unix_connection(str(self.control))
        writer.write(command.encode() + b"\n")
        answer = await reader.read()
        writer.close()
        return answer.decode()

    async def statistics(self):
        """HAProxy's statistics of each server."""
        head, *lines = (await self.ask("show stat")).strip().split("\n")
        names = head.lstrip("# ").split(",")
        rows = [dict(zip(names, line.split(","))) for line in lines]
        return {row["svname"]: row for row in rows if row["svname"] not in ("FRONTEND", "BACKEND")}

    async def states(self):
        """The number of connections and HAProxy's status of each server."""
        return {host: (int(row["scur"]), row["status"]) for host, row in (await self.statistics()).items()}

    async def refusals(self):
        """The number of failed connects to servers, after which HAProxy chose another server or gave up."""
        rows = (await self.statistics()).values()
        return sum(int(row[name]) for row in rows for name in ("econ", "wretr", "wredis"))

    async def wait(self, host, state, seconds):
        """Waits until a server is in a state; returns the time it took."""
        begin = time.monotonic()
        while not (await self.states())[host][1].startswith(state):
            if time.monotonic() - begin > seconds:
                raise Failure(f"{host} is {(await self.states())[host][1]} after {seconds} s; expected {state}")
            await asyncio.sleep(0.01)
        return time.monotonic() - begin

    async def ways(self, count):
        """Waits for `count` ended connections, and returns the server of each by the client's port."""
        deadline = time.monotonic() + 10
        while len(found := list(filter(None, map(ENDED.search, self.lines)))) < count and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        dropped = re.search(r"^DroppedLogs: (\d+)$", await self.ask("show info"), re.MULTILINE)
        if not dropped or dropped[1] != "0":
            raise Failure(f"HAProxy has dropped log lines: {dropped and dropped[1]}")
        return {port_of(match[1]): Way(*match.groups()) for match in found}

    async def stop(self):
        """Stops its checks, so that the servers' counts no longer change."""
        self.process.terminate()
        deadline = time.monotonic() + 10
        while self.process.poll() is None:
            if time.monotonic() > deadline:
                raise Failure("haproxy does not stop")
            await asyncio.sleep(0.02)

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def close(self):
        self.kill()
        self.socket.close()
        with self.log.open("a") as log:
            log.writelines(line.rstrip("\n") + "\n" for line in self.lines)


def drain_delay():
    """The drain delay in seconds, from the comment at the top of the file."""
    return int(re.search(r"--drain-delay (\d+)s\b", CONFIGURATION.read_text())[1])


def check_interval():
    """The time in seconds in which HAProxy must notice that a server is dead: `fall` times `inter`."""
    text = CONFIGURATION.read_text()
    inter, fall = re.search(r"\binter (\d+)ms", text), re.search(r"\bfall (\d+)", text)
    return int(inter[1]) / 1000 * int(fall[1])
