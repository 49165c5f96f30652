"""Judges the combined evidence of the clients, HAProxy's log and the captured segments."""

from collections import Counter

from claims import describe
from clients import ORDERLY, OURS, UNANSWERED
from visits import HEADER_SIZE

# A time in a server's log is rounded to milliseconds, and may be taken before or after the event that it is compared
# with.
LOG_TOLERANCE = 0.1


class Judgement:
    """Judges the results of the clients."""

    def __init__(self, evidence, claims):
        self.evidence, self.claims = evidence, claims
        self.talks, self.spared, self.victims = evidence.talks, evidence.spared, evidence.victims
        self.restarts, self.kill, self.ways = evidence.restarts, evidence.kill, evidence.ways
        self.server, self.passage, self.claim = evidence.server, evidence.passage, claims.claim

    def judge(self):
        self.judge_instruments()
        self.judge_answers()
        for restart in self.restarts:
            self.judge_restart(restart)
        self.claim(self.evidence.refusals == 0, "in these restarts HAProxy sent no client to a server "
                   f"that had stopped listening: {self.evidence.refusals} exceptions")
        self.judge_ends()
        self.judge_kill()
        self.judge_replacement()

    def judge_instruments(self):
        unknown = [talk for talk in self.talks if talk.port not in self.ways]
        unseen = [talk for talk in self.talks if not self.passage(talk)]
        lost = sum(wire.dropped() for wire in self.evidence.wires.values())
        self.claim(not (unknown or unseen or lost), f"of {len(self.talks)} connections, {len(unknown)} are not in "
                   f"HAProxy's log, {len(unseen)} were not seen on a server's wire; {lost} segments were not captured")
        for talk in (unknown or unseen)[:10]:
            print(f"        {talk.client}, port {talk.port}, from {talk.opened:.3f} to {talk.ended:.3f}: {talk.ending}")

    def judge_answers(self):
        faults = Counter(talk.ending for talk in self.spared if talk.ending not in (OURS, ORDERLY, UNANSWERED))
        answers = sum(len(talk.messages) for talk in self.talks)
        self.claim(answers > 0 and not faults, f"{answers} complete replies, every byte right; "
                   f"{sum(faults.values())} errors apart from the kill" + describe(faults))
        for talk in [talk for talk in self.spared if talk.ending in faults][:10]:
            print(f"        {talk.client}, on {self.server(talk)}, from {talk.opened:.3f} to {talk.ended:.3f}: "
                  f"{talk.ending}, after {len(talk.messages)} messages; HAProxy: {self.ways.get(talk.port)}")

    def judge_restart(self, restart):
        drained = restart.life.drained
        if drained is None:
            return self.claim(False, f"{restart.host} received SIGTERM: its log has no drain; exit code {restart.code}")
        talks = [talk for talk in self.talks if self.server(talk) == restart.host
                 and talk.opened < drained < talk.ended]
        open_messages = [end - drained for talk in talks for begin, end in talk.messages
                         if begin < drained < end and talk.habit.pieces > 1]
        self.claim(restart.out < drained,
                   f"{restart.host} received SIGTERM: HAProxy took it out after "
                   f"{restart.out - restart.told:.2f} s, its drain began after {drained - restart.told:.2f} s")
        self.claim(restart.code == 0 and talks and open_messages,
                   f"{restart.host} drained {len(talks)} connections: exit code {restart.code} after "
                   f"{restart.ended - drained:.2f} s; {len(open_messages)} long messages were in progress, with "
                   f"complete replies within {max(open_messages, default=0):.2f} s")

    def judge_ends(self):
        """A server closes only in its drain, and after it has replied to all bytes that its host had received."""
        ends = [talk for talk in self.spared if talk.ending in (ORDERLY, UNANSWERED)]
        outside = [talk for talk in ends if not any(
            self.server(talk) == restart.host and talk.opened < restart.ended
            and (restart.life.drained or restart.ended) < talk.ended + LOG_TOLERANCE for restart in self.restarts)]
        self.claim(ends and not outside, f"{len(ends)} connections closed by servers, {len(outside)} of them by one "
                   "that did not drain" + describe(Counter(talk.habit.name for talk in ends)))
        short = [talk for talk in ends if not self.is_complete(talk)]
        self.claim(not short, "at each of these ends, the server had replied to all bytes that its host had received "
                   f"(its segment has their number): {len(short)} exceptions")
        for talk in short[:10]:
            print(f"        {talk.client}, on {self.server(talk)}: {talk.answered} bytes with a reply, "
                  f"{talk.unanswered} more sent, after a header of {HEADER_SIZE}; {self.passage(talk)}")
        again = Counter(talk.habit.name for talk in ends if talk.ending == UNANSWERED)
        thinking = sum(count for name, count in again.items() if name != "hasty")
        self.claim(thinking == 0, f"{sum(again.values())} messages sent again, {thinking} of them by clients that "
                   "pause between messages: such a message was on its way when the server closed, and had not arrived"
                   + describe(again))

    def is_complete(self, talk):
        passage = self.passage(talk)
        return passage and passage.received == HEADER_SIZE + talk.answered and not passage.reset

    def judge_kill(self):
        """The connections that ended after the kill must be those of the killed server."""
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
        self.claim(again, f"{kill.host} in service again after its start: {again} connections")
