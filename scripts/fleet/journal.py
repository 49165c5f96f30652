"""A server's log of one process, from its start to its exit."""

import re
import time
from dataclasses import dataclass
from datetime import datetime

ACCEPTED = re.compile(r"^\S+ debug uvserver: accepted client=(\S+) connection=\d+(?: proxy=(\S+))?$", re.MULTILINE)
DRAINING = re.compile(r"^(\S+) info uvserver: draining ", re.MULTILINE)
COUNTS = re.compile(r"uvserver: stopped: (\d+) connections served.*; (\d+) bytes received, (\d+) sent")


@dataclass(frozen=True)
class Accepted:
    """A connection's log entry, written after its header and before its greeting."""

    client: str  # the address and port
    proxy: str | None  # HAProxy's address, if a header has named the client


@dataclass
class Life:
    accepted: list
    drained: float | None  # when its drain began, in the time of time.monotonic()
    counts: list | None  # from its last line: connections served, bytes received and sent

    @property
    def by_port(self):
        """The connections that HAProxy forwarded, by the client's port; the last entry if there are two."""
        return {port_of(line.client): line for line in self.accepted if line.proxy}

    def own(self, address):
        """The connections that this host opened itself."""
        return [line for line in self.accepted if not line.proxy and line.client.startswith(address + ":")]


def port_of(address):
    return int(address.rsplit(":", 1)[1])


def read(text):
    drained, counts = DRAINING.search(text), COUNTS.search(text)
    return Life([Accepted(client, proxy or None) for client, proxy in ACCEPTED.findall(text)],
                drained and monotonic(drained[1]), counts and [int(count) for count in counts.groups()])


def monotonic(text):
    return time.monotonic() - time.time() + datetime.fromisoformat(text).timestamp()
