"""How each connection with a server began and ended, seen on the server's own wire.

A server's end carries, as every segment does, the number of the byte that it expects next: all before it had reached
the server's machine. So it can be told whether a message without an answer was lost there, or crossed the end."""

import ctypes
import socket
import struct
import time
from dataclasses import dataclass

ETH_P_ALL = 3
SO_ATTACH_FILTER, SO_RCVBUFFORCE = 26, 33
SOL_PACKET, PACKET_STATISTICS = 263, 6
FIN, SYN, RST, ACK = 1, 2, 4, 16
# TCP over IPv4 with one of the three flags: what the kernel hands on of all that passes.
FILTER = [
    (0x30, 0, 0, 9),  # load the protocol
    (0x15, 0, 4, 6),  # not TCP: to the end
    (0xB1, 0, 0, 0),  # the length of the IP header
    (0x50, 0, 0, 13),  # load the flags behind it
    (0x45, 0, 1, FIN | SYN | RST),
    (0x06, 0, 0, 128),  # take the segment's head
    (0x06, 0, 0, 0),  # take nothing
]


@dataclass
class Passage:
    """A connection from the balancer, as the server's machine saw it."""

    first: int  # the number before its first byte's
    began: float  # never before the client's own connection with the balancer
    received: int | None = None  # bytes that had come when the server sent its end, if it sent it first
    ended: bool = False  # by either side
    reset: bool = False  # by the server


class Wire:
    """The segments that open and end connections on one host's interface."""

    def __init__(self, address, port):
        self.address, self.port = socket.inet_aton(address), port
        self.passages = {}  # by the balancer's port, which serves more than once
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
        program = b"".join(struct.pack("HBBI", *step) for step in FILTER)
        steps = ctypes.create_string_buffer(program, len(program))
        self.socket.setsockopt(
            socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HP", len(FILTER), ctypes.addressof(steps)))
        self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 4 << 20)
        self.socket.bind(("eth0", ETH_P_ALL))
        self.socket.setblocking(False)

    def read(self):
        while True:
            try:
                self.note(self.socket.recv(128))
            except BlockingIOError:
                return

    def note(self, packet):
        if packet[0] >> 4 != 4:
            return
        head = (packet[0] & 15) * 4
        source, target, number, expected = struct.unpack_from("!HHII", packet, head)
        flags = packet[head + 13]
        if packet[16:20] == self.address and target == self.port:
            self.note_arrival(source, number, flags)
        elif packet[12:16] == self.address and source == self.port and target in self.passages:
            self.note_departure(self.passages[target][-1], expected, flags)

    def note_arrival(self, peer, number, flags):
        passages = self.passages.setdefault(peer, [])
        if flags & SYN and not (passages and passages[-1].first == number):
            passages.append(Passage(number, time.monotonic()))
        elif passages and not flags & SYN:
            passages[-1].ended = True

    def passage(self, peer, opened):
        """That of a client which connected at this time, if its connection came from this port of the balancer."""
        return next((passage for passage in self.passages.get(peer, []) if passage.began >= opened), None)

    def note_departure(self, passage, expected, flags):
        if flags & FIN and not passage.ended:
            passage.received = (expected - passage.first - 1) % (1 << 32)
        passage.reset = passage.reset or bool(flags & RST)
        passage.ended = passage.ended or bool(flags & (FIN | RST))

    def dropped(self):
        """How many segments the kernel could not keep for us."""
        return struct.unpack("II", self.socket.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))[1]
