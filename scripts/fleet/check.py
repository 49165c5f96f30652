"""Restarts three servers behind HAProxy under load, kills one, and judges. scripts/check-fleet explains."""

import argparse
import asyncio
import contextlib
import os
import pathlib
import random
import shutil
import signal
import sys
import tempfile
import time

import chart
from balancer import Balancer, check_interval
from clients import Crowd, Habit
from judgement import Judgement, Kill, Restart
from network import Network, remove_leftovers
from server import PORT, Failure, Server

ADDRESSES = {"balancer": "10.90.0.10", "s1": "10.90.0.11", "s2": "10.90.0.12", "s3": "10.90.0.13"}
HOSTS = ("s1", "s2", "s3")
HABITS = (
    Habit("thoughtful", 24, think=(0.002, 0.02)),
    Habit("quiet", 9, think=(0.3, 1.0)),
    Habit("slow", 12, think=(0.01, 0.1), sizes=(1, 7, 200, 1400), pieces=20, gap=(0.03, 0.16)),
    Habit("hasty", 3, think=(0.05, 0.1), sizes=(1, 40, 200), burst=10),
    Habit("fleeting", 3, think=(0, 0), messages=1),
)


class Fleet:
    """The story, and the time of everything that happens in it."""

    def __init__(self, network, program, folder, seed):
        self.begin = time.monotonic()
        self.samples, self.moments, self.restarts = [], [], []
        self.servers = {host: Server(network, host, ADDRESSES[host], program, folder) for host in HOSTS}
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
        print(f"{moment.time:>5.1f} s  {counts}  {answers:>6} answers, {ends} ends by servers, {faults} errors: {name}",
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
            await self.balancer.wait(host, "UP", 5)

    async def run(self):
        await self.rise()
        sampling = asyncio.create_task(self.sample())
        await self.crowd.start()
        await asyncio.sleep(2)
        await self.moment("all clients connected")
        for host in HOSTS:
            await self.restart(host)
        kill = await self.kill("s1")
        await self.crowd.stop()
        await asyncio.sleep(0.2)
        await self.moment("all clients done")
        sampling.cancel()
        return kill

    async def restart(self, host):
        server = self.servers[host]
        await self.balancer.ask(f"set server servers/{host} state drain")
        await asyncio.sleep(0.1)
        await self.moment(f"{host} told to stop")
        told = time.monotonic()
        server.terminate()
        code = await server.end()
        self.restarts.append(Restart(host, told, time.monotonic(), code, server.counts()))
        await self.moment(f"{host} has ended")
        server.kill()
        await server.start()
        await self.balancer.ask(f"set server servers/{host} state ready")
        await self.balancer.wait(host, "UP", 5)
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
        await self.balancer.wait(host, "UP", 5)
        back = time.monotonic()
        await self.moment(f"{host} in service again")
        await asyncio.sleep(2)
        return Kill(host, killed, found, check_interval(), back)

    async def report(self, kill):
        print("\n" + chart.table(self.moments, HOSTS))
        print("\n" + chart.graph(self.samples, self.moments, HOSTS) + "\n")
        wires = {host: server.wire for host, server in self.servers.items()}
        return Judgement(self.crowd, await self.balancer.ways(), wires, self.restarts, kill).judge()


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
        return await fleet.report(await fleet.run())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--logs")
    parser.add_argument("--fault", help="of faulty_server.py, for the servers' environment")
    parser.add_argument("program")
    arguments = parser.parse_args()
    if arguments.fault:
        os.environ["FAULT"] = arguments.fault
    arguments.program = shutil.which(arguments.program) or arguments.program
    print(f"check-fleet: seed {arguments.seed}", flush=True)
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
    print("check-fleet: " + ("all holds" if good else "FAILED"))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
