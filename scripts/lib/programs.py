"""Runs programs, and connects clients to them. The checks of servers share this module."""

import os
import re
import select
import signal
import socket
import subprocess
import time

DEADLINE = 60  # seconds; valgrind starts slowly on a busy machine


class Failure(Exception):
    """A check has failed, for the reason in the message."""


def expect_equal(what, found, expected):
    if found != expected:
        raise Failure(f"{what}: expected {expected[:100]!r} ({len(expected)} bytes), got {found[:100]!r} ({len(found)})")


def available_models(program):
    """Returns the models that this system supports. Prints the others as SKIPPED."""
    available = []
    for line in subprocess.check_output([program, "models"], text=True).splitlines():
        name = line.split()[0]
        if line.endswith("not available on this system"):
            print(f"SKIPPED  {name}: this system does not support the model", flush=True)
        else:
            available.append(name)
    return available


class Program:
    """A running program, whose output and exit status can be checked. It is killed at the end of the `with` block."""

    def __init__(self, *command, prefix=(), **options):
        self.name = os.path.basename(command[0])
        self.process = subprocess.Popen(
            list(map(str, [*prefix, *command])), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, **options)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def line(self):
        """Returns the next line that the program prints, or None at the end of its output."""

        def give_up(*_):
            raise Failure(f"{self.name}: expected a line within {DEADLINE} s")

        signal.signal(signal.SIGALRM, give_up)
        signal.alarm(DEADLINE)
        line = self.process.stdout.readline()
        signal.alarm(0)
        return line.removesuffix("\n") if line else None

    def expect(self, pattern):
        """Reads the next line, checks that it matches the pattern, and returns the match."""
        line = self.line()
        found = re.fullmatch(pattern, line) if line is not None else None
        if not found:
            raise Failure(f"{self.name}: expected {pattern!r}, got {line!r}")
        return found

    def expect_among(self, *patterns):
        """Reads lines until each pattern has matched a line. The lines may come in any order."""
        deadline, missing = time.monotonic() + DEADLINE, list(patterns)
        while missing and time.monotonic() < deadline and (line := self.line()) is not None:
            missing = [pattern for pattern in missing if not re.fullmatch(pattern, line)]
        if missing:
            raise Failure(f"{self.name}: no line matched {missing[0]!r}")

    def listening_port(self):
        """Reads a server's first line, and returns the port that it names."""
        return int(self.expect(r"listening on \S*:(\d+).*")[1])

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def expect_end(self):
        """Checks that the program prints no more lines, and that its exit status is 0."""
        line = self.line()
        if line is not None:
            raise Failure(f"{self.name}: expected the end of the output, got {line!r}")
        status = self.process.wait(DEADLINE)
        if status:
            raise Failure(f"{self.name}: expected exit status 0, got {status}")


def connect(port, host="127.0.0.1"):
    return socket.create_connection((host, port), DEADLINE)


def receive(connection, count=float("inf")):
    """Returns the next `count` bytes, or fewer if the stream ends first."""
    received = bytearray()
    while len(received) < count and (part := connection.recv(int(min(count - len(received), 1 << 16)))):
        received += part
    return bytes(received)


def converse(connection, *chunks):
    """Sends the chunks, shuts down the write side, and returns all bytes that the server sends until it closes."""
    for chunk in chunks:
        connection.sendall(chunk)
    connection.shutdown(socket.SHUT_WR)
    return receive(connection)


def exchange(connections, message, reply, count):
    """Sends `count` messages with at most one message in flight on each connection, and checks each reply."""
    poll = select.epoll()
    by_descriptor = {connection.fileno(): connection for connection in connections[:count]}
    for descriptor, connection in by_descriptor.items():
        poll.register(descriptor, select.EPOLLIN)
        connection.sendall(message)
    sent, replied = len(by_descriptor), 0
    while replied < count:
        ready = poll.poll(DEADLINE)
        if not ready:
            raise Failure(f"no reply within {DEADLINE} s, after {replied} messages")
        for descriptor, _ in ready:
            connection = by_descriptor[descriptor]
            if receive(connection, len(reply)) != reply:
                raise Failure(f"received a wrong reply after {replied} messages")
            replied += 1
            if sent < count:
                connection.sendall(message)
                sent += 1
