"""Records which system calls a model makes, and plans the faults."""

import re
from collections import Counter

from case import Bad, Case, record
from errors import BY_KIND, ERRORS, NOT_INJECTED, NOT_INJECTED_IN, REPEATED, errors_of

# One line of a trace: the thread, and the call that begins. A resumed call begins with `<... NAME resumed>`.
CALL = re.compile(r"^(\d+) +(\w+)\((.*)$")
# The descriptor of a call, as strace -yy writes it.
DESCRIPTOR = re.compile(r"^\d+<([^>]*)>")


class UnknownCall(Exception):
    """A server makes a system call for which the table has no errors."""


def kind_of(call, rest):
    """Returns what the descriptor of a call is, if the possible errors depend on it."""
    if call not in BY_KIND or not (found := DESCRIPTOR.match(rest)):
        return ""
    text = found[1]
    for kind, pattern in (("eventfd", r"anon_inode:\[eventfd"), ("timerfd", r"anon_inode:\[timerfd"),
                          ("pipe", r"pipe:"), ("connection", r"\w+:\[.*->"), ("listener", r"TCP(v6)?:\[[^>]*\]"),
                          ("connection", "socket:|UNIX|TCP")):
        if re.match(pattern, text):
            return kind
    return "file"


def find_calls(trace, phase):
    """Returns the numbers of the occurrences of each call, by the call and what its descriptor is.

    strace counts the occurrences of each thread. At the start, only the first thread counts.
    """
    calls, numbers, first, cache, has_begun = {}, Counter(), None, None, phase != "start"
    for line in trace.splitlines():
        if not (found := CALL.match(line)):
            continue
        thread, call, rest = found.groups()
        first = first or thread
        if phase == "start":
            # The dynamic linker unmaps its cache when it has loaded all libraries. The program begins after that.
            if not has_begun and call == "openat" and "/ld.so.cache" in rest:
                cache = ""
            elif not has_begun and call == "mmap" and cache == "":
                cache = rest.rsplit("= ", 1)[-1]
            elif not has_begun and call == "munmap" and cache and rest.startswith(cache):
                has_begun = True
            # The start ends when the server accepts. By then, it has printed its address.
            if call == "accept4":
                break
            if thread != first:
                if not numbers[call]:
                    calls.setdefault((call, kind_of(call, rest)), [1])
                continue
            numbers[call] += 1
            if not has_begun:
                continue
        else:
            numbers[call] += 1
        calls.setdefault((call, kind_of(call, rest)), []).append(numbers[call])
    if not has_begun:
        raise UnknownCall("the dynamic linker does not unmap its cache")
    return calls


def positions(error, numbers, phase):
    """Returns where the error is injected: the names of the positions and the expressions for strace."""
    yield "first", str(numbers[0])
    if len(numbers) > 2:
        yield "middle", str(numbers[len(numbers) // 2])
    if error in REPEATED:
        if len(numbers) > 1:
            yield "every second", f"{numbers[1]}+2"
    elif phase != "start" or len(numbers) > 1:
        yield "every", f"{numbers[0]}+"


def record_twice(program, model, variant, phase):
    """Records a trace, and tries again if a busy machine delays the clients."""
    try:
        return record(program, model, variant, phase)
    except Bad:
        return record(program, model, variant, phase)


def plan(program, model, phases, variants):
    """Returns the cases of a model. Options contribute only the calls that they add to those without options."""
    cases, known = [], {}
    for phase in phases:
        # The calls without options are always recorded, because options contribute only further calls.
        for name in ["", *(variant for variant in variants if variant)]:
            calls = find_calls(record_twice(program, model, name, phase), phase)
            if unknown := {call for call, _ in calls} - set(ERRORS) - set(NOT_INJECTED):
                raise UnknownCall(f"{model}, {phase}: scripts/faults/errors.py lacks {', '.join(sorted(unknown))}")
            if not name:
                known[phase] = set(calls)
            else:
                calls = {call: numbers for call, numbers in calls.items() if call not in known[phase]}
            for (call, kind), numbers in sorted(calls.items()):
                if model in NOT_INJECTED_IN.get(call, ()):
                    continue
                for error in errors_of(call, kind):
                    for position, when in positions(error, numbers, phase):
                        cases.append(Case(model, name, phase, call, kind, error, position, when))
    return cases if "" in variants else [case for case in cases if case.variant]


def only(cases, **wanted):
    """Returns the cases whose fields have the wanted values; None stands for any value."""
    return [case for case in cases if all(value is None or getattr(case, name) == value
                                          for name, value in wanted.items())]
