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
error at a time, while clients check every byte that they receive. It records which calls a model makes. Into each call,
it injects the errors that the call's manual page allows, except those that only a programming error can cause. In
separate runs, it injects an error into the first occurrence of a call, into one in the middle, and into all
occurrences. (It injects EINTR and EAGAIN into every second occurrence instead of into all.) Each cell of the tables
shows the worst result of these runs.

| result | meaning |
|---|---|
| unaffected | Every client receives every reply. |
| that client | The server closes the connection whose call fails, at most one connection for each injected error. Until then, that client receives every reply. All other clients receive every reply to the end. |
| start refused | The server does not start: the program prints one line and exits with status 1. The cell contains the number of this line in the [list](#lines-of-refused-starts). |
| libuv aborts | libuv aborts the process. The cell names the libuv function that does this. |
| fatal | The process ends. The [table](#allowed-terminations) gives the reasons. |
| – | The model does not make the call, or not often enough for an injection. |

Unless the process ends, the server serves new clients after the fault has passed, and SIGTERM ends it with status 0. If
the first column also names an option or a variable, for example `--admin`, the model makes the call only with this
option or variable."""
TITLES = {"start": "At the start", "serving": "While serving", "draining": "While draining"}


def document(results, models):
    """Returns the text of the document."""
    lines, parts = {}, [INTRODUCTION]
    for phase in PHASES:
        parts.append(f"## {TITLES[phase]}\n\n" + table(results, models, phase, lines))
    if lines:
        parts.append("## Lines of refused starts\n\n" + "\n".join(
            f"{number}. `{line}`" for line, number in lines.items()))
    parts.append("## Allowed terminations\n\n| call | error | models | result | reason |\n|---|---|---|---|---|\n")
    parts[-1] += "\n".join(
        f"| {words(entry.call)} | {words(entry.error)} | {words(entry.model)} | {entry.result} | {entry.reason} |"
        for entry in ALLOWED)
    parts.append("## Calls without injected errors\n\n" + not_injected())
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
    items += [f"`{call}` in {', '.join(models)}: strace would suppress the call, so a thread that waits would not "
              "wake; the kernel lets the call fail only if no thread waits."
              for call, models in NOT_INJECTED_IN.items()]
    text = "\n".join(textwrap.fill(f"- {item}", 120, subsequent_indent="  ", break_on_hyphens=False) for item in items)
    rows = "\n".join(f"| `{call}` | {wrong} |" for call, (_, wrong) in sorted(ERRORS.items()) if wrong)
    return text + "\n\nThese errors are programming errors:\n\n| call | errors |\n|---|---|\n" + rows
