#!/usr/bin/env python3
"""Runs a server with a fault, which check-fleet -f must find. The environment variable FAULT names the fault:

  none      The server has no fault.
  cut       At the beginning of a drain, the server closes every connection, even within a message.
  forget    During a drain, the server reads a message, sends no reply, and closes the connection.
  reset     At the beginning of a drain, the server resets every connection that is between two messages.
  wrong     Every 5000th reply begins with a wrong byte.
  hang-up   The server closes a connection after every 2000th reply, without a drain.
  ready     After SIGTERM, the server reports that it is ready until its drain begins.
  proxy     The server logs the proxy's address as the client's address.
  believe   The server accepts a proxy header from any address.
  count     The server counts HAProxy's headers as bytes from clients.
"""

import asyncio
import os
import signal
import socket
import struct
import sys
from datetime import datetime, timezone

from protocol import PLUS_ONE, SIGNATURE

FAULT = os.environ.get("FAULT", "none")
OPTIONS = dict(zip(sys.argv[2::2], sys.argv[3::2]))


def log(level, message):
    print(f"{datetime.now(timezone.utc).isoformat()} {level} uvserver: {message}", flush=True)


class Peer(asyncio.Protocol):
    peers = set()
    stopping = draining = False
    replies = messages = served = received = sent = 0

    def connection_made(self, transport):
        self.transport, self.within, self.over, self.greeted = transport, False, False, False
        self.name = "{}:{}".format(*transport.get_extra_info("peername"))
        self.peers.add(self)
        Peer.served += 1
        self.number = Peer.served
        if not self.name.startswith(OPTIONS["--proxy-protocol"] + ":"):
            self.greet(None)

    def connection_lost(self, _):
        self.peers.discard(self)

    def greet(self, client):
        if FAULT == "proxy" and client:
            client = self.name
        log("debug", f"accepted client={client or self.name} connection={self.number}"
            + (f" proxy={self.name}" if client else ""))
        if not self.greeted:
            self.greeted = True
            self.send(b"*")

    def data_received(self, data):
        if not self.greeted or (FAULT == "believe" and data.startswith(SIGNATURE)):
            data = self.behind_header(data)
        if not data:
            return
        Peer.received += len(data)
        if self.over or (FAULT == "forget" and self.draining):
            return self.end()
        reply = self.reply(data)
        Peer.replies += 1
        if FAULT == "wrong" and Peer.replies % 5000 == 0:
            reply = bytes([reply[0] ^ 1]) + reply[1:]
        self.send(reply)
        if not self.within and (self.draining or (FAULT == "hang-up" and Peer.replies % 2000 == 0)):
            self.end()

    def behind_header(self, data):
        """Reads a proxy header, and returns the bytes after it.

        HAProxy sends its header in a separate segment. A client sends its forged header together with a message.
        """
        command, size = data[12] & 15, struct.unpack_from("!H", data, 14)[0]
        client, _, port, _ = struct.unpack_from("!4s4sHH", data, 16) if command else (None, None, 0, 0)
        Peer.received += 16 + size if FAULT == "count" else 0
        self.greet(f"{socket.inet_ntoa(client)}:{port}" if command else None)
        return data[16 + size:]

    def send(self, data):
        self.transport.write(data)
        Peer.sent += len(data)

    def reply(self, data):
        reply = b""
        while data:
            part, delimiter, data = data.partition(b"$" if self.within else b"^")
            reply += part.translate(PLUS_ONE) if self.within else b""
            Peer.messages += bool(self.within and delimiter)
            self.within ^= bool(delimiter)
        return reply

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


async def administer(reader, writer):
    request = await reader.readuntil(b"\r\n\r\n")
    good, body = not (Peer.draining if FAULT == "ready" else Peer.stopping), ""
    if request.startswith(b"GET /metrics "):
        values = {
            "connections_accepted_total": Peer.served, "connections_open": len(Peer.peers),
            "connections_rejected_total": 0, "connections_closed_by_limit_total": 0, "messages_total": Peer.messages,
            "received_bytes_total": Peer.received, "sent_bytes_total": Peer.sent}
        good, body = True, "".join(f"uvserver_{name} {value}\n" for name, value in values.items())
    writer.write(f"HTTP/1.1 {'200 OK' if good else '503 Service Unavailable'}\r\n\r\n{body}".encode())
    writer.close()


async def serve(host, port):
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    listener = await loop.create_server(Peer, host, port, backlog=4096)
    admin, _, admin_port = OPTIONS["--admin"].partition(":")
    await asyncio.start_server(administer, admin, int(admin_port))
    print(f"listening on {host}:{port} (faulty)", flush=True)
    await stopped.wait()
    Peer.stopping = True
    await asyncio.sleep(int(OPTIONS["--drain-delay"].rstrip("s")))
    listener.close()
    Peer.draining = True
    log("info", f"draining connections={len(Peer.peers)}")
    for peer in list(Peer.peers):
        peer.drain()
    for _ in range(400):
        await asyncio.sleep(0.01 if Peer.peers else 0)
    for peer in list(Peer.peers):
        peer.transport.abort()
    log("notice", f"stopped: {Peer.served} connections served; {Peer.received} bytes received, {Peer.sent} sent")


asyncio.run(serve(OPTIONS["--host"], int(OPTIONS["--port"])))
