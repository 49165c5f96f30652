"""A server on a host of its own: started, stopped, killed."""

import asyncio
import re
import signal
import time

from ends import Wire

PORT = 9090
DRAIN_TIMEOUT = 5
START_TIMEOUT = 20
COUNTS = re.compile(r"(\d+) connections served.*; (\d+) bytes received, (\d+) sent")


class Failure(Exception):
    """What keeps the check from going on; where a promise is broken, the judgement says it instead."""


class Server:
    def __init__(self, network, host, address, program, folder):
        self.network, self.host, self.address, self.program = network, host, address, program
        self.log = folder / f"{host}.log"
        self.process = None
        with network.on(host):
            self.wire = Wire(address, PORT)
        asyncio.get_running_loop().add_reader(self.wire.socket, self.wire.read)

    async def start(self):
        """Returns once it listens."""
        begin = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self.process = self.network.start(
                self.host, self.program, "serve", "--host", self.address, "--port", str(PORT),
                "--drain-timeout", f"{DRAIN_TIMEOUT}s", "--log-level", "info", stdout=log, stderr=log)
        deadline = time.monotonic() + START_TIMEOUT
        while b"listening on " not in self.log.read_bytes()[begin:]:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise Failure(f"{self.host} did not start: {self.log.read_text(errors='replace')[-500:]}")
            await asyncio.sleep(0.01)

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    async def end(self):
        """Its exit code; None where it is still there long after its drain should have ended."""
        deadline = time.monotonic() + DRAIN_TIMEOUT + 5
        while (code := self.process.poll()) is None and time.monotonic() < deadline:
            await asyncio.sleep(0.01)
        return code

    def counts(self):
        """What it said at its last end: connections served, bytes received and sent."""
        found = COUNTS.findall(self.log.read_text(errors="replace"))
        return [int(count) for count in found[-1]] if found else None

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def close(self):
        self.kill()
        self.wire.socket.close()
