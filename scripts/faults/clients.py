"""Clients that never block and know which bytes they must receive."""

import select
import socket
import struct
import time

GREETING = b"*"
PROXY_HEADER = b"\r\n\r\n\0\r\nQUIT\n" + bytes((0x21, 0x11, 0, 12)) + bytes((10, 9, 8, 7, 127, 0, 0, 1, 0, 7, 0, 9))


class Client:
    """A connection to the server. `say` adds a message and the reply that the client expects."""

    def __init__(self, name, port, header=b"", window=None):
        self.name, self.outgoing, self.received = name, bytearray(header), bytearray()
        self.expected, self.error = bytearray(GREETING), None
        self.is_closed = self.is_finishing = self.has_shut_down = self.may_end = False
        # The client reads nothing before this time.
        self.reads_from = 0
        self.socket = socket.socket()
        if window:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        self.socket.setblocking(False)
        self.socket.connect_ex(("127.0.0.1", port))

    def say(self, message, reply):
        self.outgoing += message
        self.expected += reply
        return self

    def finish(self):
        """Shuts down the write side when all messages have been sent, and expects the server to close."""
        self.is_finishing = True
        return self

    def reset(self):
        """Closes the connection with a reset."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self):
        self.socket.close()

    @property
    def is_wrong(self):
        return not self.expected.startswith(self.received)

    @property
    def is_complete(self):
        return self.received == self.expected

    @property
    def is_lost(self):
        """Whether the connection has ended although the client expects more bytes."""
        ended_early = self.is_closed and not (self.is_complete and (self.is_finishing or self.may_end))
        return self.error is not None or ended_early or self.is_wrong

    @property
    def is_done(self):
        return self.is_lost or (self.is_complete and not self.outgoing and
                                (self.is_closed or not (self.is_finishing or self.may_end)))

    def work(self):
        """Sends and receives as much as possible."""
        try:
            while self.outgoing:
                del self.outgoing[:self.socket.send(self.outgoing[:1 << 18])]
            if self.is_finishing and not self.has_shut_down:
                self.socket.shutdown(socket.SHUT_WR)
                self.has_shut_down = True
        except BlockingIOError:
            pass
        except OSError as error:
            self.fail(error)
        if time.monotonic() < self.reads_from or self.is_closed:
            return
        try:
            while not self.is_closed:
                part = self.socket.recv(1 << 18)
                self.received += part
                self.is_closed = not part
        except BlockingIOError:
            pass
        except OSError as error:
            self.fail(error)

    def fail(self, error):
        # A connection that is still being established reports ENOTCONN.
        if isinstance(error, OSError) and error.errno == 107 and not self.received:
            return
        # The server may reset a connection after the client has received everything.
        self.is_closed = True
        if not (self.is_complete and (self.may_end or self.is_finishing)):
            self.error = error


def settle(clients, seconds, until=lambda: False):
    """Lets the clients work until each is done or lost, or the time has passed. Returns whether all are done."""
    end = time.monotonic() + seconds
    while True:
        for client in clients:
            client.work()
        open_clients = [client for client in clients if not client.is_done]
        now = time.monotonic()
        if not open_clients or now >= end or until():
            return not open_clients
        waiting = [client.socket for client in open_clients if not client.is_closed and client.reads_from <= now]
        sending = [client.socket for client in open_clients
                   if client.outgoing and not client.is_closed and client.error is None]
        if waiting or sending:
            select.select(waiting, sending, [], min(0.02, end - now))
        else:
            time.sleep(min(0.005, end - now))
