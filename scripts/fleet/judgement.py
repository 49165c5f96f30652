"""What the clients, HAProxy's log and the servers' wires say together."""

from collections import Counter
from dataclasses import dataclass

from clients import ORDERLY, OURS, UNANSWERED


@dataclass
class Restart:
    host: str
    told: float
    ended: float
    code: int | None
    counts: list | None  # its own: connections served, bytes received and sent


@dataclass
class Kill:
    host: str
    time: float
    found: float  # how long HAProxy took to find it dead, in seconds
    bound: float
    back: float  # when it was up again


class Judgement:
    def __init__(self, crowd, ways, wires, restarts, kill):
        self.restarts, self.kill, self.ways, self.wires = restarts, kill, ways, wires
        self.talks = crowd.conversations
        self.good = True
        self.victims = [talk for talk in self.talks if self.server(talk) == kill.host
                        and talk.opened < kill.time < talk.ended]
        ports = {talk.port for talk in self.victims}
        self.spared = [talk for talk in self.talks if talk.port not in ports]

    def claim(self, holds, text):
        self.good = self.good and bool(holds)
        print(f"{'ok    ' if holds else 'FAILED'}  {text}", flush=True)

    def server(self, talk):
        way = self.ways.get(talk.port)
        return way and way.server

    def passage(self, talk):
        way = self.ways.get(talk.port)
        return way and self.wires[way.server].passage(way.port, talk.opened)

    def judge(self):
        self.judge_instruments()
        self.judge_answers()
        for restart in self.restarts:
            self.judge_restart(restart)
        self.judge_ends()
        self.judge_kill()
        self.judge_replacement()
        return self.good

    def judge_instruments(self):
        unknown = [talk for talk in self.talks if talk.port not in self.ways]
        unseen = [talk for talk in self.talks if not self.passage(talk)]
        lost = sum(wire.dropped() for wire in self.wires.values())
        self.claim(not (unknown or unseen or lost), f"of {len(self.talks)} connections, {len(unknown)} are not in "
                   f"HAProxy's log, {len(unseen)} were not seen on a server's wire; {lost} segments were not looked at")
        for talk in (unknown or unseen)[:10]:
            print(f"        {talk.client}, port {talk.port}, from {talk.opened:.3f} to {talk.ended:.3f}: {talk.ending}")

    def judge_answers(self):
        faults = Counter(talk.ending for talk in self.spared if talk.ending not in (OURS, ORDERLY, UNANSWERED))
        answers = sum(len(talk.messages) for talk in self.talks)
        self.claim(answers > 0 and not faults, f"{answers} messages answered, every byte right; "
                   f"{sum(faults.values())} errors but for the kill" + describe(faults))
        for talk in [talk for talk in self.spared if talk.ending in faults][:10]:
            print(f"        {talk.client}, on {self.server(talk)}, from {talk.opened:.3f} to {talk.ended:.3f}: "
                  f"{talk.ending}, after {len(talk.messages)} messages; HAProxy: {self.ways.get(talk.port)}")

    def judge_restart(self, restart):
        talks = [talk for talk in self.talks if self.server(talk) == restart.host
                 and talk.opened < restart.told < talk.ended]
        open_messages = [end - restart.told for talk in talks for begin, end in talk.messages
                         if begin < restart.told < end and talk.habit.pieces > 1]
        self.claim(restart.code == 0 and talks and open_messages,
                   f"{restart.host} told to stop with {len(talks)} connections: exit code {restart.code} after "
                   f"{restart.ended - restart.told:.2f} s; {len(open_messages)} long messages were in progress, "
                   f"answered whole within {max(open_messages, default=0):.2f} s")
        self.judge_counts(restart)

    def judge_counts(self, restart):
        """The server's own counts: it has greeted every connection with one byte, HAProxy's checks too, and may have
        read a message that crossed its end."""
        talks = [talk for talk in self.talks if self.server(talk) == restart.host and talk.opened < restart.ended]
        asked, answered = sum(talk.answered for talk in talks), sum(talk.received for talk in talks)
        crossed = sum(talk.unanswered for talk in talks)
        served, received, sent = restart.counts or (0, 0, 0)
        self.claim(restart.counts and asked <= received <= asked + crossed and sent == answered + served,
                   f"{restart.host} counts {received} bytes received and {sent} sent, {served} of them greetings; its "
                   f"clients {asked} in messages answered, and {answered} of answers")

    def judge_ends(self):
        """An end by the server: only in its drain, and with all answered that had come to the server's machine."""
        ends = [talk for talk in self.spared if talk.ending in (ORDERLY, UNANSWERED)]
        outside = [talk for talk in ends if not any(
            self.server(talk) == restart.host and talk.opened < restart.ended and restart.told < talk.ended
            for restart in self.restarts)]
        self.claim(ends and not outside, f"{len(ends)} connections ended by servers, {len(outside)} of them by one "
                   "that was not told to stop" + describe(Counter(talk.habit.name for talk in ends)))
        short = [talk for talk in ends if not self.is_complete(talk)]
        self.claim(not short, "at each of these ends, all that had come to the server's machine was answered "
                   f"(its segment says how much it has): {len(short)} exceptions")
        for talk in short[:10]:
            print(f"        {talk.client}, on {self.server(talk)}: {talk.answered} bytes answered, {talk.unanswered} "
                  f"more sent; {self.passage(talk)}")
        again = Counter(talk.habit.name for talk in ends if talk.ending == UNANSWERED)
        thinking = sum(count for name, count in again.items() if name != "hasty")
        self.claim(thinking == 0, f"{sum(again.values())} messages sent again, {thinking} of them by clients that "
                   "think: on its way when the end came, and not a byte of it at the server" + describe(again))

    def is_complete(self, talk):
        passage = self.passage(talk)
        return passage and passage.received == talk.answered and not passage.reset

    def judge_kill(self):
        """Those ended after the kill, and those that were on the killed server: the same?"""
        kill = self.kill
        touched = {talk.port for talk in self.talks if talk.ended > kill.time and talk.ending != OURS}
        on_killed = {talk.port for talk in self.victims}
        others = {talk.port for talk in self.spared if talk.opened < kill.time < talk.ended}
        late = [talk for talk in self.victims if talk.ended > kill.time + kill.bound]
        names = Counter(talk.habit.name for talk in self.victims)
        endings = Counter(talk.ending for talk in self.victims)
        slowest = max((talk.ended - kill.time for talk in self.victims), default=0)
        self.claim(on_killed and others and touched <= on_killed and not late,
                   f"SIGKILL to {kill.host}: {len(on_killed)} connections were on it{describe(names)}, all have ended "
                   f"within {slowest:.2f} s{describe(endings)}; of {len(others)} on the other servers, "
                   f"{len(touched & others)}")
        for talk in [talk for talk in self.talks if talk.port in touched - on_killed][:10]:
            print(f"        {talk.client}, on {self.server(talk)}: {talk.ending}")

    def judge_replacement(self):
        kill = self.kill
        self.claim(kill.found <= kill.bound, f"HAProxy took {kill.host} out of service after {kill.found:.2f} s "
                   f"(fall x inter: {kill.bound:.2f} s)")
        clients = {talk.client for talk in self.victims}
        nexts = [next((talk for talk in self.talks if talk.client == client and talk.opened > kill.time
                       and talk.greeted), None) for client in clients]
        places = Counter(self.server(talk) for talk in nexts if talk)
        slowest = max((talk.greeted - kill.time for talk in nexts if talk), default=0)
        self.claim(None not in nexts and kill.host not in places and slowest <= kill.bound,
                   f"the {len(clients)} clients of {kill.host} were served by others within {slowest:.2f} s"
                   + describe(places))
        again = sum(self.server(talk) == kill.host and talk.greeted is not None and talk.opened > kill.back - 1
                    for talk in self.talks)
        self.claim(again, f"{kill.host} taken in again after its start: {again} connections")


def describe(counts):
    return " (" + ", ".join(f"{name}: {count}" for name, count in sorted(counts.items())) + ")" if counts else ""
