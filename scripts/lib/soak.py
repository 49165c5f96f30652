"""Runs servers for a long time under mixed loads; see scripts/soak."""

import json
import re
import subprocess
import sys
import tempfile
import time
import urllib.request

from programs import DEADLINE, Failure, Program

UVSERVER, UVBENCH = ".build/release/uvserver", ".build/release/uvbench"
LIMITS = ("--max-connections", 1000, "--max-buffered-bytes", 262144, "--max-buffered-total", 1 << 28,
          "--idle-timeout", "30s", "--write-timeout", "30s", "--min-read-rate", 1)
CLIENTS = 50
GROWTH = 2 << 20
ACCEPTED, OPEN, MESSAGES, RECEIVED, SENT, BUFFERED, MEMORY, DESCRIPTORS = METRICS = (
    "uvserver_connections_accepted_total", "uvserver_connections_open", "uvserver_messages_total",
    "uvserver_received_bytes_total", "uvserver_sent_bytes_total", "uvserver_buffered_bytes",
    "process_resident_memory_bytes", "process_open_fds")


class Soak:
    """One server, and the loads on it."""

    def __init__(self, server, errors):
        self.port = server.listening_port()
        end = time.monotonic() + DEADLINE
        while not (found := re.search(r"at http://([^/\s]+)/", errors.read())):
            if time.monotonic() > end:
                raise Failure("the server does not print the address of its administration")
            errors.seek(0)
            time.sleep(0.01)
        self.admin = found[1]
        self.problems = []

    def expect_equal(self, what, found, expected):
        if found != expected:
            self.problems.append(f"{what}: {found} instead of {expected}")
            print(f"FAILED   {self.problems[-1]}", flush=True)

    def scrape(self):
        with urllib.request.urlopen(f"http://{self.admin}/metrics", timeout=DEADLINE) as response:
            text = response.read().decode()
        values = dict(re.findall(r"^(\w+) (\S+)$", text, re.MULTILINE))
        rejected = sum(float(value) for value in
                       re.findall(r"^uvserver_connections_rejected_total\{.*\} (\S+)$", text, re.MULTILINE))
        return {name: int(float(values[name])) for name in METRICS} | {"rejected": int(rejected)}

    def settled(self):
        """Waits until no connection is open, and returns the metrics."""
        end = time.monotonic() + DEADLINE
        while (metrics := self.scrape())[OPEN] and time.monotonic() < end:
            time.sleep(0.02)
        self.expect_equal("open connections after a load", metrics[OPEN], 0)
        self.expect_equal("buffered bytes after a load", metrics[BUFFERED], 0)
        return metrics

    def load(self, *options):
        """Runs a load, and returns its report. Exit code 3 is not an error: the measurement allows no conclusion."""
        command = [UVBENCH, "load", "127.0.0.1", self.port, "--warm-up", "0ms", "--json", *options]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
        if done.returncode not in (0, 3):
            raise Failure(f"uvbench load: exit code {done.returncode}: {done.stdout[:2000]}{done.stderr}")
        report = json.loads(done.stdout)
        for name, count in report["faults"].items():
            if count:
                self.expect_equal(f"uvbench load: {name}", count, 0)
        return report

    def exact(self, size, count, connections, *options):
        """Runs a load of messages of one size, and compares the server's counters with what the generator sends."""
        before = self.settled()
        report = self.load("-c", CLIENTS, "-s", size, "--count", count, *options)
        after = self.settled()
        self.expect_equal("requests of the generator", report["requests"], count)
        expected = {
            ACCEPTED: connections, MESSAGES: count, "rejected": 0,
            # The server sends a greeting on each connection, and does not reply to the two delimiters of a message.
            SENT: size * count + connections, RECEIVED: (size + 2) * count}
        for name, value in expected.items():
            self.expect_equal(name, after[name] - before[name], value)
        return after

    def round(self, messages, connections, seed):
        large = max(1, messages // 20)
        self.exact(16, max(1, messages - large), CLIENTS, "--in-flight", 16, "--seed", seed)
        self.exact(4096, large, CLIENTS, "--in-flight", 4, "--seed", seed)
        self.exact(16, connections, connections, "--connect-per-request", "--seed", seed)
        before = self.settled()
        self.load("-c", 20, "--idle", 100, "--slow-readers", 5, "--slow-writers", 5, "--slow-interval", "20ms",
                  "-s", "16:90,4096:9,65536:1", "--duration", "2s", "--seed", seed)
        after = self.settled()
        self.expect_equal("connections of the mixed load", after[ACCEPTED] - before[ACCEPTED], 130)
        self.expect_equal("rejected connections of the mixed load", after["rejected"] - before["rejected"], 0)
        return after


def slope(values):
    """Returns the slope of a least-squares line through the values."""
    count = len(values)
    mean_x, mean_y = (count - 1) / 2, sum(values) / count
    spread = sum((x - mean_x) ** 2 for x in range(count))
    return sum((x - mean_x) * (y - mean_y) for x, y in enumerate(values)) / spread if spread else 0


def soak(model, messages, connections, rounds):
    """Returns the problems that a model has shown."""
    with tempfile.NamedTemporaryFile("w+") as errors, Program(
            UVSERVER, "serve", "--model", model, "--port", 0, "--admin", "127.0.0.1:0", *LIMITS,
            stderr=errors.fileno()) as server:
        run = Soak(server, errors)
        first, began, samples = run.settled(), time.monotonic(), []
        for number in range(1, rounds + 1):
            samples.append(run.round(max(1, messages // rounds), max(1, connections // rounds), number))
            last = samples[-1]
            print(f"  {model}: round {number} of {rounds}, {time.monotonic() - began:.0f} s: {last[ACCEPTED]} "
                  f"connections, {last[MESSAGES]} messages, {last[RECEIVED]} bytes received, {last[SENT]} sent, "
                  f"{last[MEMORY] / (1 << 20):.2f} MiB, {last[DESCRIPTORS]} descriptors", flush=True)
        server.terminate()
        server.expect_end()
        later = samples[rounds // 4:]
        grown = max(sample[MEMORY] for sample in later[-3:]) - later[0][MEMORY]
        if grown > GROWTH:
            run.expect_equal("growth of the resident memory", grown, f"at most {GROWTH}")
        if samples[-1][DESCRIPTORS] > samples[0][DESCRIPTORS]:
            run.expect_equal("descriptors", samples[-1][DESCRIPTORS], samples[0][DESCRIPTORS])
        errors.seek(0)
        stopped = errors.read().strip().splitlines()[-1]
        run.expect_equal("connections in the last line of the log",
                         re.search(r"stopped: (\d+) connections", stopped)[1], str(samples[-1][ACCEPTED]))
        per_million = slope([sample[MEMORY] for sample in later]) / max(1, messages // rounds) * 1e6
        print(f"{'FAILED  ' if run.problems else 'ok      '} {model}: {samples[-1][MESSAGES]} messages, "
              f"{samples[-1][ACCEPTED]} connections; memory {first[MEMORY] / (1 << 20):.2f} MiB at the start, "
              f"{samples[-1][MEMORY] / (1 << 20):.2f} MiB at the end, {per_million:+.0f} bytes per million messages; "
              f"{samples[0][DESCRIPTORS]} descriptors after the first round, {samples[-1][DESCRIPTORS]} at the end",
              flush=True)
        return run.problems


def main():
    messages, connections, rounds = map(int, sys.argv[1:4])
    failed = []
    for model in sys.argv[4:]:
        try:
            problems = soak(model, messages, connections, rounds)
        except Failure as failure:
            problems = [str(failure)]
            print(f"FAILED   {model}: {failure}", flush=True)
        failed += [model] * bool(problems)
    print("soak: " + (f"FAILED: {', '.join(failed)}" if failed else "all checks passed"))
    return 1 if failed else 0


sys.exit(main())
