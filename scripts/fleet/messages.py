"""Random messages of the protocol with their replies."""

from dataclasses import dataclass

PLUS_ONE = bytes((byte + 1) % 256 for byte in range(256))


@dataclass
class Message:
    """The pieces to send, with the reply to each."""

    pieces: list

    @property
    def size(self):
        return sum(len(piece) for piece, _ in self.pieces)


def make(randomness, sizes, count=1):
    """A message in several pieces, sometimes after bytes that a server ignores."""
    payloads = [payload(randomness, randomness.choice(sizes)) for _ in range(count)]
    pieces = [[body, body.translate(PLUS_ONE)] for body in payloads]
    pieces[0][0] = noise(randomness) + b"^" + pieces[0][0]
    pieces[-1][0] += b"$"
    return Message(pieces)


def payload(randomness, size):
    """Any bytes except the one that closes a message; at least one, so that there is a reply to wait for."""
    return b"^" + randomness.randbytes(size).translate(None, b"$")


def noise(randomness):
    return randomness.randbytes(8).translate(None, b"^") if randomness.random() < 0.25 else b""
