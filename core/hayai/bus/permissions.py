"""Permissions: the subjects that a plugin's or a tenant's own user of the NATS server needs, and none beyond.

A user who is limited so can take the events that the plugin's handlers subscribe to, settle them, and publish what
they say that they return. Others' consumers, events and answers are out of reach: answers come to an inbox of its own.

A tenant's user can publish that tenant's events and hear and say what is ephemeral in its conversations. Consumers
read all tenants' events of a type, so a tenant's user has none.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hayai.bus.base import PLATFORM
from hayai.bus.streams import DEADLETTERS, EVENTS, SCHEDULES, stream_of
from hayai.event import Event
from hayai.tokens import known_token
from hayai.vocabulary.operations import ConsumerRecreated, DeadLettered

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hayai.handlers import Subscription


@dataclass(frozen=True)
class Permissions:
    """Subjects, with NATS's wildcards."""

    publish: tuple[str, ...]
    subscribe: tuple[str, ...]

    def __str__(self) -> str:
        """As a user's entry in the server's configuration has them."""
        return f"permissions: {{ publish: {_listed(self.publish)}, subscribe: {_listed(self.subscribe)} }}"


def inbox_of(plugin: str) -> str:
    """The first words of the subjects on which that plugin's process is answered."""
    return f"_INBOX_{plugin}"


def permissions(plugin: str, subscriptions: Iterable[Subscription], *, partitions: int) -> Permissions:
    """What the process of `plugin` with these handlers needs."""
    handlers = list(subscriptions)
    inbox = f"{inbox_of(plugin)}.>"
    produced = {event for each in handlers for event in each.produces}
    return Permissions(
        publish=(
            *sorted(_published(each) for each in produced),
            *_own_reports(),
            *(f"$JS.API.STREAM.INFO.{stream}" for stream in (EVENTS.name, DEADLETTERS.name, SCHEDULES)),
            *(subject for each in handlers for place in range(partitions) for subject in _consumer(each, place)),
            inbox,
        ),
        subscribe=(inbox,),
    )


def inbox_of_tenant(tenant: str) -> str:
    """The first words of the subjects on which a service of that tenant is answered: connect()'s `inbox`."""
    return inbox_of(f"tenant_{tenant}")


def tenant_permissions(tenant: str) -> Permissions:
    """What a service of `tenant` outside needs for hayai.connect(). Raises KeyNotOpaque."""
    known_token(tenant, "tenant")
    inbox, live = f"{inbox_of_tenant(tenant)}.>", f"live.{tenant}.>"
    streams = (f"$JS.API.STREAM.INFO.{stream.name}" for stream in (EVENTS, DEADLETTERS))
    return Permissions(publish=(f"{EVENTS.prefix}.{tenant}.>", live, *streams), subscribe=(live, inbox))


def _published(event: type[Event]) -> str:
    """Every subject of that event; of all events where a handler does not say which it returns."""
    return f"{EVENTS.prefix}.>" if event is Event else f"{stream_of(event.type).prefix}.*.*.{event.type}.*"


def _own_reports() -> Iterator[str]:
    """Dead letters, a consumer that was lost, and the pieces of answers that are being made."""
    yield f"{DEADLETTERS.prefix}.*.*.{DeadLettered.type}.*"
    yield f"{EVENTS.prefix}.{PLATFORM}.*.{ConsumerRecreated.type}.*"
    yield "live.>"


def _consumer(subscription: Subscription, partition: int) -> Iterator[str]:
    stream = stream_of(subscription.event.type).name
    place = f"{stream}.{subscription.name}_{partition}"
    for name in (place, f"{place}_spare"):
        yield f"$JS.API.CONSUMER.INFO.{name}"
        yield f"$JS.API.CONSUMER.DELETE.{name}"
        yield f"$JS.API.CONSUMER.CREATE.{name}.>"
    yield f"$JS.API.CONSUMER.MSG.NEXT.{place}"
    yield f"$JS.ACK.{place}.>"


def _listed(subjects: Iterable[str]) -> str:
    return json.dumps(list(subjects))
