"""Compares the servers' logs, counts and metrics with the records of their clients and HAProxy."""

from collections import Counter

import metrics
from balancer import ADDRESS as BALANCER
from network import CLIENTS
from visits import FORGED


class Accounts:
    """Judges the servers' logs, final counts and metrics."""

    def __init__(self, evidence, claims):
        self.evidence, self.claims = evidence, claims
        self.lives = [life for lives in evidence.lives.values() for life in lives]

    def judge(self):
        self.judge_addresses()
        for restart in self.evidence.restarts:
            self.judge_counts(restart)
        self.judge_visits()
        self.judge_metrics()

    def judge_addresses(self):
        """Each client's own address is in the log of the server that HAProxy's log names, and in no other."""
        lines = Counter((host, line.client, line.proxy) for host, lives in self.evidence.lives.items()
                        for life in lives for line in life.accepted if line.proxy)
        talks = [talk for talk in self.evidence.talks if talk.greeted]
        wrong = [talk for talk in talks if lines[self.logged(talk)] != 1]
        known = {self.logged(talk) for talk in self.evidence.talks}
        strange = [line for line in lines if line not in known]
        self.claims.claim(talks and not wrong and not strange, f"of {len(talks)} connections that were greeted, "
                          f"{len(wrong)} are not in their server's log with the client's own address and HAProxy's, "
                          f"once and as HAProxy's log has them; {len(strange)} entries match no client")
        for host, client, proxy in [*map(self.logged, wrong), *strange][:10]:
            print(f"        {host}: client={client} proxy={proxy}")

    def logged(self, talk):
        """The expected log entry of a connection; HAProxy's log must have the same client address."""
        way = self.evidence.ways.get(talk.port)
        client = f"{CLIENTS}:{talk.port}"
        return (way.server, client, way.near) if way and way.client == client else (None, client, None)

    def judge_counts(self, restart):
        """A server greets each connection with one byte, HAProxy's checks included, and may have read a message that
        arrived while it closed. HAProxy's headers are not counted."""
        talks, greeted = self.evidence.of_life(restart.life), len(restart.life.accepted)
        asked, answered = sum(talk.answered for talk in talks), sum(talk.received for talk in talks)
        crossed = sum(talk.unanswered for talk in talks)
        served, received, sent = restart.life.counts or (0, 0, 0)
        self.claims.claim(
            greeted <= served and asked <= received <= asked + crossed and sent == answered + greeted,
            f"{restart.host} counts {served} connections, {received} bytes received and {sent} sent, {greeted} of them "
            f"greetings; its clients count {asked} in completed messages, and {answered} of replies")

    def judge_visits(self):
        """A client that bypasses the balancer is logged with its own address only."""
        visits = self.evidence.visits
        logged = Counter((host, line.client) for host, lives in self.evidence.lives.items()
                         for line in lives[-1].own(CLIENTS))
        wrong = [visit for visit in visits if visit.fault or logged[visit.host, f"{CLIENTS}:{visit.port}"] != 1]
        believed = [line for life in self.lives for line in life.accepted if line.client.startswith(FORGED[0] + ":")]
        self.claims.claim(visits and not wrong and not believed and logged.total() == len(visits),
                          f"{len(visits)} clients that bypassed HAProxy, {sum(visit.forged for visit in visits)} of "
                          f"them with a header that names {FORGED[0]}: {len(wrong)} not served and logged as "
                          f"themselves, {len(believed)} logged as {FORGED[0]}")
        for visit in wrong[:10]:
            print(f"        {visit}")

    def judge_metrics(self):
        hosts = list(self.evidence.metrics)
        expected = {host: self.expected(host) for host in hosts}
        print("\n" + metrics.table(self.evidence.metrics, expected) + "\n")
        for host in hosts:
            differences = [name for name in metrics.NAMES if self.evidence.metrics[host][name] != expected[host][name]]
            self.claims.claim(not differences, f"{host}'s metrics since its last start match its clients and "
                              "HAProxy's checks" + "".join(f"; not {name}" for name in differences))

    def expected(self, host):
        life = self.evidence.lives[host][-1]
        talks = self.evidence.of_life(life)
        visits = [visit for visit in self.evidence.visits if visit.host == host]
        accepted = len(talks) + len(visits) + len(life.own(BALANCER))
        return {
            metrics.ACCEPTED: accepted, metrics.OPEN: 0, metrics.REFUSED: 0, metrics.ENDED: 0,
            metrics.MESSAGES: sum(len(talk.messages) for talk in talks) + len(visits),
            metrics.RECEIVED: sum(talk.answered for talk in talks) + sum(visit.asked for visit in visits),
            metrics.SENT: accepted + sum(talk.received for talk in talks) + sum(visit.answered for visit in visits)}
