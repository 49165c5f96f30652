"""Constants of the increment protocol, and of the header in which a proxy names its client."""

PLUS_ONE = bytes((byte + 1) % 256 for byte in range(256))
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
