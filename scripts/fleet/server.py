"""Runs a server on its own host. Reads its logs and metrics, and captures how its connections begin and end.

The server's FIN acknowledges all bytes that have arrived at the server's host. This shows what happened to a message
without a reply: either it arrived before the FIN, and the server ignored it, or it crossed the FIN on its way."""

import asyncio
import re
import urllib.request
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import hosts
from hosts import ADMIN_PORT, PORT, SERVERS

DRAIN_TIMEOUT = 20  # much longer than the longest message takes, even on a busy machine
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
    """The log entry of an accepted connection. The server writes it between the proxy header and the greeting."""

    client: str  # the address and port
    proxy: str  # HAProxy's address if a header has named the client, otherwise empty


class Life:
    """The log of one process of a server, from its start to its exit."""

    def __init__(self, text):
        drained, counts = DRAINING.search(text), COUNTS.search(text)
        self.accepted = [Accepted(*entry) for entry in ACCEPTED.findall(text)]
        self.drained = drained and datetime.fromisoformat(drained[1]).timestamp()
        # The counts in the log's last line: connections served, bytes received, bytes sent.
        self.counts = [int(count) for count in counts.groups()] if counts else [0, 0, 0]
        self.forwarded = {line.client for line in self.accepted if line.proxy}

    def own(self, address):
        """Returns the connections from this address for which no header named a client."""
        return [line for line in self.accepted if not line.proxy and line.client.startswith(address + ":")]


@dataclass
class Passage:
    """A connection from the balancer, as captured on the server's host."""

    first: int  # the sequence number of HAProxy's SYN
    began: float  # the time of the SYN, which is after the client has connected to HAProxy
    received: int | None = None  # bytes that the server's FIN acknowledges, if the server closed first
    closed: float | None = None  # the time of the server's FIN, if the server closed first
    ended: bool = False  # whether either side has closed
    reset: bool = False  # whether the server has sent RST


class Server:
    def __init__(self, host, program, folder, drain_delay):
        self.host, self.address, self.drain_delay = host, SERVERS[host], drain_delay
        self.command = (
            program, "serve", "--host", self.address, "--port", PORT, "--admin", f"{self.address}:{ADMIN_PORT}",
            "--proxy-protocol", hosts.BALANCER, "--drain-delay", f"{drain_delay}s",
            "--drain-timeout", f"{DRAIN_TIMEOUT}s", "--log-level", "debug")
        self.folder, self.logs = folder, []  # the log file of each process
        self.captured = folder / f"{host}.segments"

    async def capture(self):
        """Starts tcpdump, and returns when it captures the segments that open and close connections."""
        self.wire = await hosts.start(
            self.host, self.captured, "tcpdump", "-i", "eth0", "-nn", "-S", "-tt", "-l", "-B", 4096, "-Z", "root",
            OPENS_OR_CLOSES, ready=lambda: "listening on eth0" in self.captured.read_text())

    async def start(self):
        """Starts the server, and returns when it listens."""
        log = self.folder / f"{self.host}-{len(self.logs) + 1}.log"
        self.logs.append(log)
        self.process = await hosts.start(
            self.host, log, *self.command, ready=lambda: b"listening on " in log.read_bytes())

    async def end(self):
        """Waits for the exit and returns the exit code, or kills a server that is overdue and returns None."""
        try:
            return await asyncio.wait_for(self.process.wait(), self.drain_delay + DRAIN_TIMEOUT + 5)
        except TimeoutError:
            self.process.kill()

    def lives(self):
        return [Life(log.read_text(errors="replace")) for log in self.logs]

    async def stop_capture(self):
        """Stops tcpdump. Returns the connections from each HAProxy address, and the number of lost segments."""
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
                    known[-1].closed = float(time)
                    known[-1].received = (int(expected) - known[-1].first - 1) % (1 << 32)
                known[-1].reset |= "R" in flags
                known[-1].ended |= "R" in flags or "F" in flags
        return passages, int(re.search(r"(\d+) packets? dropped by kernel", text)[1])

    def scrape(self):
        """Returns the sum of all series for each metric."""
        with urllib.request.urlopen(f"http://{self.address}:{ADMIN_PORT}/metrics", timeout=10) as response:
            text = response.read().decode()
        totals = Counter()
        for name, value in re.findall(r"^(\w+)(?:\{.*\})? (\S+)$", text, re.MULTILINE):
            totals[name] += float(value)
        return {name: int(totals[name]) if name in totals else None for name in METRICS}

    async def last_metrics(self):
        """Waits until the server has no open connections, and returns its metrics."""
        for _ in range(500):
            if not (metrics := self.scrape())[OPEN]:
                break
            await asyncio.sleep(0.02)
        return metrics
