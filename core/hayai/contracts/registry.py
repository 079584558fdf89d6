"""Registry: for each event its versions, who publishes it, who reads it, and where they do not agree."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from hayai.contracts.schemas import differences, is_open, schema
from hayai.contracts.versions import reads, told
from hayai.event import Event

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hayai.handlers import Subscription


@dataclass(frozen=True)
class Part:
    """What one installed plugin brings to the bus."""

    name: str
    """As in an error's sentence: the distribution and its version."""
    subscriptions: tuple[Subscription, ...] = ()
    publishes: tuple[type[Event], ...] = ()
    """What it publishes without a handler: a channel's door."""


@dataclass(frozen=True)
class Producer:
    """Who publishes one version of an event: a handler, or a part's own door where `handler` is empty."""

    part: str
    handler: str
    event: type[Event]

    def __str__(self) -> str:
        """As in an error's sentence."""
        return f"{self.part} ({self.handler})" if self.handler else self.part


@dataclass(frozen=True)
class Consumer:
    """Who reads an event, and which versions of it."""

    part: str
    subscription: Subscription
    reads: tuple[int, ...]

    def __str__(self) -> str:
        """As in an error's sentence."""
        return f"{self.part} ({self.subscription.name})"

    @property
    def event(self) -> type[Event]:
        """The event as the handler takes it."""
        return self.subscription.event


@dataclass(frozen=True)
class Contract:
    """One event in all its versions."""

    name: str
    """`noun.verbed`."""
    producers: tuple[Producer, ...]
    consumers: tuple[Consumer, ...]

    @property
    def ends(self) -> tuple[Producer | Consumer, ...]:
        """Everybody who has to do with it."""
        return (*self.producers, *self.consumers)

    @property
    def events(self) -> tuple[type[Event], ...]:
        """The classes that stand for it, oldest version first; more than one of a version where plugins differ."""
        found = dict.fromkeys(each.event for each in self.ends)
        return tuple(sorted(found, key=lambda event: (event.version, is_open(event))))

    @property
    def parts(self) -> tuple[str, ...]:
        """The plugins of all of these."""
        return tuple(dict.fromkeys(each.part for each in self.ends))

    def producers_of(self, version: int) -> list[Producer]:
        """Who publishes that version."""
        return [each for each in self.producers if each.event.version == version]

    def consumers_of(self, version: int) -> list[Consumer]:
        """Who reads that version."""
        return [each for each in self.consumers if version in each.reads]

    def disagreements(self) -> Iterator[str]:
        """A sentence for each producer and consumer that do not fit, and each version that has two shapes."""
        for producer in self.producers:
            for consumer in self.consumers:
                if producer.event.version not in consumer.reads:
                    yield _unread(producer, consumer)
        for one, other in combinations(self.ends, 2):
            same = one.event.wire_type() == other.event.wire_type()
            if same and (fields := differences(one.event, other.event)):
                yield _differing(one, other, fields)


class Registry:
    """The contracts of the installed `parts`, by the event's name."""

    def __init__(self, parts: Iterable[Part]) -> None:
        self.parts = tuple(parts)
        producers = defaultdict[str, list[Producer]](list)
        consumers = defaultdict[str, list[Consumer]](list)
        for producer in self._producers():
            producers[producer.event.type].append(producer)
        for part in self.parts:
            for each in part.subscriptions:
                consumers[each.event.type].append(Consumer(part.name, each, reads(each.event)))
        self.contracts = {
            name: Contract(name, tuple(producers[name]), tuple(consumers[name]))
            for name in sorted({*producers, *consumers})
        }

    @property
    def silent(self) -> tuple[str, ...]:
        """The handlers that do not say which events they return, so that nobody can check them."""
        return tuple(each.name for part in self.parts for each in part.subscriptions if Event in each.produces)

    def events(self) -> dict[str, type[Event]]:
        """Every version that is published or read, by its wire type."""
        found: dict[str, type[Event]] = {}
        for contract in self.contracts.values():
            for event in contract.events:
                found.setdefault(event.wire_type(), event)
        return found

    def disagreements(self) -> list[str]:
        """A sentence for each pair that does not fit, naming both and what to do; empty when all is well."""
        return list(dict.fromkeys(each for contract in self.contracts.values() for each in contract.disagreements()))

    def _producers(self) -> Iterator[Producer]:
        for part in self.parts:
            yield from (Producer(part.name, "", event) for event in part.publishes)
            for each in part.subscriptions:
                yield from (Producer(part.name, each.name, event) for event in each.produces if event is not Event)


def document(registry: Registry) -> dict[str, dict[str, object]]:
    """For each wire type its JSON Schema, who publishes and who reads it: what `hayai events schema` prints."""
    return {
        wire_type: {
            "schema": schema(event),
            "producers": list(map(str, registry.contracts[event.type].producers_of(event.version))),
            "consumers": list(map(str, registry.contracts[event.type].consumers_of(event.version))),
        }
        for wire_type, event in registry.events().items()
    }


def _differing(one: Producer | Consumer, other: Producer | Consumer, fields: list[str]) -> str:
    return (
        f"{one} and {other} have different ideas of {one.event.wire_type()} ({', '.join(fields)}): let both use one "
        "class, or raise the version of the newer and give it an upcast()."
    )


def _unread(producer: Producer, consumer: Consumer) -> str:
    published, read = producer.event, consumer.event
    if published.version > read.version:
        cure = (
            f"upgrade {consumer.part} to a release that reads v{published.version}, or go back to a release of "
            f"{producer.part} that publishes v{read.version}."
        )
    else:
        cure = (
            f"give {read.__name__} an upcast() from v{published.version}, or upgrade {producer.part} to a release that "
            f"publishes v{read.version}."
        )
    return f"{producer} publishes {published.wire_type()}, and {consumer} reads {told(consumer.reads)} only: {cure}"
