"""Measures how fast `uvbench load` is; see scripts/check-load.

usage: check_load.py DIRECTORY

If DIRECTORY contains the programs lg and tuned-epoll, the script compares `uvbench load` with lg. It writes load.hlog
to DIRECTORY.
"""

import json
import os
import pathlib
import random
import subprocess
import sys
import time

from callgrind import Profile
from programs import Program

WORK = pathlib.Path(sys.argv[1])
OTHER = WORK / "lg"
UVBENCH = ".build/release/uvbench"
FEW, BETWEEN = 10_000, 50_000
ALLOCATING = r"(malloc|calloc|realloc|aligned_alloc|posix_memalign)$"
REFERENCING = r"swift_(retain|release|bridgeObjectRetain|bridgeObjectRelease|retain_n|release_n)"
failures = []


def expect(condition, failure):
    if not condition:
        failures.append(failure)
        print(f"check-load: {failure}", file=sys.stderr)


def start_server():
    """Starts a server, and returns it and its port."""
    if not OTHER.exists():
        server = Program(".build/release/uvserver", "serve", "--model", "epoll", "--port", 0)
        return server, server.listening_port()
    port = random.randrange(20_000, 30_000)
    server = Program(WORK / "tuned-epoll", port)
    time.sleep(0.5)
    if server.process.poll() is not None:
        sys.exit(f"check-load: the server did not start on port {port}; run this again")
    return server, port


def run(*command):
    """Runs a command, and returns its output. Exit code 3 is not an error: a server or the machine was too slow."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if done.returncode not in (0, 3):
        sys.exit(f"check-load: {' '.join(map(str, command))}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def load(*options):
    """Loads the server, and returns the report."""
    return json.loads(run(UVBENCH, "load", "127.0.0.1", port, *options, "--json"))


def differences(command, count_option):
    """Returns the instructions, allocations and reference-count changes that `BETWEEN` additional requests cause."""
    counts = []
    for count in (FEW, FEW + BETWEEN):
        run("valgrind", "--tool=callgrind", f"--callgrind-out-file={WORK}/profile", *command, count_option, count)
        profile = Profile(WORK / "profile")
        counts.append((profile.instructions, profile.calls(ALLOCATING), profile.calls(REFERENCING)))
    return [more - few for few, more in zip(*counts)]


def check_counts(options):
    # Both runs allocate thousands of times when they start and exit, and the runs differ in these allocations. The
    # limits below allow for small differences. If a difference is larger, a second pair of runs must confirm it.
    for _ in range(2):
        instructions, allocated, referred = differences(
            [UVBENCH, "load", "127.0.0.1", port, *options.split(), "--warm-up", "0s", "--csv"], "--count")
        print(f"{options}: {instructions // BETWEEN} instructions per request; {BETWEEN} additional requests cause "
              f"{allocated} allocations and {referred} reference-count changes", flush=True)
        allocates, refers = allocated >= BETWEEN / 1000, referred >= BETWEEN / 100
        if not (allocates or refers):
            break
    expect(not allocates, f"with {options}, requests allocate memory")
    expect(not refers, f"with {options}, requests change reference counts")


def compare(name, field, options, other_field, other_options, unit=1):
    """Measures both load generators in turn, seven times each, and compares the highest rate of each.

    Another virtual machine can take processor time away, which makes a run slower, but never faster.
    """
    ours = other = 0
    for _ in range(7):
        ours = max(ours, load("--duration", "1s", "--warm-up", "200ms", *options.split())[field] / unit)
        other = max(other, json.loads(run(OTHER, "-p", port, "-t", "1", *other_options.split()))[other_field])
    print(f"{name}: highest rate of seven runs, relative to the generator in C: {ours / other:.3f}", flush=True)
    expect(ours / other >= 0.9, f"{name}: less than 0.9 times the rate of the load generator in C")


def stolen_seconds():
    """Returns how long the hypervisor has run something else while this machine had work to do."""
    fields = pathlib.Path("/proc/stat").read_text().splitlines()[0].split()
    return int(fields[8]) / os.sysconf("SC_CLK_TCK")


def check_lateness():
    """Sends 20 000 requests per second, at most ten times, until the machine is quiet enough to send them in time."""
    for _ in range(10):
        stolen = stolen_seconds()
        late = load("--rate", 20_000, "-c", 50, "--duration", "2s")["lateShare"]
        print(f"20 000 requests per second: {late:.2%} of the requests were sent late; meanwhile, the hypervisor took "
              f"{stolen_seconds() - stolen:.2f} s of processor time away", flush=True)
        if late <= 0.01:
            return
    expect(False, "more than 1 % of the requests were sent late in each of ten runs. If the hypervisor took much "
           "processor time away, run this again on a quieter machine")


server, port = start_server()
with server:
    for options in ("-c 1", "-c 50", "-c 4 --in-flight 8", "-c 8 --rate 100000", "-c 2 --kernel-timestamps",
                    "-c 8 --size 1:1,16:8,4096:1", "-c 4 --connect-per-request"):
        check_counts(options)
    if OTHER.exists():
        for connections in (1, 50):
            [instructions, *_] = differences([OTHER, "-m", "ping", "-p", port, "-c", connections], "-n")
            print(f"the load generator in C, -c {connections}: {instructions // BETWEEN} instructions per request",
                  flush=True)
        compare("closed loop, 50 connections", "requestsPerSecond", "-c 50", "rate", "-m ping -c 50")
        compare("closed loop, 1 connection", "requestsPerSecond", "-c 1", "rate", "-m ping -c 1")
        compare("bulk, 4 connections", "replyBytesPerSecond", "-c 4 --bulk -s 65536", "MBps", "-m bulk -c 4 -s 65536",
                unit=1_000_000)
        compare("connect per request", "requestsPerSecond", "-c 8 --connect-per-request", "rate", "-m churn -c 8 -a 200")
    check_lateness()
    load("-c", 4, "--count", 20_000, "--hlog", WORK / "load.hlog", "--hgrm", WORK / "load.hgrm")
    expect("\n#[Mean" in (WORK / "load.hgrm").read_text(), "the .hgrm file has no summary")
sys.exit(bool(failures))
