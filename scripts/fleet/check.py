"""Restarts servers behind HAProxy under load, kills one server, and judges the result; see scripts/check-fleet."""

import argparse
import asyncio
import itertools
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from types import SimpleNamespace

import balancer
import chart
import hosts
from balancer import Balancer
from clients import LAST_PORT, Crowd, Habit
from hosts import BALANCER, PORT, SERVERS, Failure
from judgement import Judgement
from server import Server

HABITS = (
    Habit("thoughtful", 24, think=(0.002, 0.02)),
    Habit("quiet", 9, think=(0.3, 1.0)),
    Habit("slow", 12, think=(0.01, 0.1), sizes=(1, 7, 200, 1400), pieces=20, gap=(0.03, 0.16)),
    Habit("hasty", 3, think=(0.05, 0.1), sizes=(1, 40, 200), burst=10),
    Habit("fleeting", 3, think=(0, 0), messages=1),
)


class Fleet:
    """The simulated fleet. Its methods run the test, and record the times of events."""

    def __init__(self, program, folder, seed):
        self.begin = time.time()
        self.samples, self.moments, self.restarts = [], [], []
        self.servers = {host: Server(host, program, folder, balancer.DRAIN_DELAY) for host in SERVERS}
        self.balancer = Balancer(folder)
        self.crowd = Crowd((BALANCER, PORT), HABITS, random.Random(seed))

    async def moment(self, name):
        moment = chart.Sample(time.time() - self.begin, await self.balancer.states(), name)
        replies, closes, faults = self.crowd.counts()
        print(chart.row(moment, chart.LETTERS[len(self.moments)], SERVERS),
              f"{replies:>6} replies, {closes} closed by servers, {faults} errors", flush=True)
        self.moments.append(moment)

    async def sample(self):
        while True:
            self.samples.append(chart.Sample(time.time() - self.begin, await self.balancer.states()))
            await asyncio.sleep(0.1)

    async def rise(self):
        for server in self.servers.values():
            await server.capture()
            await server.start()
        await self.balancer.start()
        for host in SERVERS:
            await self.balancer.wait(host, "UP", 10)

    async def run(self):
        """Runs the whole test, and returns its records."""
        await self.rise()
        sampling = asyncio.create_task(self.sample())
        await self.crowd.start()
        await asyncio.sleep(2)
        await self.moment("all clients connected")
        for host in SERVERS:
            await self.restart(host)
        failed_connects = await self.balancer.failed_connects()
        kill = await self.kill("s1")
        # Connect to each server without HAProxy, once with and once without a forged header.
        visits = [await self.crowd.visit(host, port, is_forged) for port, (host, is_forged)
                  in enumerate(itertools.product(SERVERS, (False, True)), start=LAST_PORT + 1)]
        await self.crowd.stop()
        await self.balancer.wait_for_ways(len(self.crowd.conversations))
        await self.moment("all clients done")
        sampling.cancel()
        await self.balancer.stop()
        return SimpleNamespace(
            talks=self.crowd.conversations, visits=visits, restarts=self.restarts, kill=kill,
            failed_connects=failed_connects,
            metrics={host: await server.last_metrics() for host, server in self.servers.items()},
            lives={host: server.lives() for host, server in self.servers.items()},
            lost_segments=await self.join_evidence())

    async def join_evidence(self):
        """Adds the record in HAProxy's log and the captured segments to each connection.

        Returns how many segments the captures lost.
        """
        captured = {host: await server.stop_capture() for host, server in self.servers.items()}
        for talk in self.crowd.conversations:
            if way := self.balancer.ways.get(talk.address):
                talk.server, talk.near, talk.termination = way
                passages = captured[talk.server][0].get(talk.near, []) if talk.server in captured else []
                talk.passage = next((passage for passage in passages if passage.began >= talk.opened), None)
        return sum(lost for _, lost in captured.values())

    async def restart(self, host):
        """Restarts a server with SIGTERM. HAProxy is not informed, and must detect the restart itself."""
        server = self.servers[host]
        await self.moment(f"{host} sent SIGTERM")
        told = time.time()
        server.process.terminate()
        await self.balancer.wait(host, "DOWN", 20)
        out = time.time()  # the time when HAProxy took the server out of service
        await self.moment(f"{host} out of service")
        code = await server.end()
        self.restarts.append(SimpleNamespace(
            host=host, told=told, out=out, ended=time.time(), code=code, life=server.lives()[-1]))
        await self.moment(f"{host} has exited")
        await self.serve_again(host)

    async def kill(self, host):
        await self.moment(f"{host} killed")
        killed = time.time()
        self.servers[host].process.kill()
        found = await self.balancer.wait(host, "DOWN", 10)
        await self.moment(f"{host} out of service")
        await asyncio.sleep(2)
        back = await self.serve_again(host)
        return SimpleNamespace(host=host, time=killed, found=found, limit=balancer.CHECK_INTERVAL, back=back)

    async def serve_again(self, host):
        """Starts the server, waits until HAProxy uses it again, and returns the current time."""
        await self.servers[host].start()
        await self.balancer.wait(host, "UP", 10)
        back = time.time()
        await self.moment(f"{host} in service again")
        await asyncio.sleep(2)
        return back


async def check(arguments, folder):
    task = asyncio.current_task()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    hosts.build()
    fleet = Fleet(arguments.program, folder, arguments.seed)
    evidence = await fleet.run()
    print("\n" + chart.graph(fleet.samples, fleet.moments, SERVERS) + "\n")
    judgement = Judgement(evidence)
    judgement.judge()
    return judgement.good


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--logs", type=pathlib.Path)
    parser.add_argument("program")
    arguments = parser.parse_args()
    print(f"check-fleet: seed {arguments.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="uvfleet-") as name:
        try:
            good = asyncio.run(check(arguments, pathlib.Path(name)))
        except (Failure, OSError, subprocess.CalledProcessError) as failure:
            print(f"check-fleet: {failure}", file=sys.stderr)
            good = False
        except asyncio.CancelledError:
            return 130
        finally:
            if arguments.logs:
                shutil.copytree(name, arguments.logs, dirs_exist_ok=True)
    print("check-fleet: " + ("all checks passed" if good else "FAILED"))
    return 0 if good else 1


sys.exit(main())
