"""Clients that check every byte, and record the course of each connection."""

import asyncio
import errno
import socket
import time
from dataclasses import dataclass, field

import messages
from network import CLIENTS

PATIENCE = 10
FIRST_PORT, LAST_PORT = 10_000, 64_999
# How a connection ended.
OURS = "ended by the client"
ORDERLY = "ended by the server between messages"
UNANSWERED = "ended by the server, after a message, before any byte of its reply"


class Ended(Exception):
    """The connection was closed by the server or failed; the message has the reason."""


@dataclass(frozen=True)
class Habit:
    """The behaviour of a kind of client: times in seconds, sizes in bytes."""

    name: str
    clients: int
    think: tuple  # between a reply and the next message: minimum and maximum
    sizes: tuple = (1, 7, 40, 200, 1400, 40_000)
    pieces: int = 1
    gap: tuple = (0, 0)  # between the pieces of a message
    messages: int | None = None  # for each connection, if the client ends it itself
    burst: int = 1  # messages that follow one another without a pause


@dataclass
class Conversation:
    """One connection."""

    client: str
    habit: Habit
    port: int
    opened: float
    greeted: float | None = None
    ended: float | None = None
    ending: str | None = None
    answered: int = 0  # bytes of messages with a complete reply
    received: int = 0  # bytes of those replies
    messages: list = field(default_factory=list)  # start and end of each message with a complete reply
    unanswered: int = 0  # bytes of the message without a complete reply at the end


class Crowd:
    """All clients. Each connection has its own port, which identifies it in the whole run."""

    def __init__(self, address, habits, randomness):
        self.address, self.randomness = address, randomness
        self.ports = iter(range(FIRST_PORT, LAST_PORT + 1))
        self.conversations = []
        self.stopping = False
        self.clients = [Client(self, habit, f"{habit.name} {number + 1}") for habit in habits
                        for number in range(habit.clients)]
        self.tasks = []

    async def start(self):
        """Connects one client after another, so that each kind of client is on each server."""
        for client in self.clients:
            self.tasks.append(asyncio.create_task(client.run()))
            await asyncio.sleep(0.01)

    async def stop(self):
        """Each client completes its message and closes its connection."""
        self.stopping = True
        await asyncio.gather(*self.tasks)

    def figures(self):
        ended = [talk for talk in self.conversations if talk.ended]
        return (sum(len(talk.messages) for talk in self.conversations),
                sum(talk.ending != OURS for talk in ended),
                sum(talk.ending not in (OURS, ORDERLY, UNANSWERED) for talk in ended))


class Client:
    def __init__(self, crowd, habit, name):
        self.crowd, self.habit, self.name = crowd, habit, name
        self.again = None  # the message to repeat, whose connection ended before its reply

    async def run(self):
        while not self.crowd.stopping:
            talk = Conversation(self.name, self.habit, next(self.crowd.ports), time.monotonic())
            self.crowd.conversations.append(talk)
            try:
                with socket.socket() as connection:
                    connection.setblocking(False)
                    await self.converse(Line(connection), talk)
                talk.ending = OURS
            except Ended as end:
                talk.ending = str(end)
            except OSError as error:
                talk.ending = errno.errorcode.get(error.errno, str(error))
            talk.ended = time.monotonic()
            faulty = talk.ending not in (OURS, ORDERLY, UNANSWERED)
            if faulty or self.habit.messages:
                await asyncio.sleep(0.05)

    async def converse(self, line, talk):
        await line.connect(talk.port, self.crowd.address)
        if not await line.expect(b"*", "the greeting"):
            raise Ended("no greeting")
        talk.greeted = time.monotonic()
        while not self.crowd.stopping and (self.habit.messages is None or len(talk.messages) < self.habit.messages):
            for _ in range(self.habit.burst):
                await self.exchange(line, talk)
            await line.pause(self.crowd.randomness.uniform(*self.habit.think))
        await line.end()

    async def exchange(self, line, talk):
        line.check_end()
        message = self.again or messages.make(self.crowd.randomness, self.habit.sizes, self.habit.pieces)
        self.again = message
        begin = time.monotonic()
        for number, (piece, answer) in enumerate(message.pieces):
            if number:
                await line.pause(self.crowd.randomness.uniform(*self.habit.gap), "within a message")
            await line.send(piece)
            if not await line.expect(answer, "an answer"):
                talk.unanswered = len(piece)
                raise Ended("an end within a message" if number else UNANSWERED)
        self.again = None
        talk.answered += message.size
        talk.received += sum(len(answer) for _, answer in message.pieces)
        talk.messages.append((begin, time.monotonic()))


class Line:
    """A client's socket."""

    def __init__(self, connection):
        self.socket = connection
        self.loop = asyncio.get_running_loop()

    async def within(self, work, what):
        try:
            async with asyncio.timeout(PATIENCE):
                return await work
        except TimeoutError:
            raise Ended(f"waited {PATIENCE} s for {what}") from None

    async def connect(self, port, address):
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.bind((CLIENTS, port))
        await self.within(self.loop.sock_connect(self.socket, address), "a connection")

    async def send(self, data):
        """Sends at once as much as the kernel accepts, so that no FIN can arrive between the check and the send."""
        try:
            sent = self.socket.send(data)
        except BlockingIOError:
            sent = 0
        if sent < len(data):
            await self.within(self.loop.sock_sendall(self.socket, data[sent:]), "room to send")

    async def expect(self, answer, what):
        """Whether the reply was received; false if the connection ended before its first byte."""
        received = 0
        while received < len(answer):
            part = await self.within(self.loop.sock_recv(self.socket, len(answer) - received), what)
            if not part and not received:
                return False
            if not part:
                raise Ended(f"an end within {what}")
            if part != answer[received:received + len(part)]:
                raise Ended("a wrong byte")
            received += len(part)
        return True

    def check_end(self, when=None):
        """If the server closed before a message is sent, the protocol lets the client connect again."""
        try:
            surplus = self.socket.recv(1)
        except BlockingIOError:
            return
        if surplus:
            raise Ended("a byte without a request")
        raise Ended(f"an end {when}" if when else ORDERLY)

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
        """Shuts down the write side; the server must close, and send nothing more."""
        self.socket.shutdown(socket.SHUT_WR)
        if await self.within(self.loop.sock_recv(self.socket, 1), "the server's end"):
            raise Ended("a byte without a request")
