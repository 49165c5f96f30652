"""Counts what messages and connections cost a server, and compares the counts with their limits. See scripts/count."""

import argparse
import pathlib
import platform
import subprocess
import sys
import tomllib

from programs import available_models
from servers import CallCount, InstructionCount, Server

# For each kind of count: the format of its values, and a description.
kinds = {
    "instructions": (".0f", "instructions per message"),
    "syscalls": (".2f", "system calls per message"),
    "allocations": (".3f", "allocations per message"),
    "connection-instructions": (".0f", "instructions per connection"),
    "connection-syscalls": (".2f", "system calls per connection"),
    "connection-allocations": (".2f", "allocations per connection"),
    "stalled-instructions": (".3f", "times the usual instructions per message, while another client does not read"),
    "resident": (".0f", "resident bytes per idle connection"),
}


def measure(model, wanted, options):
    """Returns the counts of the wanted kinds for one model. Runs its server as few times as possible."""
    found = {}
    for counter in (InstructionCount, CallCount):
        of_messages = set(counter.names) & set(wanted)
        of_connections = {f"connection-{name}" for name in counter.names} & set(wanted)
        if not of_messages | of_connections:
            continue
        with counter(model, options.work) as server:
            if of_messages:
                connections = options.connections or 1
                costs = difference(server, 100, options.messages,
                                   lambda count: server.exchange(connections, options.payload, count))
                found.update(zip(counter.names, costs))
            if of_connections:
                costs = difference(server, 20, options.connections or 100,
                                   lambda count: server.visit(options.payload, count))
                found.update((f"connection-{name}", cost) for name, cost in zip(counter.names, costs))
    if "stalled-instructions" in wanted:
        with InstructionCount(model, options.work) as server:
            found["stalled-instructions"] = stalled_ratio(server, options)
    if "resident" in wanted:
        with Server(model, options.work) as server:
            found["resident"] = server.idle_bytes(options.connections or 10000)
    return {kind: found[kind] for kind in wanted}


def stalled_ratio(server, options):
    """Returns the ratio of two counts: instructions per message with a client that does not read, and without it."""
    def instructions():
        return difference(server, 100, options.messages, lambda count: server.exchange(1, options.payload, count))[0]
    alone = instructions()
    with server.stall():
        return instructions() / alone


def difference(server, few, more, work):
    """Returns the costs of one repetition.

    Subtracts the costs of `few` repetitions from the costs of `few + more` repetitions, and divides the difference by
    `more`.
    """
    # The second connection can still cause work that happens only once, for example a search in the Swift runtime.
    for _ in range(2):
        work(few)
    runs = []
    for repetitions in (few, few + more):
        server.read()
        work(repetitions)
        runs.append(server.read())
    return [(long - short) / more for short, long in zip(*runs)]


def this_machine():
    release = platform.freedesktop_os_release()
    libuv = subprocess.check_output(["pkg-config", "--modversion", "libuv"], text=True).strip()
    return {"system": release["ID"] + release.get("VERSION_ID", ""), "libuv": libuv, "machine": platform.machine()}


def check(models, options):
    """Prints a table of all counts that have a limit. Returns 1 if a count exceeds its limit."""
    settings = tomllib.loads((pathlib.Path(__file__).parent / "budgets.toml").read_text())
    budgets, measured_on, machine = settings["limits"], settings["measured-on"], this_machine()
    judged = measured_on == machine
    tolerance = 1 + settings["tolerance"] / 100
    failures = []
    print(f"{'model':12} {'what':24} {'measured':>9} {'limit':>9}  verdict", flush=True)
    available = available_models(".build/release/uvserver")
    for model in [model for model in models or budgets if model in available]:
        # With a limit of 0, accept small differences, because a thread may start earlier in one of the two runs.
        ceilings = {kind: limit * tolerance if limit else 0.002 for kind, limit in budgets[model].items()}
        measured = measure(model, list(ceilings), options)
        # On a busy machine, a server may wake up more often than necessary. Use the smallest of six counts.
        for _ in range(5 if judged else 0):
            beyond = [kind for kind in ceilings if measured[kind] > ceilings[kind]]
            again = measure(model, beyond, options)
            measured.update((kind, min(measured[kind], again[kind])) for kind in beyond)
        for kind, limit in budgets[model].items():
            held = measured[kind] <= ceilings[kind]
            verdict = ("within" if held else "EXCEEDED") if judged else "not checked"
            value = format(measured[kind], kinds[kind][0])
            print(f"{model:12} {kind:24} {value:>9} {limit:9g}  {verdict}", flush=True)
            if not held:
                failures.append(f"count: {model}: {value} {kinds[kind][1]}; the limit is {limit:g} "
                                f"plus {settings['tolerance']} %. To repeat this count: scripts/count {kind} {model}")
    if not judged:
        systems = [", ".join(f"{name} {value}" for name, value in each.items()) for each in (measured_on, machine)]
        print(f"not checked: the limits are for {systems[0]}; this is {systems[1]}")
        return 0
    if failures:
        print(*failures, "count: find the cause and remove it. Change a limit in scripts/counting/budgets.toml "
              "only with a reason in the commit message.", sep="\n", file=sys.stderr)
    return 1 if failures else 0


parser = argparse.ArgumentParser(prog="scripts/count", add_help=False, allow_abbrev=False,
                                 usage="see scripts/count --help")
parser.add_argument("--work", required=True)
parser.add_argument("-c", dest="connections", type=int)
parser.add_argument("-n", dest="messages", type=int, default=1000)
parser.add_argument("-s", dest="payload", type=int, default=16)
parser.add_argument("--check", action="store_true")
parser.add_argument("what", nargs="*")
options = parser.parse_intermixed_args()
if options.check:
    sys.exit(check(options.what, options))
if len(options.what) < 2 or options.what[0] not in kinds:
    parser.error(f"expected a count ({', '.join(kinds)}) and at least one model")
for model in options.what[1:]:
    value = measure(model, options.what[:1], options)[options.what[0]]
    print(model, format(value, kinds[options.what[0]][0]), kinds[options.what[0]][1], flush=True)
