"""Writes docs/faults.md: what each model does if a system call fails."""

import re
import textwrap
from collections import defaultdict

from allowed import ALLOWED, LIBUV, reason
from case import ABORTS, FAILED, FATAL, LIBUV_MODELS, NOT_REACHED, ORDER, PHASES, REFUSED
from errors import ERRORS, NOT_INJECTED, NOT_INJECTED_IN

INTRODUCTION = """\
# What the servers do if a system call fails

`scripts/check-faults --update` writes this page. The script makes system calls fail with `strace`, one call and one
error at a time, while clients check every byte that they receive. It records which calls a model makes, and injects the
errors that the manual page of each call allows, except those that only a programming error can cause. Each error is
injected at the first, at a middle and at every later occurrence of the call; EINTR and EAGAIN are injected at every
second occurrence instead. A cell shows the worst result.

| result | meaning |
|---|---|
| unaffected | Every client receives every reply. |
| that client | The server closes the connections whose calls fail, at most one for each error. All other clients receive every reply, and so do these clients up to the end of their connections. |
| start refused | The program prints one line, and exits with status 1. The number refers to the list of lines. |
| libuv aborts | libuv ends the process. The function of libuv is named. |
| fatal | The process ends. The [list](#ends-that-are-allowed) gives the reasons. |
| – | The model does not make the call, or not often enough. |

In every case without an end of the process, the server serves new clients after the fault has passed, and SIGTERM ends
it with status 0. The options of a row are those that make the server use the call."""
TITLES = {"start": "At the start", "serving": "While serving", "draining": "While draining"}


def document(results, models):
    """Returns the text of the document."""
    lines, parts = {}, [INTRODUCTION]
    for phase in PHASES:
        parts.append(f"## {TITLES[phase]}\n\n" + table(results, models, phase, lines))
    if lines:
        parts.append("## Lines of a start that is refused\n\n" + "\n".join(
            f"{number}. `{line}`" for line, number in lines.items()))
    parts.append("## Ends that are allowed\n\n| call | error | models | result | reason |\n|---|---|---|---|---|\n")
    parts[-1] += "\n".join(
        f"| {words(entry.call)} | {words(entry.error)} | {words(entry.model)} | {entry.result} | {entry.reason} |"
        for entry in ALLOWED)
    parts.append("## Calls in which no error is injected\n\n" + not_injected())
    return "\n\n".join(parts) + "\n"


def words(pattern):
    if pattern == LIBUV:
        return ", ".join(LIBUV_MODELS) + "; with `--admin`, all"
    return "all" if pattern == ".*" else ", ".join(pattern.split("|"))


def table(results, models, phase, lines):
    """Returns the table of a phase. Errors of a call with equal cells share a row."""
    cells = defaultdict(dict)
    for case, outcome in results.items():
        if case.phase == phase:
            row = case.call, case.kind, case.variant, case.error
            known = cells[row].get(case.model)
            if known is None or ORDER.index(outcome[0]) > ORDER.index(known[1][0]):
                cells[row][case.model] = case, outcome
    rows = defaultdict(list)
    for (call, kind, variant, error), row in sorted(cells.items()):
        shown = tuple(cell(row.get(model), lines) for model in models)
        rows[call, kind, variant, shown].append(error)
    text = [f"| call | error | {' | '.join(models)} |", "|---|---" + "|---" * len(models) + "|"]
    for (call, kind, variant, shown), errors in rows.items():
        name = f"`{call}`" + (f" ({kind})" if kind else "") + (f", `{variant}`" if variant else "")
        text.append(f"| {name} | {', '.join(errors)} | {' | '.join(shown)} |")
    return "\n".join(text)


def cell(found, lines):
    """Returns the text of a cell, and numbers the lines of refused starts."""
    if not found or found[1][0] == NOT_REACHED:
        return "–"
    case, (result, text) = found
    if result == REFUSED:
        # The port differs from run to run.
        line = re.sub(r"(127\.0\.0\.1):\d+", r"\1:PORT", text.replace("`", "'"))
        return f"{result} [{lines.setdefault(line, len(lines) + 1)}]"
    if result == ABORTS:
        return f"{result}: `{text}`"
    if result == FATAL:
        return result if reason(case, (result, text)) else f"**{result}: {text}**"
    return f"**{result}: {text}**" if result == FAILED else result


def not_injected():
    """Returns the list of calls in which no error is injected, with the reasons."""
    calls = defaultdict(list)
    for call, why in NOT_INJECTED.items():
        calls[why].append(f"`{call}`")
    items = [f"{', '.join(names)}: {why}." for why, names in calls.items()]
    items += [f"`{call}` in {', '.join(models)}: strace would suppress the call, which the kernel would not."
              for call, models in NOT_INJECTED_IN.items()]
    text = "\n".join(textwrap.fill(f"- {item}", 120, subsequent_indent="  ", break_on_hyphens=False) for item in items)
    rows = "\n".join(f"| `{call}` | {wrong} |" for call, (_, wrong) in sorted(ERRORS.items()) if wrong)
    return text + "\n\nThese errors are programming errors:\n\n| call | errors |\n|---|---|\n" + rows
