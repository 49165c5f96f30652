"""Draws a chart as text. It shows the number of connections of each server over time."""

from dataclasses import dataclass
from string import ascii_lowercase as LETTERS

LEVELS = "▁▂▃▄▅▆▇█"
AWAY = "·"
WIDTH = 96


@dataclass
class Sample:
    time: float  # in seconds, since the start
    states: dict  # for each server: its number of connections, and its status in HAProxy
    name: str = ""


def row(moment, letter, hosts):
    """Returns a line with the state of each server at a moment.

    The line begins with the letter that marks this moment below the graph.
    """
    cells = [f"  {host} {moment.states[host][0]:>3} {moment.states[host][1]:<9}" for host in hosts]
    return f"{letter} {moment.time:>6.1f} s  {moment.name:<22}{''.join(cells)}"


def graph(samples, moments, hosts):
    """Returns a graph with one line per server. Letters below the graph mark the moments."""
    span = samples[-1].time or 1
    highest = max(count for sample in samples for count, _ in sample.states.values()) or 1

    def column(sample):
        return min(WIDTH - 1, int(sample.time / span * WIDTH))

    # Each column shows its last sample. A column without a sample repeats the column to its left.
    columns = {column(sample): sample for sample in samples}
    shown = [columns[max((index for index in columns if index <= place), default=min(columns))]
             for place in range(WIDTH)]
    lines = [f"connections of each server, up to {highest}; {AWAY} means no connections and out of service"]
    lines += [f"{host} " + "".join(level(*sample.states[host], highest) for sample in shown) for host in hosts]
    letters = {column(moment): letter for letter, moment in zip(LETTERS, moments)}
    marks = "".join(letters.get(place, " ") for place in range(WIDTH)).rstrip()
    return "\n".join([*lines, "   " + marks, f"   0 s{span:>{WIDTH - 5}.0f} s"])


def level(count, status, highest):
    if count == 0:
        return " " if status.startswith("UP") else AWAY
    return LEVELS[min(len(LEVELS) - 1, count * len(LEVELS) // (highest + 1))]
