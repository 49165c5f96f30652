"""Injects errors into the system calls of the servers; see scripts/check-faults."""

import argparse
import json
import multiprocessing
import os
import pathlib
import random
import subprocess
import sys
import time
from collections import Counter

import matrix
from allowed import is_short, reason
from case import ABORTS, CLIENT, FAILED, FATAL, NOT_REACHED, PHASES, REFUSED, UNAFFECTED, Bad, Case, run
from plan import UnknownCall, only, plan
from programs import available_models
from server import VARIANTS

RESULTS = pathlib.Path(".build/faults/results.jsonl")
DOCUMENT = pathlib.Path("docs/faults.md")


def parse():
    parser = argparse.ArgumentParser(prog="check-faults")
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--model", action="append")
    parser.add_argument("--phase", choices=PHASES)
    parser.add_argument("--options", choices=list(VARIANTS))
    parser.add_argument("--call")
    parser.add_argument("--descriptor")
    parser.add_argument("--error")
    parser.add_argument("--position")
    parser.add_argument("--workers", type=int, default=2 * os.cpu_count())
    parser.add_argument("program", nargs="?", default=".build/release/uvserver")
    return parser.parse_args()


def explain_cannot_trace():
    """Returns why strace cannot trace a process here, or None."""
    try:
        done = subprocess.run(["strace", "-qq", "-o", "/dev/null", "-e", "trace=none", "true"], capture_output=True,
                              text=True, timeout=30)
        sleeping = subprocess.Popen(["sleep", "30"])
        try:
            attached = subprocess.run(["timeout", "-s", "INT", "1", "strace", "-qq", "-e", "trace=none", "-o",
                                       "/dev/null", "-p", str(sleeping.pid)], capture_output=True, text=True,
                                      timeout=30)
        finally:
            sleeping.kill()
            sleeping.wait()
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    text = done.stderr if done.returncode else attached.stderr
    return text.strip().splitlines()[0] if done.returncode or "Operation not permitted" in text else None


def identity(program):
    status = os.stat(program)
    return f"{status.st_size}:{status.st_mtime_ns}"


def read_results(program):
    """Returns the results of earlier runs of this program."""
    results, own = {}, identity(program)
    if RESULTS.exists():
        for line in RESULTS.read_text().splitlines():
            entry = json.loads(line)
            if entry["program"] == own:
                results[Case(**entry["case"])] = tuple(entry["outcome"])
    return results


def perform(task):
    program, case = task
    try:
        outcome = run(program, case)
        for _ in range(3):
            # A busy machine can delay a client beyond its deadline. When strace detaches, a call that it has suppressed
            # can end with ENOSYS. Repeat the case, because a fault of the server occurs again.
            if outcome[0] != FAILED and "Function not implemented" not in outcome[1]:
                break
            outcome = run(program, case)
    except Exception as error:  # pylint: disable=broad-except
        outcome = FAILED, f"the check itself: {type(error).__name__}: {error}"
    return case, outcome


def perform_all(arguments, cases, results):
    """Runs the cases in parallel, shows the progress, and keeps the results."""
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    own, began, shown = identity(arguments.program), time.monotonic(), 0
    todo = [case for case in cases if case not in results]
    # In random order, the remaining time can be estimated.
    random.Random(1).shuffle(todo)
    with multiprocessing.Pool(arguments.workers) as pool, open(RESULTS, "a", encoding="utf-8") as file:
        for number, (case, outcome) in enumerate(
                pool.imap_unordered(perform, [(arguments.program, case) for case in todo]), 1):
            results[case] = outcome
            file.write(json.dumps({"program": own, "case": vars(case), "outcome": outcome}) + "\n")
            if is_bad(case, outcome):
                print(f"FAILED {case}: {outcome[0]}: {outcome[1]}", flush=True)
            now = time.monotonic()
            if now - shown >= 10 or number == len(todo):
                shown = now
                left = (len(todo) - number) * (now - began) / number
                print(f"  {number} of {len(todo)} faults, {now - began:.0f} s, about {left:.0f} s left",
                      file=sys.stderr, flush=True)
                file.flush()


def is_bad(case, outcome):
    return outcome[0] == FAILED or outcome[0] in (FATAL, ABORTS) and not reason(case, outcome)


def models_of(program):
    return available_models(program)


def main():
    arguments = parse()
    if why := explain_cannot_trace():
        print(f"check-faults: SKIPPED: strace cannot trace processes here: {why}")
        return 0
    models = arguments.model or models_of(arguments.program)
    phases = (arguments.phase,) if arguments.phase else PHASES
    variants = (arguments.options,) if arguments.options is not None else tuple(VARIANTS)
    began = time.monotonic()
    if arguments.short:
        variants = ("",)
    cases = []
    with multiprocessing.Pool(arguments.workers) as pool:
        for planned in pool.starmap(plan, [(arguments.program, model, phases, variants) for model in models]):
            cases += planned
    cases = only(cases, call=arguments.call, kind=arguments.descriptor, error=arguments.error,
                 position=arguments.position)
    if arguments.short:
        cases = [case for case in cases if is_short(case)]
    print(f"check-faults: {len(cases)} faults for {len(models)} models, planned in {time.monotonic() - began:.0f} s",
          flush=True)
    if arguments.list:
        for case in cases:
            print(case)
        return 0
    results = read_results(arguments.program) if arguments.resume else {}
    perform_all(arguments, cases, results)
    results = {case: results[case] for case in cases}
    bad = [case for case, outcome in results.items() if is_bad(case, outcome)]
    kinds = Counter(outcome[0] for outcome in results.values())
    print("check-faults: " + ", ".join(f"{kinds[kind]} {kind}" for kind in (
        UNAFFECTED, CLIENT, REFUSED, FATAL, ABORTS, NOT_REACHED, FAILED) if kinds[kind]))
    if arguments.update:
        DOCUMENT.write_text(matrix.document(results, models))
        print(f"wrote {DOCUMENT}")
    if bad:
        print(f"check-faults: FAILED: {len(bad)} faults have a result that is not allowed. To repeat one of them, run "
              "scripts/check-faults with the options of its line.")
        return 1
    print(f"check-faults: all checks passed in {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (Bad, UnknownCall) as problem:
        sys.exit(f"check-faults: {problem}")
