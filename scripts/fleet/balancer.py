"""Runs HAProxy on its own host, with the configuration of examples/deploy."""

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
# The drain delay in seconds, from the comment at the top of haproxy.cfg.
DRAIN_DELAY = int(re.search(r"--drain-delay (\d+)s\b", TEXT)[1])
# HAProxy must detect a dead server within this time in seconds, which is `fall` times `inter`.
CHECK_INTERVAL = int(re.search(r"\binter (\d+)ms", TEXT)[1]) / 1000 * int(re.search(r"\bfall (\d+)", TEXT)[1])


class Balancer(asyncio.DatagramProtocol):
    """A running HAProxy. This object also receives HAProxy's log."""

    def __init__(self, folder):
        self.log, self.file = folder / "haproxy.log", folder / "haproxy.cfg"
        # For each client address: the server, the address from which HAProxy connected to this server, and HAProxy's
        # code for the way in which the connection ended.
        self.ways = {}

    def datagram_received(self, data, _):
        with self.log.open("ab") as log:
            log.write(data.rstrip() + b"\n")
        if found := ENDED.search(data.decode(errors="replace")):
            self.ways[found[1]] = found.groups()[1:]

    async def start(self):
        """Starts HAProxy with the configuration file and a control socket.

        HAProxy sends its log as datagrams, because it drops lines of its standard output if two threads write at once.
        """
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
        reply = await reader.read()
        writer.close()
        return reply.decode()

    async def statistics(self):
        """Returns HAProxy's statistics for each server."""
        rows = csv.DictReader((await self.ask("show stat")).lstrip("# ").splitlines())
        return {row["svname"]: row for row in rows if row["svname"] not in ("FRONTEND", "BACKEND")}

    async def states(self):
        """Returns each server's number of connections, and the server's status in HAProxy."""
        return {host: (int(row["scur"]), row["status"]) for host, row in (await self.statistics()).items()}

    async def failed_connects(self):
        """Returns how many of HAProxy's attempts to connect to a server have failed."""
        rows = (await self.statistics()).values()
        return sum(int(row[name]) for row in rows for name in ("econ", "wretr", "wredis"))

    async def wait(self, host, state, seconds):
        """Waits until HAProxy reports that a server has this state. Returns the seconds that this took."""
        begin = time.time()
        async with limit(seconds, Failure(f"{host} is not {state} in HAProxy after {seconds} s")):
            while not (await self.states())[host][1].startswith(state):
                await asyncio.sleep(0.01)
        return time.time() - begin

    async def wait_for_ways(self, count):
        """Waits up to 10 s until the log has `count` connections. Raises `Failure` if HAProxy has dropped lines."""
        for _ in range(500):
            if len(self.ways) >= count:
                break
            await asyncio.sleep(0.02)
        dropped = re.search(r"^DroppedLogs: (\d+)$", await self.ask("show info"), re.MULTILINE)
        if not dropped or dropped[1] != "0":
            raise Failure(f"HAProxy has dropped log lines: {dropped and dropped[1]}")

    async def stop(self):
        """Stops HAProxy and its checks, so that the servers' counts no longer change."""
        self.process.terminate()
        async with limit(10, Failure("haproxy did not exit within 10 s")):
            await self.process.wait()
