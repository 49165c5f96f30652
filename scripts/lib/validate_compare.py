"""Compares servers with copies of themselves and with slower servers, and checks the reports.

See scripts/validate-compare.

usage: validate_compare.py DIRECTORY RUNS DETECTION-RUNS"""

import json
import math
import pathlib
import statistics
import subprocess
import sys

DIRECTORY = pathlib.Path(sys.argv[1])
RUNS, DETECTIONS = map(int, sys.argv[2:])
UVBENCH = pathlib.Path(".build/release/uvbench").absolute()
FLOOR = f"{UVBENCH} floor --port {{port}}"
# The uncertainty of the floor server's delay, in nanoseconds. The delay is uncertain because reading the clock takes
# time.
DELAY_TOLERANCE = 50


def compare(name, *subjects, percentile=None, seed=None):
    """Runs a comparison, unless its report exists. Returns the report. Exit code 3 (undecided) is not an error."""
    path = DIRECTORY / f"{name}.json"
    if not path.exists():
        options = "--json --blocks 12 --starts 3 --rate 4000 --requests 400".split()
        options += ["--percentile", str(percentile)] if percentile else []
        options += ["--seed", str(seed)] if seed else []
        done = subprocess.run([UVBENCH, "compare", *subjects, *options], capture_output=True, text=True)
        if done.returncode not in (0, 3):
            sys.exit(done.stderr)
        path.write_text(done.stdout)
        print(f"\r{name} ", end="", file=sys.stderr)
    return json.loads(path.read_text())["loads"][0]


def ratio(report, percentile):
    """Returns the ratio of the two servers' percentiles, with its interval."""
    return next(row["ratio"] for row in report["comparisons"][0]["rows"]
                if abs(row["percentile"] - percentile) < 1e-9 and row["clock"] == "wire")


def wire_p50(report, name):
    latencies = next(variant["latencies"] for variant in report["variants"] if variant["name"] == name)
    readings = next(latency["readings"] for latency in latencies if latency["clock"] == "wire")
    return next(reading["nanoseconds"] for reading in readings if reading["percentile"] == 50)


def binomial_tail(n, k, p):
    """Returns the probability that at least k of n trials succeed, each with the probability p."""
    return sum(math.comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(k, n + 1))


def solve(holds):
    """Returns the highest probability for which a condition holds, by bisection."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return (low + high) / 2


def describe(n, k):
    """Returns a text with the share of k among n, and its Clopper-Pearson interval."""
    if n == 0:
        return "0 of 0"
    lower = 0.0 if k == 0 else solve(lambda p: binomial_tail(n, k, p) < 0.025)
    upper = 1.0 if k == n else solve(lambda p: 1 - binomial_tail(n, k + 1, p) > 0.025)
    return f"{k} of {n} ({100 * k / n:.1f} %, 95% interval {100 * lower:.1f} to {100 * upper:.1f} %)"


def check_copies(percentile, reports):
    """Checks how many of the intervals for a server and its copy exclude a ratio of 1. Yields failures."""
    ratios = [ratio(report, percentile) for report in reports]
    intervals = [each["interval"] for each in ratios if each.get("interval")]
    excluded = sum(lower > 1 or upper < 1 for lower, upper in intervals)
    widths = [max(upper, 1 / lower) - 1 for lower, upper in intervals if lower > 0]
    median = statistics.median_high(widths) if widths else float("nan")
    print(f"A/A p{percentile}: {describe(len(intervals), excluded)} of the intervals exclude 1; half "
          f"of the intervals are narrow enough to detect a difference of {100 * median:.1f} %")
    # This is a one-sided test at a significance level of 1 %. If it fails, the intervals are too narrow.
    if binomial_tail(len(intervals), excluded, 0.05) < 0.01:
        yield f"A/A p{percentile}: too many intervals exclude 1"


def check_detection(share, needed, busy, reports):
    """Checks how many comparisons detect a delay of `busy` nanoseconds. Yields failures."""
    found = covered = 0
    for report in reports:
        if interval := ratio(report, 50).get("interval"):
            base, (lower, upper) = wire_p50(report, "base"), interval
            found += lower > 1
            covered += lower <= 1 + (busy + DELAY_TOLERANCE) / base and 1 + (busy - DELAY_TOLERANCE) / base <= upper
    print(f"{share} % slower: detected in {describe(DETECTIONS, found)}; "
          f"the interval contains the true ratio in {describe(DETECTIONS, covered)}")
    if found < math.ceil(needed * DETECTIONS):
        yield f"{share} % slower: detected in only {found} of {DETECTIONS} runs"
    if needed and binomial_tail(DETECTIONS, DETECTIONS - covered, 0.05) < 0.01:
        yield f"{share} % slower: only {covered} of {DETECTIONS} intervals contain the true ratio"


DIRECTORY.mkdir(parents=True, exist_ok=True)
failures = []
copies = [compare(f"same-{run}", "epoll", "epoll", seed=run) for run in range(1, RUNS + 1)]
for percentile in (50, 90, 99):
    failures += check_copies(percentile, copies)
for share, needed in ((3, 0), (10, 0.95), (50, 1)) if DETECTIONS else ():
    p50 = wire_p50(compare("floor", f"base={FLOOR}", f"same={FLOOR}", percentile=50), "base")
    busy = f"{p50 / 1000 * share / 100:.3f}"
    reports = [compare(f"busy-{share}-{run}", f"base={FLOOR}", f"busy={FLOOR} --busy {busy}us", percentile=50, seed=run)
               for run in range(1, DETECTIONS + 1)]
    failures += check_detection(share, needed, float(busy) * 1000, reports)
for failure in failures:
    print(f"validate-compare: {failure}", file=sys.stderr)
print("the comparison is not reliable" if failures else "the comparison is reliable")
sys.exit(1 if failures else 0)
