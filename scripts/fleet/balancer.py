"""HAProxy on its own host, with the configuration of examples/deploy."""

import asyncio
import csv
import pathlib
import re
import socket
import time

import hosts
from hosts import CLIENTS, Failure, limit

LOG_PORT, SO_RCVBUFFORCE = 5140, 33
CONTROL = pathlib.Path("/run/balancer")
CONFIGURATION = pathlib.Path(__file__).resolve().parents[2] / "examples/deploy/haproxy.cfg"
TEXT = CONFIGURATION.read_text()
ENDED = re.compile(r"client=([\d.]+:\d+) server=(\w+) from=([\d.]+:\d+) ended=(..)")
# The drain delay in seconds, from the comment at the top of the file.
DRAIN_DELAY = int(re.search(r"--drain-delay (\d+)s\b", TEXT)[1])
# The time in seconds in which HAProxy must notice that a server is dead: `fall` times `inter`.
CHECK_INTERVAL = int(re.search(r"\binter (\d+)ms", TEXT)[1]) / 1000 * int(re.search(r"\bfall (\d+)", TEXT)[1])


class Balancer(asyncio.DatagramProtocol):
    """HAProxy, and the receiver of its log."""

    def __init__(self, folder):
        self.log, self.file = folder / "haproxy.log", folder / "haproxy.cfg"
        # By the client's address: its server, HAProxy's address of its connection with the server, and how it ended.
        self.ways = {}

    def datagram_received(self, data, _):
        with self.log.open("ab") as log:
            log.write(data.rstrip() + b"\n")
        if found := ENDED.search(data.decode(errors="replace")):
            self.ways[found[1]] = found.groups()[1:]

    async def start(self):
        """The configuration file as it is, with a control socket. The log is sent as datagrams, since HAProxy drops
        lines on its standard output when two of its threads write at once."""
        if TEXT.count("log stdout ") != 1:
            raise Failure(f"{CONFIGURATION} must have exactly one line with log stdout")
        changed = f"stats socket {CONTROL} level admin\n    log {CLIENTS}:{LOG_PORT} "
        self.file.write_text(TEXT.replace("log stdout ", changed))
        receiver, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: self, local_addr=(CLIENTS, LOG_PORT))
        receiver.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 4 << 20)
        self.process = await hosts.start(
            "balancer", self.log, "haproxy", "-db", "-f", self.file, ready=CONTROL.is_socket)

    async def ask(self, command):
        reader, writer = await asyncio.open_unix_connection(CONTROL)
        writer.write(command.encode() + b"\n")
        answer = await reader.read()
        writer.close()
        return answer.decode()

    async def statistics(self):
        """HAProxy's statistics of each server."""
        rows = csv.DictReader((await self.ask("show stat")).lstrip("# ").splitlines())
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
        begin = time.time()
        async with limit(seconds, Failure(f"{host} is not {state} in HAProxy after {seconds} s")):
            while not (await self.states())[host][1].startswith(state):
                await asyncio.sleep(0.01)
        return time.time() - begin

    async def wait_for_ways(self, count):
        """Waits until `count` ended connections are in the log, as far as possible."""
        for _ in range(500):
            if len(self.ways) >= count:
                break
            await asyncio.sleep(0.02)
        dropped = re.search(r"^DroppedLogs: (\d+)$", await self.ask("show info"), re.MULTILINE)
        if not dropped or dropped[1] != "0":
            raise Failure(f"HAProxy has dropped log lines: {dropped and dropped[1]}")

    async def stop(self):
        """Stops its checks, so that the servers' counts no longer change."""
        self.process.terminate()
        async with limit(10, Failure("haproxy does not stop")):
            await self.process.wait()
