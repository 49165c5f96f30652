"""How each connection with a server began and ended, captured on the server's own interface.

Like every segment, a server's FIN carries the number of the byte that it expects next: all bytes before it had reached
the server's host. That shows whether a message without a reply was lost there or crossed the FIN."""

import ctypes
import socket
import struct
import time
from dataclasses import dataclass

ETH_P_ALL = 3
SO_ATTACH_FILTER, SO_RCVBUFFORCE = 26, 33
SOL_PACKET, PACKET_STATISTICS = 263, 6
FIN, SYN, RST, ACK = 1, 2, 4, 16
# A socket filter: TCP over IPv4 with one of the three flags.
FILTER = [
    (0x30, 0, 0, 9),  # load the protocol
    (0x15, 0, 4, 6),  # not TCP: to the end
    (0xB1, 0, 0, 0),  # the length of the IP header
    (0x50, 0, 0, 13),  # load the flags behind it
    (0x45, 0, 1, FIN | SYN | RST),
    (0x06, 0, 0, 128),  # keep the segment's head
    (0x06, 0, 0, 0),  # drop the packet
]


@dataclass
class Passage:
    """A connection from the balancer, as captured on the server's host."""

    first: int  # the sequence number before its first byte
    began: float  # later than the client's own connection with the balancer
    received: int | None = None  # bytes received when the server sent FIN, if it sent it first
    ended: bool = False  # by either side
    reset: bool = False  # by the server


class Wire:
    """The segments that open and close connections on one host's interface."""

    def __init__(self, address, port):
        self.address, self.port = socket.inet_aton(address), port
        self.passages = {}  # by the balancer's port, which is used more than once
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
        """The first connection from this port of the balancer that was opened at this time or later."""
        return next((passage for passage in self.passages.get(peer, []) if passage.began >= opened), None)

    def note_departure(self, passage, expected, flags):
        if flags & FIN and not passage.ended:
            passage.received = (expected - passage.first - 1) % (1 << 32)
        passage.reset = passage.reset or bool(flags & RST)
        passage.ended = passage.ended or bool(flags & (FIN | RST))

    def dropped(self):
        """The number of segments that the kernel dropped from the capture."""
        return struct.unpack("II", self.socket.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))[1]
