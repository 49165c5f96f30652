"""Hosts made of network namespaces on one switch, invisible from outside."""

import ctypes
import os
import pathlib
import re
import signal
import subprocess
import time
from contextlib import contextmanager

PREFIX = "uvfleet"
CLIENTS = "10.90.0.1"
CLONE_NEWNET = 0x40000000
NAMESPACES = pathlib.Path("/run/netns")


def ip(*arguments):
    result = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    if result.returncode:
        raise OSError(f"ip {' '.join(arguments)}: {result.stderr.strip()}")


class Network:
    """Each host has an interface eth0; the clients' host is also the switch."""

    def __init__(self, addresses):
        self.addresses = addresses
        self.tag = f"{PREFIX}-{os.getpid()}"

    def name(self, host):
        return f"{self.tag}-{host}"

    def build(self):
        clients = self.name("clients")
        ip("netns", "add", clients)
        ip("-n", clients, "link", "add", "switch", "type", "bridge")
        ip("-n", clients, "addr", "add", CLIENTS + "/24", "dev", "switch")
        ip("-n", clients, "link", "set", "switch", "up")
        ip("-n", clients, "link", "set", "lo", "up")
        for host, address in self.addresses.items():
            space = self.name(host)
            ip("netns", "add", space)
            ip("-n", clients, "link", "add", "to-" + host, "type", "veth", "peer", "name", "eth0", "netns", space)
            ip("-n", clients, "link", "set", "to-" + host, "master", "switch", "up")
            ip("-n", space, "addr", "add", address + "/24", "dev", "eth0")
            ip("-n", space, "link", "set", "eth0", "up")
            ip("-n", space, "link", "set", "lo", "up")

    def start(self, host, *command, **options):
        """Runs a program on a host, in its own session, so that a signal from the terminal reaches this script only."""
        return subprocess.Popen(
            ["ip", "netns", "exec", self.name(host), *command],
            stdin=subprocess.DEVNULL, start_new_session=True, **options)

    @contextmanager
    def on(self, host):
        """Sockets opened in the `with` block belong to the host."""
        with open("/proc/thread-self/ns/net", "rb") as before:
            with open(NAMESPACES / self.name(host), "rb") as space:
                enter(space)
            try:
                yield
            finally:
                enter(before)

    def remove(self):
        for space in spaces():
            if space.startswith(self.tag + "-"):
                remove(space)


def enter(space):
    if ctypes.CDLL(None, use_errno=True).setns(space.fileno(), CLONE_NEWNET):
        number = ctypes.get_errno()
        raise OSError(number, "setns: " + os.strerror(number))


def spaces():
    return sorted(path.name for path in NAMESPACES.glob(PREFIX + "-*")) if NAMESPACES.is_dir() else []


def remove(space):
    subprocess.run(["ip", "netns", "del", space], capture_output=True, check=False)


def remove_leftovers():
    """Removes the programs and hosts of an earlier run that was killed."""
    for space in spaces():
        owner = re.fullmatch(PREFIX + r"-(\d+)-\w+", space)
        if not owner or pathlib.Path("/proc", owner[1]).exists():
            continue
        pids = subprocess.run(["ip", "netns", "pids", space], capture_output=True, text=True, check=False).stdout
        for pid in pids.split():
            os.kill(int(pid), signal.SIGKILL)
        time.sleep(0.05 if pids else 0)
        remove(space)
