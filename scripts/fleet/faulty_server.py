#!/usr/bin/env python3
"""A server of the protocol with a fault, to see that check-fleet -f finds it; FAULT in the environment names it

  none      no fault: passes
  cut       a drain ends every connection at once, also within a message
  forget    a drain ends a connection behind a message that it has read and not answered
  reset     a drain resets every connection between messages
  wrong     one byte in 5000 messages is another one
  hang-up   one connection in 2000 messages is ended behind an answer, without any drain"""

import asyncio
import os
import signal
import socket
import struct
import sys

PLUS_ONE = bytes((byte + 1) % 256 for byte in range(256))
FAULT = os.environ.get("FAULT", "none")


class Peer(asyncio.Protocol):
    peers = set()
    draining = False
    answered = served = received = sent = 0

    def connection_made(self, transport):
        self.transport, self.within, self.over = transport, False, False
        self.send(b"*")
        Peer.served += 1
        self.peers.add(self)

    def connection_lost(self, _):
        self.peers.discard(self)

    def data_received(self, data):
        Peer.received += len(data)
        if self.over or (FAULT == "forget" and self.draining):
            return self.end()
        answer = self.answer(data)
        Peer.answered += 1
        if FAULT == "wrong" and Peer.answered % 5000 == 0:
            answer = bytes([answer[0] ^ 1]) + answer[1:]
        self.send(answer)
        if not self.within and (self.draining or (FAULT == "hang-up" and Peer.answered % 2000 == 0)):
            self.end()

    def send(self, data):
        self.transport.write(data)
        Peer.sent += len(data)

    def answer(self, data):
        answer = b""
        while data:
            part, delimiter, data = data.partition(b"$" if self.within else b"^")
            answer += part.translate(PLUS_ONE) if self.within else b""
            self.within ^= bool(delimiter)
        return answer

    def end(self):
        if not self.over:
            self.over = True
            self.transport.write_eof()

    def drain(self):
        if FAULT == "cut":
            self.end()
        elif FAULT == "reset" and not self.within:
            handle = self.transport.get_extra_info("socket")
            handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.transport.abort()


async def serve(host, port):
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    listener = await loop.create_server(Peer, host, port)
    print(f"listening on {host}:{port} (faulty)", flush=True)
    await stopped.wait()
    listener.close()
    Peer.draining = True
    for peer in list(Peer.peers):
        peer.drain()
    for _ in range(400):
        await asyncio.sleep(0.01)
        if not Peer.peers:
            break
    for peer in list(Peer.peers):
        peer.transport.abort()
    print(f"stopped: {Peer.served} connections served; {Peer.received} bytes received, {Peer.sent} sent", flush=True)


options = dict(zip(sys.argv[2::2], sys.argv[3::2]))
asyncio.run(serve(options["--host"], int(options["--port"])))
