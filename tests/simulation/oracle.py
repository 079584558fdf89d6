"""Oracle: it sees what processes cannot see of each other, and says what does not hold."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from hayai.bus.streams import address_of
from hayai.tokens import derived
from tests.simulation.words import FATAL, KINDS, manner_of
from tests.simulation.world import Broken

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

    from hayai.effects import EffectKind
    from hayai.handlers import Context
    from tests.simulation.jetstream import Stored
    from tests.simulation.nats_server import SimulatedNats
    from tests.simulation.postgres import Mark, SimulatedPostgres
    from tests.simulation.world import Process, World

LEDGERED = {"sim_tally": "count.told.v1", "sim_book": "count.told.v1", "sim_hear": "count.echoed.v1"}


class Oracle:
    """What was acknowledged, run, done outside, and committed in one seed."""

    def __init__(self, seed: int, world: World, nats: SimulatedNats, postgres: SimulatedPostgres) -> None:
        self.seed = seed
        self.acknowledged: dict[str, int] = {}
        """Ids of events, with their numbers."""
        self.acts: dict[tuple[str, str], list[Process]] = {}
        self.runs: Counter[tuple[str, str]] = Counter()
        self.excused = 0
        """Acts that came twice since their process was stopped between its claim and the act."""
        self._seen: Counter[tuple[str, str]] = Counter()
        self._running: set[tuple[Process, str, str]] = set()
        self._finished: set[str] = set()
        self._begun: dict[tuple[Process, str], float] = {}
        self._late: set[tuple[str, str]] = set()
        self._world = world
        self._nats = nats
        self._postgres = postgres
        self._looked_at = 0
        self._last: dict[tuple[str, str], int] = {}

    def tries(self, handler: str, event: str) -> int:
        """How often that was asked about, this time included."""
        self._seen[handler, event] += 1
        return self._seen[handler, event]

    @asynccontextmanager
    async def handling(self, process: Process, context: Context) -> AsyncGenerator[None]:
        """A handler runs. Raises Broken where the same process has one of the key running already."""
        envelope, handler = context.envelope, context.handler
        lane = (process, handler, envelope.subject)
        self._world.note(f"{process.name} {handler} begins {_name(envelope.subject, envelope.id)}")
        if lane in self._running:
            process.loop.wrong.append(f"two events of {envelope.subject} at once in {handler}")
        self._running.add(lane)
        self._begun[process, envelope.id] = self._world.now
        try:
            yield
            self.runs[handler, envelope.id] += 1
        finally:
            self._running.discard(lane)

    def acted(self, process: Process, kind: EffectKind, context: Context) -> None:
        """Something was done outside."""
        event = context.envelope.id
        self._world.note(f"{process.name} does {kind.name} for {_name(context.envelope.subject, event)}")
        if any(at >= self._begun[process, event] for at in process.stopped_at):
            self._late.add((event, kind.name))
        self.acts.setdefault((event, kind.name), []).append(process)

    def watch(self) -> None:
        """Look at what was committed since the last look. Raises Broken."""
        for mark in self._postgres.marks[self._looked_at :]:
            self._look_at(mark)
        self._looked_at = len(self._postgres.marks)

    def _look_at(self, mark: Mark) -> None:
        stored = self._stored(mark.event)
        if stored is None:
            return  # it went with its stream
        address = address_of(stored.subject)
        lease = f"{mark.handler}/{address.partition}"
        epochs = [epoch for name, epoch in mark.fences if name == lease]
        self._world.note(f"{mark.handler} commits {_name(address.key, mark.event)}, sequence {stored.sequence}")
        if not epochs:
            raise Broken(f"{mark.handler} committed without the lease {lease}")
        before = self._last.get((mark.handler, address.key), 0)
        if stored.sequence <= before:
            raise Broken(f"order: {mark.handler} committed {stored.sequence} of {address.key} after {before}")
        self._last[mark.handler, address.key] = stored.sequence

    def _stored(self, event: str) -> Stored | None:
        for stream in self._nats.jetstream.streams.values():
            if (place := stream.ids.get(event)) is not None:
                return stream.messages[place]
            for stored in stream.messages.values():
                if not stored.id and event == derived("unread", stream.config["name"], str(stored.sequence)):
                    return stored
        return None

    def events(self) -> Iterator[tuple[Stored, str]]:
        """What is in the stream of events, with the id that the ledger knows it by."""
        if "EVENTS" in self._nats.jetstream.streams:
            for stored in self._nats.jetstream.streams["EVENTS"].messages.values():
                yield stored, stored.id or derived("unread", "EVENTS", str(stored.sequence))

    def unsettled(self) -> str:
        """What is still to come; nothing where all is settled."""
        for name, stream in self._nats.jetstream.streams.items():
            for consumer in stream.consumers.values():
                if consumer.pending or consumer.left:
                    return f"{consumer.config['name']} of {name}: {consumer.left} left, {sorted(consumer.pending)} out"
        for stored, event in self.events():
            if event in self._finished:
                continue
            tenant = address_of(stored.subject).tenant
            for handler, kind in LEDGERED.items():
                if stored.subject.endswith(kind) and (tenant, event, handler, "live") not in self._postgres.inbox:
                    return f"{handler} has no outcome of {event}, sequence {stored.sequence}"
            self._finished.add(event)
        return f"{len(self._postgres.outbox)} rows in the outbox" if self._postgres.outbox else ""

    def judge(self) -> None:
        """All that must hold once everything is settled. Raises Broken."""
        self.watch()
        letters = self._letters()
        following = Counter(self._following())
        if doubled := [each for each, count in following.items() if count > 1]:
            raise Broken(f"followed twice: {doubled}")
        for stored, event in self.events():
            if stored.subject.endswith("count.told.v1") and stored.id:
                self._judge(stored, event, letters, following)
        for event, number in self.acknowledged.items():
            if self._stored(event) is None:
                raise Broken(f"the acknowledged event {event} ({number}) is not stored")

    def _judge(
        self, stored: Stored, event: str, letters: Counter[tuple[str, str]], following: Counter[tuple[str, str]]
    ) -> None:
        kind = KINDS[int(json.loads(stored.body)["data"]["number"]) % len(KINDS)]
        acts = len(self.acts.get((event, kind.name), ()))
        for handler, then in (("sim_tally", "echoed"), ("sim_note", "noted"), ("sim_book", "booked")):
            dead = letters[handler, event]
            fatal = manner_of(self.seed, handler, event) in FATAL
            doubtful = handler == "sim_tally" and kind.unknown == "ask"
            if dead > 1 or (dead and not fatal and not doubtful) or (fatal and not dead):
                raise Broken(f"{handler} has {dead} dead letters of {event}, fatal: {fatal}")
            if following[f"count.{then}.v1", event] != 1 - dead:
                raise Broken(f"{following[f'count.{then}.v1', event]} count.{then} follow from {event}, {dead} letters")
            if handler == "sim_book" and self._postgres.domain.count((address_of(stored.subject).tenant, event)) != (
                1 - dead
            ):
                raise Broken(f"the rows of {event} were not written once")
            if handler == "sim_tally":
                self._judge_acts(event, kind, acts, dead)

    def _judge_acts(self, event: str, kind: EffectKind, acts: int, dead: int) -> None:
        if not dead and not acts:
            raise Broken(f"{kind.name} was never done for {event}")
        if acts > 1 and kind.unknown != "again":
            if (event, kind.name) not in self._late:
                raise Broken(f"{kind.name} was done {acts} times for {event}")
            self.excused += 1

    def _letters(self) -> Counter[tuple[str, str]]:
        stream = self._nats.jetstream.streams.get("DEADLETTERS")
        bodies = [json.loads(each.body) for each in stream.messages.values()] if stream else []
        return Counter((each["data"]["handler"], each.get("cause") or "") for each in bodies)

    def _following(self) -> Iterator[tuple[str, str]]:
        for stored, _ in self.events():
            if stored.id and (cause := json.loads(stored.body).get("cause")):
                yield stored.subject.split(".", 4)[4], cause


def _name(key: str, event: str) -> str:
    return f"{key}:{event[:12]}"
