"""Compares servers with copies of themselves and with slower servers, and checks the reports.

See scripts/validate-compare.

usage: validate_compare.py DIRECTORY RUNS DETECTION-RUNS"""

import json
import math
import pathlib
import statistics
import subprocess
import sys

import busy_servers

DIRECTORY = pathlib.Path(sys.argv[1])
RUNS, DETECTIONS = map(int, sys.argv[2:])
UVBENCH = pathlib.Path(".build/release/uvbench").absolute()
# The time for which the reference server is busy before each reply, in microseconds. Being busy has additional costs,
# for example for reading the clock. Both servers are busy, so these costs do not change the difference.
REFERENCE_BUSY = 1.0


def floor(busy):
    """Returns the command that starts a floor server that is busy for some microseconds before each reply."""
    return f"{UVBENCH} floor --port {{port}} --busy {busy:.3f}us"


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


def row(report, percentile):
    """Returns the comparison of the two servers' percentiles of the wire time."""
    return next(row for row in report["comparisons"][0]["rows"]
                if abs(row["percentile"] - percentile) < 1e-9 and row["clock"] == "wire")


def ratio(report, percentile):
    """Returns the ratio of the two servers' percentiles, with its interval."""
    return row(report, percentile)["ratio"]


def objection(report):
    """Returns why the report allows no conclusion, by the rules of docs/compare.md; None if it allows one."""
    generator = report["generator"]
    if generator["lateShare"] > 0.01:
        return "the load generator sent more than 1 % of the requests late"
    if generator.get("ceilingShare", 0) > 0.7:
        return "the rate exceeded 70 % of the load generator's highest rate"
    return None


def conclusive(what, reports):
    """Returns the reports that allow a conclusion, and the machine's faults."""
    objections = [reason for report in reports if (reason := objection(report))]
    if len(objections) * 2 <= len(reports):
        return [report for report in reports if not objection(report)], []
    return [], [f"{what}: {len(objections)} of {len(reports)} runs allow no conclusion, because "
                f"{statistics.mode(objections)}"]


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
    """Checks how many of the intervals for a server and its copy exclude a ratio of 1.

    Returns the faults of the instrument, and the difference in per cent that half of the intervals could detect."""
    ratios = [ratio(report, percentile) for report in reports]
    intervals = [each["interval"] for each in ratios if each.get("interval")]
    excluded = sum(lower > 1 or upper < 1 for lower, upper in intervals)
    widths = [max(upper, 1 / lower) - 1 for lower, upper in intervals if lower > 0]
    width = 100 * statistics.median_high(widths) if widths else float("nan")
    print(f"A/A p{percentile}: {describe(len(intervals), excluded)} of the intervals exclude 1; half "
          f"of the intervals are narrow enough to detect a difference of {width:.1f} %")
    # This is a one-sided test at a significance level of 1 %. If it fails, the intervals are too narrow.
    if binomial_tail(len(intervals), excluded, 0.05) < 0.01:
        return [f"A/A p{percentile}: too many intervals exclude 1"], width
    return [], width


def check_detection(share, needed, busy, reports, width):
    """Checks how many comparisons detect a delay of `busy` nanoseconds.

    The difference is known only if the machine makes the servers as busy as they were asked to be. Therefore the
    difference is also measured without uvbench. The instrument is at fault only if that measurement confirms the known
    difference and excludes the difference that the instrument reports. Otherwise the machine is at fault.

    Returns the faults of the instrument, and the faults of the machine."""
    found = covered = 0
    for report in reports:
        if interval := ratio(report, 50).get("interval"):
            truth, (lower, upper) = 1 + busy / wire_p50(report, "base"), interval
            found += lower > 1
            covered += lower <= truth <= upper
    count = len(reports)
    print(f"{share} % slower: detected in {describe(count, found)}; "
          f"the interval contains the true ratio in {describe(count, covered)}")
    low, high = busy_servers.measure(UVBENCH, REFERENCE_BUSY, REFERENCE_BUSY + busy / 1000)
    print(f"{share} % slower: being busy for {busy:.0f} ns longer adds {low:.0f} to {high:.0f} ns, measured without "
          "uvbench (99 % interval)")
    instrument, machine = [], []
    if found < math.ceil(needed * count):
        text = f"{share} % slower: detected in only {found} of {count} runs"
        if width > share:
            machine.append(f"{text}; on this machine, half of the A/A intervals cannot detect less than {width:.1f} %")
        else:
            instrument.append(text)
    if needed and binomial_tail(count, count - covered, 0.05) < 0.01:
        text = f"{share} % slower: only {covered} of {count} intervals contain the true ratio"
        measured = statistics.median(row(report, 50)["differenceNanoseconds"]["value"] for report in reports)
        if not low <= busy <= high:
            machine.append(f"{text}; but the difference of the servers is not the {busy:.0f} ns that it should be")
        elif low <= measured <= high:
            machine.append(f"{text}; but the machine is too noisy to tell {busy:.0f} ns from the {measured:.0f} ns that "
                           "uvbench measured")
        else:
            instrument.append(f"{text}; uvbench measured {measured:.0f} ns instead of {busy:.0f} ns")
    return instrument, machine


def main():
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    instrument, machine, widths = [], [], {50: float("nan")}
    copies = [compare(f"same-{run}", "epoll", "epoll", seed=run) for run in range(1, RUNS + 1)]
    copies, faults = conclusive("A/A", copies)
    machine += faults
    for percentile in (50, 90, 99) if copies else ():
        faults, widths[percentile] = check_copies(percentile, copies)
        instrument += faults
    for share, needed in ((3, 0), (10, 0.95), (50, 1)) if DETECTIONS else ():
        base = floor(REFERENCE_BUSY)
        p50 = wire_p50(compare("busy-floor", f"base={base}", f"same={base}", percentile=50), "base")
        busy = round(p50 * share / 100)
        slower = floor(REFERENCE_BUSY + busy / 1000)
        reports = [compare(f"slower-{share}-{run}", f"base={base}", f"slower={slower}", percentile=50, seed=run)
                   for run in range(1, DETECTIONS + 1)]
        reports, faults = conclusive(f"{share} % slower", reports)
        machine += faults
        if reports:
            faults = check_detection(share, needed, busy, reports, widths[50])
            instrument += faults[0]
            machine += faults[1]
    for fault in instrument:
        print(f"validate-compare: the instrument is at fault: {fault}", file=sys.stderr)
    for fault in machine:
        print(f"validate-compare: the machine is at fault: {fault}", file=sys.stderr)
    if instrument:
        sys.exit("the comparison is not reliable")
    if machine:
        print("no conclusion is possible on this machine; the comparison may be reliable", file=sys.stderr)
        sys.exit(3)
    print("the comparison is reliable")


main()
