"""Connections of each server over time, in the terminal."""

from dataclasses import dataclass
from string import ascii_lowercase as LETTERS

LEVELS = "▁▂▃▄▅▆▇█"
AWAY = "·"
WIDTH = 96


@dataclass
class Sample:
    time: float  # in seconds, since the start
    states: dict  # of each server: its number of connections, and HAProxy's status


@dataclass
class Moment(Sample):
    name: str


def table(moments, hosts):
    """The state of each server at each moment; the letters are those below the graph."""
    width = max(len(moment.name) for moment in moments)
    lines = [f"{'':>10}  {'':<{width}}" + "".join(f"  {host:>3} {'':<9}" for host in hosts)]
    for letter, moment in zip(LETTERS, moments):
        cells = [f"  {count:>3} {status:<9}" for count, status in (moment.states[host] for host in hosts)]
        lines.append(f"{letter} {moment.time:>6.1f} s  {moment.name:<{width}}" + "".join(cells))
    return "\n".join(line.rstrip() for line in lines)


def graph(samples, moments, hosts):
    """A line for each server, with the moments marked below."""
    span = samples[-1].time or 1
    highest = max(count for sample in samples for count, _ in sample.states.values()) or 1

    def column(time):
        return min(WIDTH - 1, int(time / span * WIDTH))

    lines = [f"connections of each server, up to {highest}; {AWAY} none, and out of service"]
    for host in hosts:
        cells = [[] for _ in range(WIDTH)]
        for sample in samples:
            cells[column(sample.time)].append(sample.states[host])
        lines.append(f"{host} {draw(cells, highest)}")
    marks = [" "] * WIDTH
    for letter, moment in zip(LETTERS, moments):
        marks[column(moment.time)] = letter
    return "\n".join([*lines, "   " + "".join(marks).rstrip(), f"   0 s{span:>{WIDTH - 5}.0f} s"])


def draw(cells, highest):
    line, last = "", " "
    for states in cells:
        last = level(states[-1], highest) if states else last
        line += last
    return line


def level(state, highest):
    count, status = state
    if count == 0:
        return " " if status.startswith("UP") else AWAY
    return LEVELS[min(len(LEVELS) - 1, count * len(LEVELS) // (highest + 1))]
