"""Clients that connect to a server directly, bypassing the balancer, some of them with a forged header."""

import socket
import struct
from dataclasses import dataclass

import messages
from clients import Ended, Line
from server import PORT

FORGED = ("192.0.2.1", 4242)
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
VERSION_2_PROXY, TCP_OVER_IPV4, ADDRESSES = 0x21, 0x11, 12
# HAProxy's header before a client's first byte, which a server does not count.
HEADER_SIZE = len(SIGNATURE) + 4 + ADDRESSES


@dataclass
class Visit:
    host: str
    port: int
    forged: bool
    asked: int = 0  # bytes, including a forged header: the server takes it for the client's bytes
    answered: int = 0
    fault: str | None = None


def forged_header(address):
    """A header that claims that `FORGED` connected through a balancer."""
    return (SIGNATURE + struct.pack("!BBH", VERSION_2_PROXY, TCP_OVER_IPV4, ADDRESSES)
            + socket.inet_aton(FORGED[0]) + socket.inet_aton(address) + struct.pack("!HH", FORGED[1], PORT))


async def visit(host, address, port, randomness, forged):
    visit = Visit(host, port, forged)
    try:
        with socket.socket() as connection:
            connection.setblocking(False)
            await talk(Line(connection), visit, address, randomness)
    except (Ended, OSError) as fault:
        visit.fault = str(fault)
    return visit


async def talk(line, visit, address, randomness):
    [[message, answer]] = messages.make(randomness, (1, 40, 1400)).pieces
    sent = (forged_header(address) if visit.forged else b"") + message
    await line.connect(visit.port, (address, PORT))
    if not await line.expect(b"*", "the greeting"):
        raise Ended("no greeting")
    await line.send(sent)
    if not await line.expect(answer, "an answer"):
        raise Ended("no answer")
    visit.asked, visit.answered = len(sent), len(answer)
    await line.end()
