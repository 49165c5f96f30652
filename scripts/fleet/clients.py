"""Runs clients that check every byte of the replies, and records what happens on each connection."""

import asyncio
import errno
import socket
import struct
import time
from dataclasses import dataclass, field

from hosts import CLIENTS, PORT, SERVERS, limit
from protocol import PLUS_ONE, SIGNATURE

PATIENCE = 10
FIRST_PORT, LAST_PORT = 10_000, 64_999
# The ways in which a connection can end without an error.
OURS = "closed by the client"
ORDERLY = "closed by the server between messages"
NO_REPLY = "closed by the server after a message, before any byte of its reply"
FORGED = ("192.0.2.1", 4242)
# The first part of the header that HAProxy sends before a client's first byte: a signature, version 2, TCP over IPv4,
# and the length of the addresses. The addresses follow. The server does not count the header's bytes.
HEADER = SIGNATURE + bytes([0x21, 0x11, 0, 12])
HEADER_SIZE = len(HEADER) + 12


class Ended(Exception):
    """The server has closed the connection, or the connection has failed. The message gives the reason."""


@dataclass(frozen=True)
class Habit:
    """The behaviour of a kind of client. Times are in seconds, and sizes in bytes."""

    name: str
    clients: int
    think: tuple  # the minimum and maximum pause between a reply and the next message
    sizes: tuple = (1, 7, 40, 200, 1400, 40_000)
    pieces: int = 1
    gap: tuple = (0, 0)  # the minimum and maximum pause between the pieces of a message
    messages: int | None = None  # the number of messages after which the client closes the connection, if any
    burst: int = 1  # number of messages without a pause between them


VISIT = Habit("visit", 1, think=(0, 0), sizes=(1, 40, 1400), messages=1)


@dataclass
class Conversation:
    """The record of one connection. The fields from `server` on are filled in after the run."""

    client: str
    habit: Habit
    port: int
    opened: float = field(default_factory=time.time)
    greeted: float | None = None
    ended: float | None = None
    ending: str | None = None
    completed: int = 0  # bytes of messages with a complete reply
    received: int = 0  # bytes of the complete replies
    messages: list = field(default_factory=list)  # start and end times of each message with a complete reply
    incomplete: int = 0  # bytes of the last message, if its reply is incomplete
    sent: float = 0  # the time at which the client began to send the last piece of a message
    server: str | None = None
    near: str = ""  # the address from which HAProxy connected to the server
    termination: str = ""  # HAProxy's code for the way in which the connection ended
    passage: object = None

    @property
    def address(self):
        return f"{CLIENTS}:{self.port}"

    def __str__(self):
        return (f"{self.client}, {self.address} on {self.server} from {self.near}, from {self.opened:.3f} to "
                f"{self.ended:.3f}: {self.ending}, after {len(self.messages)} messages, {self.completed} bytes with a "
                f"reply and {self.incomplete} without; HAProxy: {self.termination}; {self.passage}")

    async def hold(self, address, converse):
        """Connects, calls `converse` after the greeting, shuts down the write side, and records the outcome."""
        try:
            with socket.socket() as connection:
                connection.setblocking(False)
                line = Line(connection)
                await line.connect(self.port, address)
                if not await line.expect(b"*", "the greeting"):
                    raise Ended("no greeting")
                self.greeted = time.time()
                await converse(line)
                await line.end()
            self.ending = OURS
        except Ended as end:
            self.ending = str(end)
        except OSError as error:
            self.ending = errno.errorcode.get(error.errno, str(error))
        self.ended = time.time()

    async def exchange(self, line, message, randomness):
        """Sends the pieces of a message, and waits for the reply to each piece before it sends the next piece."""
        begin = time.time()
        for number, (piece, reply) in enumerate(message):
            if number:
                await line.pause(randomness.uniform(*self.habit.gap), "within a message")
            self.sent = time.time()
            await line.send(piece)
            if not await line.expect(reply, "a reply"):
                self.incomplete = len(piece)
                raise Ended("closed within a message" if number else NO_REPLY)
        self.completed += sum(len(piece) for piece, _ in message)
        self.received += sum(len(reply) for _, reply in message)
        self.messages.append((begin, time.time()))


class Crowd:
    """All clients. Each connection has its own client port, which identifies the connection during the whole run."""

    def __init__(self, address, habits, randomness):
        self.address, self.randomness = address, randomness
        self.ports = iter(range(FIRST_PORT, LAST_PORT + 1))
        self.conversations = []
        self.stopping = False
        self.habits, self.tasks = habits, []

    async def start(self):
        """Connects one client after another, so that each server gets clients of each kind."""
        for habit in self.habits:
            for number in range(habit.clients):
                self.tasks.append(asyncio.create_task(self.behave(habit, f"{habit.name} {number + 1}")))
                await asyncio.sleep(0.01)

    async def stop(self):
        """Waits until each client has completed its message and closed its connection."""
        self.stopping = True
        await asyncio.gather(*self.tasks)

    def counts(self):
        ended = [talk for talk in self.conversations if talk.ended]
        return (sum(len(talk.messages) for talk in self.conversations),
                sum(talk.ending != OURS for talk in ended),
                sum(talk.ending not in (OURS, ORDERLY, NO_REPLY) for talk in ended))

    async def behave(self, habit, name):
        """Acts as a client that opens one connection after another, and sends messages on each."""
        again = None  # the message to send again, because its connection ended before the reply

        async def converse(line):
            nonlocal again
            while not self.stopping and (habit.messages is None or len(talk.messages) < habit.messages):
                for _ in range(habit.burst):
                    line.check_end()
                    again = again or make_message(self.randomness, habit)
                    await talk.exchange(line, again, self.randomness)
                    again = None
                await line.pause(self.randomness.uniform(*habit.think))

        while not self.stopping:
            talk = Conversation(name, habit, next(self.ports))
            self.conversations.append(talk)
            await talk.hold(self.address, converse)
            if talk.ending not in (OURS, ORDERLY, NO_REPLY) or habit.messages:
                await asyncio.sleep(0.05)

    async def visit(self, host, port, is_forged):
        """Acts as a client that connects to a server without HAProxy, and sends one message.

        With `is_forged`, the client first sends a proxy header that names `FORGED` as the client. The server must treat
        this header like any other bytes.
        """
        talk = Conversation("visit with a forged header" if is_forged else "visit", VISIT, port, server=host)
        message = make_message(self.randomness, VISIT)
        if is_forged:
            message[0][0] = forged_header(SERVERS[host]) + message[0][0]
        await talk.hold((SERVERS[host], PORT), lambda line: talk.exchange(line, message, self.randomness))
        return talk


def make_message(randomness, habit):
    """Returns the pieces of a random message and their replies. Some messages follow bytes that a server ignores."""
    # A body can contain any byte except `$`, which ends a message. It is not empty, so there is a reply to wait for.
    bodies = [b"^" + randomness.randbytes(randomness.choice(habit.sizes)).translate(None, b"$")
              for _ in range(habit.pieces)]
    pieces = [[body, body.translate(PLUS_ONE)] for body in bodies]
    ignored = randomness.randbytes(8).translate(None, b"^") if randomness.random() < 0.25 else b""
    pieces[0][0] = ignored + b"^" + pieces[0][0]
    pieces[-1][0] += b"$"
    return pieces


def forged_header(address):
    return HEADER + socket.inet_aton(FORGED[0]) + socket.inet_aton(address) + struct.pack("!HH", FORGED[1], PORT)


class Line:
    """The client's side of a connection."""

    def __init__(self, connection):
        self.socket = connection
        self.loop = asyncio.get_running_loop()

    async def within(self, work, what):
        async with limit(PATIENCE, Ended(f"waited {PATIENCE} s for {what}")):
            return await work

    async def connect(self, port, address):
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.bind((CLIENTS, port))
        await self.within(self.loop.sock_connect(self.socket, address), "a connection")

    async def send(self, data):
        """Sends the data. Sends the first bytes immediately after `check_end`, so that no FIN arrives in between."""
        try:
            sent = self.socket.send(data)
        except BlockingIOError:
            sent = 0
        if sent < len(data):
            await self.within(self.loop.sock_sendall(self.socket, data[sent:]), "room to send")

    async def expect(self, reply, what):
        """Receives and checks a reply. Returns False if the connection ended before the reply's first byte."""
        received = 0
        while received < len(reply):
            part = await self.within(self.loop.sock_recv(self.socket, len(reply) - received), what)
            if not part and not received:
                return False
            if not part:
                raise Ended(f"closed within {what}")
            if part != reply[received:received + len(part)]:
                raise Ended("a wrong byte")
            received += len(part)
        return True

    def check_end(self, when=None):
        """Raises `Ended` if the server has closed the connection, which the protocol allows between messages."""
        try:
            surplus = self.socket.recv(1)
        except BlockingIOError:
            return
        if surplus:
            raise Ended("a byte that is not part of a reply")
        raise Ended(f"closed {when}" if when else ORDERLY)

    async def pause(self, seconds, when=None):
        """Waits, and raises `Ended` if the server closes the connection in the meantime."""
        if seconds > 0:
            readable = self.loop.create_future()
            self.loop.add_reader(self.socket, lambda: readable.done() or readable.set_result(None))
            try:
                await asyncio.wait([readable], timeout=seconds)
            finally:
                self.loop.remove_reader(self.socket)
        self.check_end(when)

    async def end(self):
        """Shuts down the write side, and checks that the server closes the connection and sends no more bytes."""
        self.socket.shutdown(socket.SHUT_WR)
        if await self.within(self.loop.sock_recv(self.socket, 1), "the server to close"):
            raise Ended("a byte that is not part of a reply")
