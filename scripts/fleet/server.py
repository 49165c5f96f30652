"""A server on its own host: its processes, their logs and metrics, and how its connections began and ended.

Like every segment, a server's FIN carries the number of the byte that it expects next: all bytes before it had reached
the server's host. That shows whether a message without a reply was lost there or crossed the FIN."""

import asyncio
import re
import urllib.request
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import hosts
from hosts import ADMIN_PORT, PORT, SERVERS

DRAIN_TIMEOUT = 20  # far more than the longest message takes, even on a busy machine
ACCEPTED = re.compile(r"^\S+ debug uvserver: accepted client=(\S+) connection=\d+(?: proxy=(\S+))?$", re.MULTILINE)
DRAINING = re.compile(r"^(\S+) info uvserver: draining ", re.MULTILINE)
COUNTS = re.compile(r"uvserver: stopped: (\d+) connections served.*; (\d+) bytes received, (\d+) sent")
SEGMENT = re.compile(r"^([\d.]+) IP (\S+)\.(\d+) > (\S+)\.(\d+): Flags \[(\S+)\](?:, seq (\d+)(?::\d+)?)?"
                     r"(?:, ack (\d+))?", re.MULTILINE)
OPENS_OR_CLOSES = f"tcp port {PORT} and tcp[tcpflags] & (tcp-syn|tcp-fin|tcp-rst) != 0"
METRICS = (ACCEPTED_TOTAL, OPEN, REJECTED, CLOSED_BY_LIMIT, MESSAGES, RECEIVED, SENT) = (
    "uvserver_connections_accepted_total", "uvserver_connections_open", "uvserver_connections_rejected_total",
    "uvserver_connections_closed_by_limit_total", "uvserver_messages_total", "uvserver_received_bytes_total",
    "uvserver_sent_bytes_total")


class Accepted(NamedTuple):
    """A connection's log entry, written after its header and before its greeting."""

    client: str  # the address and port
    proxy: str  # HAProxy's address, if a header has named the client; otherwise empty


class Life:
    """A server's log of one process, from its start to its exit."""

    def __init__(self, text):
        drained, counts = DRAINING.search(text), COUNTS.search(text)
        self.accepted = [Accepted(*entry) for entry in ACCEPTED.findall(text)]
        self.drained = drained and datetime.fromisoformat(drained[1]).timestamp()
        # From its last line: connections served, bytes received and sent.
        self.counts = [int(count) for count in counts.groups()] if counts else [0, 0, 0]
        self.forwarded = {line.client for line in self.accepted if line.proxy}

    def own(self, address):
        """The connections that this host opened itself."""
        return [line for line in self.accepted if not line.proxy and line.client.startswith(address + ":")]


@dataclass
class Passage:
    """A connection from the balancer, as captured on the server's host."""

    first: int  # the sequence number before its first byte
    began: float  # later than the client's own connection with the balancer
    received: int | None = None  # bytes received when the server sent FIN, if it sent it first
    ended: bool = False  # by either side
    reset: bool = False  # by the server


class Server:
    def __init__(self, host, program, folder, drain_delay):
        self.host, self.address, self.drain_delay = host, SERVERS[host], drain_delay
        self.command = (
            program, "serve", "--host", self.address, "--port", PORT, "--admin", f"{self.address}:{ADMIN_PORT}",
            "--proxy-protocol", hosts.BALANCER, "--drain-delay", f"{drain_delay}s",
            "--drain-timeout", f"{DRAIN_TIMEOUT}s", "--log-level", "debug")
        self.folder, self.logs = folder, []  # a log for each process
        self.captured = folder / f"{host}.segments"

    async def capture(self):
        """Returns when tcpdump captures the segments that open and close connections."""
        self.wire = await hosts.start(
            self.host, self.captured, "tcpdump", "-i", "eth0", "-nn", "-S", "-tt", "-l", "-B", 4096, "-Z", "root",
            OPENS_OR_CLOSES, ready=lambda: "listening on eth0" in self.captured.read_text())

    async def start(self):
        """Returns when it listens."""
        log = self.folder / f"{self.host}-{len(self.logs) + 1}.log"
        self.logs.append(log)
        self.process = await hosts.start(
            self.host, log, *self.command, ready=lambda: b"listening on " in log.read_bytes())

    async def end(self):
        """Its exit code, or None if it still runs long after its drain should have ended."""
        try:
            return await asyncio.wait_for(self.process.wait(), self.drain_delay + DRAIN_TIMEOUT + 5)
        except TimeoutError:
            self.process.kill()

    def lives(self):
        return [Life(log.read_text(errors="replace")) for log in self.logs]

    async def stop_capture(self):
        """The connections by HAProxy's address, which is used more than once, and the number of lost segments."""
        self.wire.terminate()
        await self.wire.wait()
        text, passages = self.captured.read_text(), {}
        for time, source, source_port, target, target_port, flags, number, expected in SEGMENT.findall(text):
            if int(target_port) == PORT:
                known = passages.setdefault(f"{source}:{source_port}", [])
                if "S" not in flags and known:
                    known[-1].ended = True
                elif "S" in flags and not (known and known[-1].first == int(number)):
                    known.append(Passage(int(number), float(time)))
            elif known := passages.get(f"{target}:{target_port}"):
                if "F" in flags and not known[-1].ended:
                    known[-1].received = (int(expected) - known[-1].first - 1) % (1 << 32)
                known[-1].reset |= "R" in flags
                known[-1].ended |= "R" in flags or "F" in flags
        return passages, int(re.search(r"(\d+) packets? dropped by kernel", text)[1])

    def scrape(self):
        """Each metric for Prometheus, with the sum of its series."""
        with urllib.request.urlopen(f"http://{self.address}:{ADMIN_PORT}/metrics", timeout=10) as response:
            text = response.read().decode()
        totals = Counter()
        for name, value in re.findall(r"^(\w+)(?:\{.*\})? (\S+)$", text, re.MULTILINE):
            totals[name] += float(value)
        return {name: int(totals[name]) if name in totals else None for name in METRICS}

    async def last_metrics(self):
        """The metrics of a server without clients, after HAProxy has stopped sending any."""
        for _ in range(500):
            if not (metrics := self.scrape())[OPEN]:
                break
            await asyncio.sleep(0.02)
        return metrics
