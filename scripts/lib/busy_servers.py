"""Measures how much longer one floor server takes than another, without uvbench's load generator and statistics.

A closed loop in Python sends requests of one byte to both servers in random order, and compares the medians of the
round-trip times. What the loop itself costs is the same for both servers."""

import math
import os
import random
import re
import socket
import statistics
import subprocess
import time

BLOCKS, REQUESTS = 20, 200
PAUSE = 0.00025  # seconds between two requests; the processors are then about as idle as in a comparison
# The 99.5 % quantile of Student's t distribution with 19 degrees of freedom, for an interval of 99 % over 20 blocks.
STUDENT = 2.861


def start(program, busy, processor):
    """Starts a floor server on one processor, and connects to it. Returns the process and the connection."""
    server = subprocess.Popen([program, "floor", "--port", "0", "--busy", f"{busy:.3f}us"], stdout=subprocess.PIPE,
                              text=True, preexec_fn=lambda: os.sched_setaffinity(0, {processor}))
    port = re.search(r":(\d+) ", server.stdout.readline())[1]
    connection = socket.create_connection(("127.0.0.1", int(port)), timeout=10)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.recv(16)
    return server, connection


def round_trip(connection):
    """Sends one request, and returns the nanoseconds until its reply."""
    begin = time.perf_counter_ns()
    connection.send(b"^a$")
    connection.recv(16)
    return time.perf_counter_ns() - begin


def measure(program, first_busy, second_busy):
    """Returns the 99 % interval of the difference between the servers' medians, in nanoseconds."""
    allowed = sorted(os.sched_getaffinity(0))
    servers = [start(program, busy, allowed[0]) for busy in (first_busy, second_busy)]
    os.sched_setaffinity(0, {allowed[-1]})
    order = random.Random(1)
    differences = []
    try:
        for block in range(BLOCKS + 1):
            times = ([], [])
            for _ in range(REQUESTS):
                for index in order.sample((0, 1), 2):
                    times[index].append(round_trip(servers[index][1]))
                    time.sleep(PAUSE)
            if block > 0:  # the first block is the warm-up
                differences.append(statistics.median(times[1]) - statistics.median(times[0]))
    finally:
        os.sched_setaffinity(0, allowed)
        for server, connection in servers:
            connection.close()
            server.terminate()
            server.wait()
    spread = STUDENT * statistics.stdev(differences) / math.sqrt(BLOCKS)
    return statistics.mean(differences) - spread, statistics.mean(differences) + spread
