"""Records which system calls a model makes, and plans the faults."""

import re
from collections import Counter

from case import Bad, Case, record
from errors import ERRORS, NOT_INJECTED, NOT_INJECTED_IN, REPEATED, errors_of, kind_of

# One line of a trace: the thread, and the call that begins. A resumed call begins with `<... NAME resumed>`.
CALL = re.compile(r"^(\d+) +(\w+)\((.*)$")


class UnknownCall(Exception):
    """A server makes a system call for which the table has no errors."""


def find_calls(trace, phase):
    """Returns the occurrence numbers of each call, by the call and the kind of its descriptor.

    strace counts the calls of each thread separately. The numbers are those of the thread that makes the call most
    often. At the start, they are those of the first thread, if that thread makes the call.
    """
    calls, numbers, first, cache, has_begun = {}, Counter(), None, None, phase != "start"
    for line in trace.splitlines():
        if not (found := CALL.match(line)):
            continue
        thread, call, rest = found.groups()
        first = first or thread
        # The start ends when the server accepts. By then, the server has printed its address.
        if phase == "start" and call in ("accept4", "io_uring_enter"):
            break
        numbers[thread, call] += 1
        if has_begun:
            calls.setdefault((call, kind_of(call, rest)), {}).setdefault(thread, []).append(numbers[thread, call])
        # The dynamic linker unmaps its cache when it has loaded all libraries. After that, the program begins.
        elif call == "openat" and "/ld.so.cache" in rest:
            cache = ""
        elif call == "mmap" and cache == "":
            cache = rest.rsplit("= ", 1)[-1]
        elif call == "munmap" and cache and rest.startswith(cache):
            has_begun = True
    if not has_begun:
        raise UnknownCall("the dynamic linker does not unmap its cache")
    return {name: by_thread[first] if phase == "start" and first in by_thread else max(by_thread.values(), key=len)
            for name, by_thread in calls.items()}


def positions(error, numbers, phase):
    """Yields the positions at which the error is injected: their names, and the expressions for strace."""
    yield "first", str(numbers[0])
    if len(numbers) > 2:
        yield "middle", str(numbers[len(numbers) // 2])
    if error in REPEATED:
        if len(numbers) > 1:
            yield "every second", f"{numbers[1]}+2"
    elif phase != "start" or len(numbers) > 1:
        yield "every", f"{numbers[0]}+"


def record_patiently(program, model, variant, phase):
    """Records a trace, and tries again if a busy machine delays the clients."""
    for _ in range(3):
        try:
            return record(program, model, variant, phase)
        except Bad:
            pass
    return record(program, model, variant, phase)


def plan(program, model, phases, variants):
    """Returns the cases of a model. A run with options contributes only the calls that a run without options lacks."""
    cases, known = [], {}
    for phase in phases:
        # The calls without options are always recorded, because options contribute only the additional calls.
        for name in ["", *(variant for variant in variants if variant)]:
            calls = find_calls(record_patiently(program, model, name, phase), phase)
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
