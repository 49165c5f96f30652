"""All observations of a run."""

from dataclasses import dataclass
from functools import cached_property

from journal import Life, port_of


@dataclass
class Restart:
    host: str
    told: float
    out: float  # when HAProxy had taken it out of service
    ended: float
    code: int | None
    life: Life


@dataclass
class Kill:
    host: str
    time: float
    found: float  # the time until HAProxy noticed, in seconds
    bound: float
    back: float  # when it was in service again


@dataclass
class Evidence:
    talks: list  # the clients'
    ways: dict  # of HAProxy's log, by the client's port
    wires: dict  # the servers'
    lives: dict  # of each server's log, in their order
    restarts: list
    refusals: int  # of servers towards HAProxy, until the kill
    kill: Kill
    visits: list
    metrics: dict  # of each server's last life

    def server(self, talk):
        way = self.ways.get(talk.port)
        return way and way.server

    def passage(self, talk):
        way = self.ways.get(talk.port)
        return way and self.wires[way.server].passage(port_of(way.near), talk.opened)

    def of_life(self, life):
        return [talk for talk in self.talks if talk.port in life.by_port]

    @cached_property
    def victims(self):
        return [talk for talk in self.talks if self.server(talk) == self.kill.host
                and talk.opened < self.kill.time < talk.ended]

    @cached_property
    def spared(self):
        ports = {talk.port for talk in self.victims}
        return [talk for talk in self.talks if talk.port not in ports]
