"""Checks the servers' behaviour with the records of the clients, HAProxy, the captures, the logs and the metrics."""

from collections import Counter
from functools import cached_property

import server
from clients import FORGED, HEADER_SIZE, OURS, ORDERLY, NO_REPLY
from hosts import BALANCER, CLIENTS

# The allowed difference in seconds between an event and its time in a server's log. The log rounds to milliseconds, and
# a server may read the clock shortly before or after the event.
LOG_TOLERANCE = 0.1
# The longest time that a FIN may take from the server through HAProxy to the client.
TRANSIT_LIMIT = 0.1


def describe(counts):
    return " (" + ", ".join(f"{name}: {count}" for name, count in sorted(counts.items())) + ")" if counts else ""


class Judgement:
    """Prints the claims that must hold, one per line, each with the connections that contradict it."""

    def __init__(self, evidence):
        self.evidence, self.talks, self.visits = evidence, evidence.talks, evidence.visits
        self.lives, self.restarts, self.kill = evidence.lives, evidence.restarts, evidence.kill
        self.good = True

    def claim(self, holds, text, exceptions=()):
        self.good = self.good and bool(holds)
        print(f"{'ok    ' if holds else 'FAILED'}  {text}", flush=True)
        for exception in exceptions[:10]:
            print(f"        {exception}")

    @cached_property
    def victims(self):
        return [talk for talk in self.talks if talk.server == self.kill.host
                and talk.opened < self.kill.time < talk.ended]

    @cached_property
    def spared(self):
        ports = {talk.port for talk in self.victims}
        return [talk for talk in self.talks if talk.port not in ports]

    def of_life(self, life):
        """Returns the connections that HAProxy forwarded to one process of a server."""
        return [talk for talk in self.talks if talk.address in life.forwarded]

    def judge(self):
        self.judge_instruments()
        self.judge_replies()
        for restart in self.restarts:
            self.judge_restart(restart)
        self.claim(self.evidence.failed_connects == 0, "during the restarts, HAProxy sent no client to a server "
                   f"that had stopped listening: {self.evidence.failed_connects} exceptions")
        self.judge_ends()
        self.judge_kill()
        self.judge_replacement()
        self.judge_addresses()
        for restart in self.restarts:
            self.judge_counts(restart)
        self.judge_visits()
        self.judge_metrics()

    def judge_instruments(self):
        unknown = [talk for talk in self.talks if not talk.server]
        unseen = [talk for talk in self.talks if not talk.passage]
        lost = self.evidence.lost_segments
        self.claim(not (unknown or unseen or lost), f"of {len(self.talks)} connections, {len(unknown)} are not in "
                   f"HAProxy's log, and {len(unseen)} were not captured; tcpdump lost {lost} segments",
                   unknown or unseen)

    def judge_replies(self):
        faulty = [talk for talk in self.spared if talk.ending not in (OURS, ORDERLY, NO_REPLY)]
        replies = sum(len(talk.messages) for talk in self.talks)
        self.claim(replies > 0 and not faulty, f"{replies} complete and correct replies; {len(faulty)} errors "
                   "that the kill does not explain" + describe(Counter(talk.ending for talk in faulty)), faulty)

    def judge_restart(self, restart):
        drained = restart.life.drained
        if drained is None:
            return self.claim(False, f"{restart.host} received SIGTERM, but its log contains no drain; "
                              f"exit code {restart.code}")
        talks = [talk for talk in self.talks if talk.server == restart.host and talk.opened < drained < talk.ended]
        open_messages = [end - drained for talk in talks for begin, end in talk.messages
                         if begin < drained < end and talk.habit.pieces > 1]
        self.claim(restart.out < drained,
                   f"{restart.host} received SIGTERM: HAProxy took it out of service after "
                   f"{restart.out - restart.told:.2f} s, before its drain began after {drained - restart.told:.2f} s")
        self.claim(restart.code == 0 and talks and open_messages,
                   f"{restart.host} drained {len(talks)} connections, and exited with code "
                   f"{restart.code} after {restart.ended - drained:.2f} s; {len(open_messages)} long messages were in "
                   f"progress, and their replies were complete within {max(open_messages, default=0):.2f} s")

    def judge_ends(self):
        """Checks that a server closes connections only during its drain, after it has replied to all received bytes."""
        ends = [talk for talk in self.spared if talk.ending in (ORDERLY, NO_REPLY)]
        outside = [talk for talk in ends if not any(
            talk.server == restart.host and talk.opened < restart.ended
            and (restart.life.drained or restart.ended) < talk.ended + LOG_TOLERANCE for restart in self.restarts)]
        self.claim(ends and not outside, f"{len(ends)} connections were closed by servers, {len(outside)} of them by a "
                   "server that did not drain" + describe(Counter(talk.habit.name for talk in ends)))
        short = [talk for talk in ends if not talk.passage or talk.passage.reset
                 or talk.passage.received != HEADER_SIZE + talk.completed]
        self.claim(not short, "when a server closed one of them, it had replied to all bytes that the FIN "
                   f"acknowledged, apart from the {HEADER_SIZE} bytes of the header: {len(short)} exceptions", short)
        again = Counter(talk.habit.name for talk in ends if talk.ending == NO_REPLY)
        # A client looks for the FIN directly before it sends a message, so the FIN was still on its way.
        late = [talk for talk in ends if talk.ending == NO_REPLY
                and not (talk.passage and talk.passage.closed and talk.sent < talk.passage.closed + TRANSIT_LIMIT)]
        self.claim(not late, f"{again.total()} messages crossed a server's FIN and were sent again, {len(late)} of them "
                   f"more than {TRANSIT_LIMIT} s after the FIN{describe(again)}", late)

    def judge_kill(self):
        """Checks that the kill ended the connections of the killed server, and no other connections."""
        kill, victims = self.kill, self.victims
        touched = [talk for talk in self.spared if talk.ended > kill.time and talk.ending != OURS]
        others = [talk for talk in self.spared if talk.opened < kill.time < talk.ended]
        late = [talk for talk in victims if talk.ended > kill.time + kill.limit]
        slowest = max((talk.ended - kill.time for talk in victims), default=0)
        self.claim(victims and others and not touched and not late,
                   f"SIGKILL to {kill.host}: its {len(victims)} connections"
                   f"{describe(Counter(talk.habit.name for talk in victims))} ended within {slowest:.2f} s"
                   f"{describe(Counter(talk.ending for talk in victims))}; "
                   f"of {len(others)} connections to other servers, "
                   f"{sum(talk in touched for talk in others)} ended", touched)

    def judge_replacement(self):
        kill = self.kill
        self.claim(kill.found <= kill.limit, f"HAProxy took {kill.host} out of service after {kill.found:.2f} s "
                   f"(limit, fall x inter: {kill.limit:.2f} s)")
        clients = {talk.client for talk in self.victims}
        nexts = [next((talk for talk in self.talks if talk.client == client and talk.opened > kill.time
                       and talk.greeted), None) for client in clients]
        places = Counter(talk.server for talk in nexts if talk)
        slowest = max((talk.greeted - kill.time for talk in nexts if talk), default=0)
        self.claim(None not in nexts and kill.host not in places and slowest <= kill.limit,
                   f"the other servers served the {len(clients)} clients of {kill.host} within {slowest:.2f} s"
                   + describe(places))
        again = sum(talk.server == kill.host and talk.greeted is not None and talk.opened > kill.back - 1
                    for talk in self.talks)
        self.claim(again, f"{kill.host} accepted {again} connections after it was started again")

    def judge_addresses(self):
        """Checks that each client's own address is in the log of the server that HAProxy's log names."""
        lines = Counter((host, *line) for host, lives in self.lives.items() for life in lives
                        for line in life.accepted if line.proxy)
        entries = {talk.port: (talk.server, talk.address, talk.near) for talk in self.talks}
        talks = [talk for talk in self.talks if talk.greeted]
        wrong = [talk for talk in talks if lines[entries[talk.port]] != 1]
        strange = lines.keys() - entries.values()
        self.claim(talks and not wrong and not strange, f"of {len(talks)} greeted connections, {len(wrong)} do not "
                   f"have exactly one entry in their server's log with the client's own address and HAProxy's; "
                   f"{len(strange)} entries match no client", wrong + sorted(strange))

    def judge_counts(self, restart):
        """Compares the counts in a server's log with the counts of its clients.

        A server sends a greeting of one byte on each connection, even for HAProxy's checks. It may have read a message
        that arrived while it closed the connection. It does not count HAProxy's headers.
        """
        talks, greeted = self.of_life(restart.life), len(restart.life.accepted)
        completed, replies = sum(talk.completed for talk in talks), sum(talk.received for talk in talks)
        crossed = sum(talk.incomplete for talk in talks)
        served, received, sent = restart.life.counts
        self.claim(
            greeted <= served and completed <= received <= completed + crossed and sent == replies + greeted,
            f"{restart.host} counted {served} connections, {received} received bytes and {sent} sent bytes, which "
            f"include {greeted} greetings; its clients counted {completed} bytes of messages and {replies} of replies")

    def judge_visits(self):
        """Checks that a client that bypasses HAProxy is logged with only its own address."""
        logged = Counter((host, line.client) for host, lives in self.lives.items() for line in lives[-1].own(CLIENTS))
        wrong = [visit for visit in self.visits if visit.ending != OURS or logged[visit.server, visit.address] != 1]
        believed = [line for lives in self.lives.values() for life in lives for line in life.accepted
                    if line.client.startswith(FORGED[0] + ":")]
        self.claim(self.visits and not wrong and not believed and logged.total() == len(self.visits),
                   f"{len(self.visits)} clients bypassed HAProxy, half of them with a header that names "
                   f"{FORGED[0]}; {len(wrong)} were not served or not logged with their own address, and "
                   f"{len(believed)} were logged as {FORGED[0]}", wrong)

    def judge_metrics(self):
        counted = self.evidence.metrics
        expected = {host: self.expected_metrics(host) for host in counted}
        print(f"\n{'since the last start':<36}" + "".join(f"  {host:>11} {'counted':>11}" for host in counted))
        for name in server.METRICS:
            print(f"{name:<36}" + "".join(
                f"  {'-' if said[name] is None else said[name]:>11} {expected[host][name]:>11}"
                for host, said in counted.items()))
        print()
        for host, said in counted.items():
            differences = [name for name in server.METRICS if said[name] != expected[host][name]]
            self.claim(not differences, f"{host}'s metrics since its last start match its clients and "
                       "HAProxy's checks" + "".join(f"; {name} differs" for name in differences))

    def expected_metrics(self, host):
        life = self.lives[host][-1]
        talks = self.of_life(life) + [visit for visit in self.visits if visit.server == host]
        accepted = len(talks) + len(life.own(BALANCER))
        return {
            server.ACCEPTED_TOTAL: accepted, server.OPEN: 0, server.REJECTED: 0, server.CLOSED_BY_LIMIT: 0,
            server.MESSAGES: sum(len(talk.messages) for talk in talks),
            server.RECEIVED: sum(talk.completed for talk in talks),
            server.SENT: accepted + sum(talk.received for talk in talks)}
