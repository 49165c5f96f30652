"""A server on its own host: starts, stops and kills it."""

import asyncio
import signal
import time

import journal
from ends import Wire

PORT, ADMIN_PORT = 9090, 9091
DRAIN_TIMEOUT = 20  # far more than the longest message takes, even on a busy machine
START_TIMEOUT = 20


class Failure(Exception):
    """The check cannot continue. A broken promise is not a failure; the judgement reports it."""


class Server:
    def __init__(self, network, host, address, program, folder, proxy, drain_delay):
        self.network, self.host, self.address = network, host, address
        self.drain_delay = drain_delay
        self.command = (
            program, "serve", "--host", address, "--port", str(PORT), "--admin", f"{address}:{ADMIN_PORT}",
            "--proxy-protocol", proxy, "--drain-delay", f"{drain_delay}s", "--drain-timeout", f"{DRAIN_TIMEOUT}s",
            "--log-level", "debug")
        self.log = folder / f"{host}.log"
        self.begins = []  # the start of each life, in the log
        self.process = None
        with network.on(host):
            self.wire = Wire(address, PORT)
        asyncio.get_running_loop().add_reader(self.wire.socket, self.wire.read)

    async def start(self):
        """Returns when it listens."""
        self.begins.append(self.log.stat().st_size if self.log.exists() else 0)
        with self.log.open("ab") as log:
            self.process = self.network.start(self.host, *self.command, stdout=log, stderr=log)
        deadline = time.monotonic() + START_TIMEOUT
        while b"listening on " not in self.log.read_bytes()[self.begins[-1]:]:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise Failure(f"{self.host} did not start: {self.log.read_text(errors='replace')[-500:]}")
            await asyncio.sleep(0.01)

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    async def end(self):
        """Its exit code, or None if it still runs long after its drain should have ended."""
        deadline = time.monotonic() + self.drain_delay + DRAIN_TIMEOUT + 5
        while (code := self.process.poll()) is None and time.monotonic() < deadline:
            await asyncio.sleep(0.01)
        return code

    def lives(self):
        text = self.log.read_bytes()
        ends = [*self.begins[1:], len(text)]
        return [journal.read(text[begin:end].decode(errors="replace")) for begin, end in zip(self.begins, ends)]

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def close(self):
        self.kill()
        self.wire.socket.close()
