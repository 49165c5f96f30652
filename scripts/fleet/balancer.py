"""HAProxy on a host of its own, with the configuration of examples/deploy."""

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
    """Where a client's connection went, as HAProxy's log has it once it has ended."""

    client: str
    server: str
    near: str  # HAProxy's own end of its connection with the server
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
        """The file as it is, and a way to ask how many connections each server has. The log comes in datagrams: of
        lines on its standard output HAProxy drops one now and then, where two of its threads write at once."""
        text, changes = CONFIGURATION.read_text(), {
            "\nglobal\n": f"\nglobal\n    stats socket {self.control} level admin\n",
            "log stdout ": f"log {CLIENTS}:{LOG_PORT} "}
        for old, new in changes.items():
            if text.count(old) != 1:
                raise Failure(f"{CONFIGURATION} has not one line with {old.strip()}")
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
        """What HAProxy says of each server."""
        head, *lines = (await self.ask("show stat")).strip().split("\n")
        names = head.lstrip("# ").split(",")
        rows = [dict(zip(names, line.split(","))) for line in lines]
        return {row["svname"]: row for row in rows if row["svname"] not in ("FRONTEND", "BACKEND")}

    async def states(self):
        """For each server how many connections it has, and what HAProxy thinks of it."""
        return {host: (int(row["scur"]), row["status"]) for host, row in (await self.statistics()).items()}

    async def refusals(self):
        """How often a client had to be passed on, or was given up, because its server did not let HAProxy connect."""
        rows = (await self.statistics()).values()
        return sum(int(row[name]) for row in rows for name in ("econ", "wretr", "wredis"))

    async def wait(self, host, state, seconds):
        """How long it took until a server is in a state."""
        begin = time.monotonic()
        while not (await self.states())[host][1].startswith(state):
            if time.monotonic() - begin > seconds:
                raise Failure(f"{host} is not {state} after {seconds} s, but {(await self.states())[host][1]}")
            await asyncio.sleep(0.01)
        return time.monotonic() - begin

    async def ways(self, count):
        """The ways of all connections that have ended, by the client's port; waits a while for so many."""
        deadline = time.monotonic() + 10
        while len(found := list(filter(None, map(ENDED.search, self.lines)))) < count and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        dropped = re.search(r"^DroppedLogs: (\d+)$", await self.ask("show info"), re.MULTILINE)
        if not dropped or dropped[1] != "0":
            raise Failure(f"HAProxy has dropped lines of its log: {dropped and dropped[1]}")
        return {port_of(match[1]): Way(*match.groups()) for match in found}

    async def stop(self):
        """Ends its checks, so that the servers' counts stand still."""
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
    """How long a server is to serve on behind SIGTERM, in seconds, as the file's head has it."""
    return int(re.search(r"--drain-delay (\d+)s\b", CONFIGURATION.read_text())[1])


def check_interval():
    """How long HAProxy may take to find a server dead, in seconds: `fall` times `inter`."""
    text = CONFIGURATION.read_text()
    inter, fall = re.search(r"\binter (\d+)ms", text), re.search(r"\bfall (\d+)", text)
    return int(inter[1]) / 1000 * int(fall[1])
