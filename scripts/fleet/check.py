"""Restarts three servers behind HAProxy under load, kills one, and judges the result; see scripts/check-fleet."""

import argparse
import asyncio
import contextlib
import itertools
import os
import pathlib
import random
import shutil
import signal
import sys
import tempfile
import time

import balancer
import chart
import metrics
from accounts import Accounts
from balancer import Balancer
from claims import Claims
from clients import LAST_PORT, Crowd, Habit
from evidence import Evidence, Kill, Restart
from judgement import Judgement
from network import Network, remove_leftovers
from server import PORT, Failure, Server
from visits import visit

ADDRESSES = {"balancer": balancer.ADDRESS, "s1": "10.90.0.11", "s2": "10.90.0.12", "s3": "10.90.0.13"}
HOSTS = ("s1", "s2", "s3")
HABITS = (
    Habit("thoughtful", 24, think=(0.002, 0.02)),
    Habit("quiet", 9, think=(0.3, 1.0)),
    Habit("slow", 12, think=(0.01, 0.1), sizes=(1, 7, 200, 1400), pieces=20, gap=(0.03, 0.16)),
    Habit("hasty", 3, think=(0.05, 0.1), sizes=(1, 40, 200), burst=10),
    Habit("fleeting", 3, think=(0, 0), messages=1),
)


class Fleet:
    """The course of events, and their times."""

    def __init__(self, network, program, folder, seed):
        self.begin = time.monotonic()
        self.samples, self.moments, self.restarts, self.visits = [], [], [], []
        self.servers = {host: Server(network, host, ADDRESSES[host], program, folder, balancer.ADDRESS,
                                     balancer.drain_delay()) for host in HOSTS}
        self.balancer = Balancer(network, "balancer", folder)
        self.crowd = Crowd((ADDRESSES["balancer"], PORT), HABITS, random.Random(seed))

    def close(self):
        for server in self.servers.values():
            server.close()
        self.balancer.close()

    async def moment(self, name):
        moment = chart.Moment(time.monotonic() - self.begin, await self.balancer.states(), name)
        self.moments.append(moment)
        answers, ends, faults = self.crowd.figures()
        counts = "  ".join(f"{host} {moment.states[host][0]:>3}" for host in HOSTS)
        print(f"{moment.time:>5.1f} s  {counts}  {answers:>6} replies, {ends} server closes, {faults} errors: {name}",
              flush=True)

    async def sample(self):
        while True:
            self.samples.append(chart.Sample(time.monotonic() - self.begin, await self.balancer.states()))
            await asyncio.sleep(0.1)

    async def rise(self):
        for server in self.servers.values():
            await server.start()
        await self.balancer.start()
        for host in HOSTS:
            await self.balancer.wait(host, "UP", 10)

    async def run(self):
        """Returns all evidence."""
        await self.rise()
        sampling = asyncio.create_task(self.sample())
        await self.crowd.start()
        await asyncio.sleep(2)
        await self.moment("all clients connected")
        for host in HOSTS:
            await self.restart(host)
        refusals = await self.balancer.refusals()
        kill = await self.kill("s1")
        await self.visit()
        await self.crowd.stop()
        ways = await self.balancer.ways(len(self.crowd.conversations))
        await self.moment("all clients done")
        sampling.cancel()
        await self.balancer.stop()
        last = {host: await metrics.last(ADDRESSES[host]) for host in HOSTS}
        return Evidence(
            talks=self.crowd.conversations, ways=ways, wires={host: self.servers[host].wire for host in HOSTS},
            lives={host: self.servers[host].lives() for host in HOSTS}, restarts=self.restarts, refusals=refusals,
            kill=kill, visits=self.visits, metrics=last)

    async def restart(self, host):
        """Only the server learns of the restart."""
        server = self.servers[host]
        await self.moment(f"{host} sent SIGTERM")
        told = time.monotonic()
        server.terminate()
        await self.balancer.wait(host, "DOWN", 20)
        out = time.monotonic()
        await self.moment(f"{host} out of service")
        code = await server.end()
        self.restarts.append(Restart(host, told, out, time.monotonic(), code, server.lives()[-1]))
        await self.moment(f"{host} has ended")
        server.kill()
        await server.start()
        await self.balancer.wait(host, "UP", 10)
        await self.moment(f"{host} in service again")
        await asyncio.sleep(2)

    async def kill(self, host):
        server = self.servers[host]
        await self.moment(f"{host} killed")
        killed = time.monotonic()
        server.kill()
        found = await self.balancer.wait(host, "DOWN", 10)
        await self.moment(f"{host} out of service")
        await asyncio.sleep(2)
        await server.start()
        await self.balancer.wait(host, "UP", 10)
        back = time.monotonic()
        await self.moment(f"{host} in service again")
        await asyncio.sleep(2)
        return Kill(host, killed, found, balancer.check_interval(), back)

    async def visit(self):
        """Bypasses HAProxy, with a forged header and without one."""
        for number, (host, forged) in enumerate(itertools.product(HOSTS, (False, True)), start=LAST_PORT + 1):
            self.visits.append(await visit(host, ADDRESSES[host], number, self.crowd.randomness, forged))

    def report(self, evidence):
        print("\n" + chart.table(self.moments, HOSTS))
        print("\n" + chart.graph(self.samples, self.moments, HOSTS) + "\n")
        claims = Claims()
        Judgement(evidence, claims).judge()
        Accounts(evidence, claims).judge()
        return claims.good


async def check(arguments, folder):
    task = asyncio.current_task()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    remove_leftovers()
    network = Network(ADDRESSES)
    with contextlib.ExitStack() as stack:
        stack.callback(network.remove)
        network.build()
        stack.enter_context(network.on("clients"))
        fleet = Fleet(network, arguments.program, folder, arguments.seed)
        stack.callback(fleet.close)
        return fleet.report(await fleet.run())


def go_first():
    """The machines of a real fleet have their own processors; here, a build on the same ones has to wait."""
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, -10)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--logs")
    parser.add_argument("--fault", help="a setting of faulty_server.py, passed to the servers as a variable")
    parser.add_argument("program")
    arguments = parser.parse_args()
    if arguments.fault:
        os.environ["FAULT"] = arguments.fault
    arguments.program = shutil.which(arguments.program) or arguments.program
    print(f"check-fleet: seed {arguments.seed}", flush=True)
    go_first()
    with tempfile.TemporaryDirectory(prefix="uvfleet-") as name:
        folder = pathlib.Path(name)
        try:
            good = asyncio.run(check(arguments, folder))
        except (Failure, OSError) as failure:
            print(f"check-fleet: {failure}", file=sys.stderr)
            good = False
        except asyncio.CancelledError:
            return 130
        finally:
            if arguments.logs:
                shutil.copytree(folder, arguments.logs, dirs_exist_ok=True, ignore=shutil.ignore_patterns("control"))
    print("check-fleet: " + ("all checks passed" if good else "FAILED"))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
