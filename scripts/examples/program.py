"""A running program of examples/: the lines that it prints, and its exit status."""

import os
import pty
import re
import select
import signal
import socket
import subprocess
import time

DEADLINE = 20


class Failure(Exception):
    pass


class Program:
    """A program whose output is a terminal, so that it is flushed line by line."""

    def __init__(self, directory, name, *arguments):
        self.name = name
        self.terminal, end = pty.openpty()
        self.process = subprocess.Popen(
            [os.path.join(directory, name), *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=end, stderr=end)
        os.close(end)
        self.text = ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.terminal)

    def line(self):
        """The next line that it prints, or None at its end."""
        deadline = time.monotonic() + DEADLINE
        while "\n" not in self.text:
            if not select.select([self.terminal], [], [], max(0, deadline - time.monotonic()))[0]:
                raise Failure(f"{self.name}: expected a line within {DEADLINE} s, got {self.text!r}")
            try:
                read = os.read(self.terminal, 65536)
            except OSError:  # The other end of the terminal is closed.
                read = b""
            if not read:
                return None
            self.text += read.decode()
        line, self.text = self.text.split("\n", 1)
        return line.rstrip("\r")

    def expect(self, pattern):
        """Reads the next line, which must match, and returns what its groups matched."""
        line = self.line()
        found = re.fullmatch(pattern, line) if line is not None else None
        if not found:
            raise Failure(f"{self.name}: expected {pattern!r}, got {line!r}")
        return found.groups()

    def expect_among(self, *patterns):
        """Reads lines until each pattern has matched one, in any order."""
        deadline = time.monotonic() + DEADLINE
        missing = list(patterns)
        while missing and time.monotonic() < deadline and (line := self.line()) is not None:
            missing = [pattern for pattern in missing if not re.fullmatch(pattern, line)]
        if missing:
            raise Failure(f"{self.name}: no line matched {missing[0]!r}")

    def listening_port(self):
        return int(self.expect(r"listening on 127\.0\.0\.1:(\d+)")[0])

    def expect_end(self, status=0):
        line = self.line()
        if line is not None:
            raise Failure(f"{self.name}: expected the end of the output, got {line!r}")
        ended = self.process.wait(DEADLINE)
        if ended != status:
            raise Failure(f"{self.name}: expected exit status {status}, got {ended}")

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)


def connect(port):
    connection = socket.create_connection(("127.0.0.1", port), DEADLINE)
    connection.settimeout(DEADLINE)
    return connection


def exchange(port, sent):
    """The whole reply of a server to a client that sends this and shuts down its write side."""
    with connect(port) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        return receive_to_end(connection)


def receive_to_end(connection):
    received = bytearray()
    while chunk := connection.recv(1 << 16):
        received += chunk
    return bytes(received)


def receive(connection, count):
    received = bytearray()
    while len(received) < count:
        chunk = connection.recv(count - len(received))
        if not chunk:
            break
        received += chunk
    return bytes(received)


def expect_equal(what, found, expected):
    if found != expected:
        raise Failure(f"{what}: expected {expected[:100]!r} ({len(expected)} bytes), got {found[:100]!r} ({len(found)})")
