"""Records which system calls a model makes, and plans the faults."""

import re
from collections import Counter

from case import Case, record
from errors import ERRORS, NOT_INJECTED, REPEATED

# One line of a trace: the thread, and the call that begins. A resumed call begins with `<... NAME resumed>`.
CALL = re.compile(r"^(\d+) +(\w+)\((.*)$")


class UnknownCall(Exception):
    """A server makes a system call for which the table has no errors."""


def count_calls(trace, phase):
    """Returns how often each call occurs, and how often it has occurred before the program's own code begins.

    strace counts the occurrences of each thread. At the start, only the first thread counts.
    """
    calls, before, first, cache, has_begun = Counter(), Counter(), None, None, phase != "start"
    for line in trace.splitlines():
        if not (found := CALL.match(line)):
            continue
        thread, call, rest = found.groups()
        first = first or thread
        if phase == "start":
            # The dynamic linker unmaps its cache when it has loaded all libraries.
            if not has_begun:
                if thread == first:
                    before[call] += 1
                    if call == "openat" and "/ld.so.cache" in rest:
                        cache = ""
                    elif call == "mmap" and cache == "":
                        cache = rest.rsplit("= ", 1)[-1]
                    elif call == "munmap" and cache and rest.startswith(cache):
                        has_begun = True
                continue
            # The start ends when the server accepts. By then, it has printed its address.
            if call == "accept4":
                break
            if thread != first and before[call]:
                continue
        calls[call] += 1
    if not has_begun:
        raise UnknownCall("the dynamic linker does not unmap its cache")
    return calls, before


def positions(error, count, before, phase):
    """Returns where the error is injected: the names of the positions and the expressions for strace."""
    first = before + 1
    yield "first", str(first)
    if count > 2:
        yield "middle", str(before + (count + 1) // 2)
    if error in REPEATED:
        if count > 1:
            yield "every second", f"{first + 1}+2"
    elif phase != "start" or count > 1:
        yield "every", f"{first}+"


def plan(program, model, phases, variants, say=lambda _: None):
    """Returns the cases of a model. Options contribute only the calls that they add to those without options."""
    cases, known = [], {}
    for phase in phases:
        for name in ["", *(variant for variant in variants if variant)]:
            if name not in variants and name:
                continue
            say(f"{model}: recording {phase} {name}")
            calls, before = count_calls(record(program, model, name, phase), phase)
            if unknown := set(calls) - set(ERRORS) - set(NOT_INJECTED):
                raise UnknownCall(f"{model}, {phase}: scripts/faults/errors.py lacks {', '.join(sorted(unknown))}")
            if not name:
                known[phase] = set(calls)
            elif name in variants:
                calls = {call: count for call, count in calls.items() if call not in known[phase]}
            for call in sorted(calls):
                for error in ERRORS.get(call, ("",))[0].split():
                    for position, when in positions(error, calls[call], before[call], phase):
                        cases.append(Case(model, name, phase, call, error, position, when))
    return cases if "" in variants else [case for case in cases if case.variant]


def only(cases, **wanted):
    """Returns the cases whose fields have the wanted values; None stands for any value."""
    return [case for case in cases if all(value is None or getattr(case, name) == value
                                          for name, value in wanted.items())]
