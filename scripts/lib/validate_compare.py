"""Judges the reports of scripts/validate-compare."""
import json
import math
import re
import sys


def binomial_tail(n, k, p):
    """The probability of k or more of n."""
    return sum(math.comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(k, n + 1))


def exact_interval(n, k, level=0.95):
    """The Clopper-Pearson interval of a share of k among n."""
    alpha = (1 - level) / 2

    def solve(holds):
        low, high = 0.0, 1.0
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if holds(middle) else (low, middle)
        return (low + high) / 2

    lower = 0.0 if k == 0 else solve(lambda p: binomial_tail(n, k, p) < alpha)
    upper = 1.0 if k == n else solve(lambda p: 1 - binomial_tail(n, k + 1, p) > alpha)
    return lower, upper


# How exactly the floor's delay is known: reading the clock takes time too.
DELAY_TOLERANCE = 50


def load(path):
    with open(path) as file:
        return json.load(file)["loads"][0]


def row(report, percentile, clock="wire"):
    for row in report["comparisons"][0]["rows"]:
        if abs(row["percentile"] - percentile) < 1e-9 and row["clock"] == clock:
            return row
    sys.exit(f"no row for p{percentile} {clock}")


def wire_p50(report, name):
    for variant in report["variants"]:
        if variant["name"] == name:
            summary = next(s for s in variant["latencies"] if s["clock"] == "wire")
            return next(r["nanoseconds"] for r in summary["readings"] if r["percentile"] == 50)
    sys.exit(f"no server {name}")


def describe(n, k):
    if n == 0:
        return "0 of 0"
    lower, upper = exact_interval(n, k)
    return f"{k} of {n} ({100 * k / n:.1f} %, 95% interval {100 * lower:.1f} to {100 * upper:.1f} %)"


def check(directory, runs, detections):
    failures = []
    for percentile in (50, 90, 99):
        ratios = [row(load(f"{directory}/same-{run}.json"), percentile)["ratio"] for run in range(1, runs + 1)]
        intervals = [tuple(r["interval"]) for r in ratios if r.get("interval")]
        excluded = sum(1 for lower, upper in intervals if lower > 1 or upper < 1)
        widths = sorted(max(upper, 1 / lower) - 1 for lower, upper in intervals if lower > 0)
        median = widths[len(widths) // 2] if widths else float("nan")
        print(f"A/A p{percentile}: {describe(len(intervals), excluded)} of the intervals exclude 1; "
              f"half of them detect differences from {100 * median:.1f} %")
        # One-sided at 1 %: a larger share means that the intervals are too narrow.
        if binomial_tail(len(intervals), excluded, 0.05) < 0.01:
            failures.append(f"A/A p{percentile}: too many intervals exclude 1")
    for share, needed in ((3, None), (10, 0.95), (50, 1.0)):
        if detections == 0:
            break
        found = covered = 0
        for run in range(1, detections + 1):
            with open(f"{directory}/busy-{share}-{run}.json") as file:
                report = json.load(file)
            command = report["origin"]["command"]
            busy = float(re.search(r"--busy ([0-9.]+)us", command).group(1)) * 1000
            report = report["loads"][0]
            base = wire_p50(report, "base")
            interval = row(report, 50)["ratio"].get("interval")
            if interval is None:
                continue
            lower, upper = interval
            found += lower > 1
            covered += lower <= 1 + (busy + DELAY_TOLERANCE) / base and 1 + (busy - DELAY_TOLERANCE) / base <= upper
        print(f"{share} % busier: detected in {describe(detections, found)}; "
              f"the interval contains the true ratio in {describe(detections, covered)}")
        if needed is not None and found < math.ceil(needed * detections):
            failures.append(f"{share} % busier: detected in only {found} of {detections} runs")
        if needed is not None and binomial_tail(detections, detections - covered, 0.05) < 0.01:
            failures.append(f"{share} % busier: only {covered} of {detections} intervals contain the true ratio")
    for failure in failures:
        print(f"validate-compare: {failure}", file=sys.stderr)
    print("the comparison is not reliable" if failures else "the comparison is reliable")
    return 1 if failures else 0


if __name__ == "__main__":
    if sys.argv[1] == "p50":
        print(wire_p50(load(sys.argv[2]), "base"))
    else:
        sys.exit(check(sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
