"""A server's metrics for Prometheus."""

import asyncio
import time
from collections import Counter

from server import ADMIN_PORT, Failure

ACCEPTED, OPEN = "uvserver_connections_accepted_total", "uvserver_connections_open"
REFUSED, ENDED = "uvserver_connections_rejected_total", "uvserver_connections_closed_by_limit_total"
MESSAGES, RECEIVED, SENT = "uvserver_messages_total", "uvserver_received_bytes_total", "uvserver_sent_bytes_total"
NAMES = (ACCEPTED, OPEN, REFUSED, ENDED, MESSAGES, RECEIVED, SENT)


async def scrape(address):
    """Each metric with the sum of its series."""
    async with asyncio.timeout(10):
        reader, writer = await asyncio.open_connection(address, ADMIN_PORT)
        writer.write(b"GET /metrics HTTP/1.0\r\n\r\n")
        head, _, body = (await reader.read()).decode().partition("\r\n\r\n")
        writer.close()
    if " 200 " not in head.split("\r\n")[0]:
        raise Failure(f"{address}: /metrics: {head.splitlines()[:1]}")
    totals = Counter()
    for series, value in (line.rsplit(" ", 1) for line in body.splitlines() if not line.startswith("#")):
        totals[series.partition("{")[0]] += float(value)
    return {name: int(totals[name]) if name in totals else None for name in NAMES}


async def last(address):
    """The metrics of a server without clients, after HAProxy has stopped sending any."""
    deadline = time.monotonic() + 10
    while (values := await scrape(address))[OPEN] and time.monotonic() < deadline:
        await asyncio.sleep(0.02)
    return values


def table(values, expected):
    """The value and the expected value of each metric, for each server."""
    lines = [f"{'since the last start':<36}" + "".join(f"  {host:>11} {'counted':>11}" for host in values)]
    for name in NAMES:
        lines.append(f"{name:<36}" + "".join(
            f"  {said[name] if said[name] is not None else '-':>11} {expected[host][name]:>11}"
            for host, said in values.items()))
    return "\n".join(lines)
