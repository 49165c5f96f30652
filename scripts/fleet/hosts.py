"""Simulates hosts with network namespaces. A virtual switch connects the hosts. Nothing outside can reach them.

This process runs on the clients' host. check-fleet starts it in its own namespaces. When this process exits, the
simulated hosts, their /run and their programs disappear."""

import asyncio
import contextlib
import subprocess

BALANCER, CLIENTS = "10.90.0.10", "10.90.0.1"
SERVERS = {"s1": "10.90.0.11", "s2": "10.90.0.12", "s3": "10.90.0.13"}
PORT, ADMIN_PORT = 9090, 9091
START_TIMEOUT = 20


class Failure(Exception):
    """The check cannot continue. `Judgement` reports servers that misbehave; they do not cause a `Failure`."""


@contextlib.asynccontextmanager
async def limit(seconds, failure):
    """Raises `failure` if the block takes longer than `seconds`."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise failure from None


def build():
    """Creates the hosts. Each has an interface eth0. The clients' host also contains the switch."""
    subprocess.run(["mount", "-t", "tmpfs", "hosts", "/run"], check=True)
    ip("link set lo up", "link add switch type bridge", f"addr add {CLIENTS}/24 dev switch", "link set switch up")
    for host, address in {"balancer": BALANCER, **SERVERS}.items():
        ip(f"netns add {host}", f"link add to-{host} type veth peer name eth0 netns {host}",
           f"link set to-{host} master switch up")
        ip("link set lo up", f"addr add {address}/24 dev eth0", "link set eth0 up", host=host)


def ip(*commands, host=None):
    options = ["-n", host] if host else []
    subprocess.run(["ip", *options, "-batch", "-"], input="\n".join(commands), text=True, check=True)


async def start(host, log, *command, ready):
    """Starts a program on a host, and returns its process when it is ready.

    The program has its own session, so that a signal from the terminal reaches only this script.
    """
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            "ip", "netns", "exec", host, "setpriv", "--pdeathsig", "KILL", *map(str, command),
            stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True)
    async with limit(START_TIMEOUT, Failure(f"{command[0]} did not start on {host} within {START_TIMEOUT} s")):
        while not ready():
            if process.returncode is not None:
                raise Failure(f"{command[0]} did not start on {host}: {log.read_text(errors='replace')[-500:]}")
            await asyncio.sleep(0.01)
    return process
