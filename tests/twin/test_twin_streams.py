"""The house's own streams, as it declares them, hold the same on the twin as on a real server."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from hayai.bus.connection import Connection
from hayai.bus.jetstream import JetStream
from hayai.bus.streams import DEADLETTERS, EVENTS, SCHEDULES, configuration, schedules_configuration
from hayai.bus.twin.server import TwinServer
from hayai.bus.twin.subjects import covers
from hayai.testing.servers import NatsServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from hayai.bus.twin.stream import TwinStream

DECLARED = [
    schedules_configuration(replicas=1, max_age=86_400, window=60),
    *(
        configuration(each, partitions=7, replicas=1, max_bytes=1 << 20, max_age=86_400, window=60)
        for each in (EVENTS, DEADLETTERS)
    ),
]
PUBLISHED = [
    *[(f"ev.tenant-{n}.key-{n * n}.bell.rung.v2", f"id-{n}") for n in range(40)],
    *[(f"due.tenant-{n}.key-{n}.bell.rung.v2", f"due-{n}") for n in range(5)],
    ("due.tenant-1.key-1.bell.rung.v2", "id-1"),
    ("ev.tenant-1.key-1.bell.rung.v2", "due-1"),
    ("dead.tenant-1.key-1.event.deadlettered.v1", "id-1"),
]
PATIENCE = 10.0


@pytest.fixture
async def connection() -> AsyncIterator[Connection]:
    """To a server of its own."""
    with NatsServer() as server:
        connection = Connection(server.url)
        await connection.start(PATIENCE)
        yield connection
        await connection.stop()


async def test_events_are_parted_drawn_in_and_compared_alike(connection: Connection) -> None:
    """Each in the partition of its tenant and key; what was due under an id is the same event published under it."""
    jetstream, twin = JetStream(connection), TwinServer()
    for config in DECLARED:
        await jetstream.create_stream(config)
        twin.create(config)
    for subject, name in PUBLISHED:
        headers = {"Nats-Msg-Id": name}
        assert await connection.ask(subject, b"body", headers=headers, seconds=PATIENCE)
        twin.publish(subject, b"body", headers)
        await drawn_in(jetstream, twin.streams[EVENTS.name])
    for name in (EVENTS.name, DEADLETTERS.name, SCHEDULES):
        held = {place: await subject_at(jetstream, name, place) for place in range(1, len(PUBLISHED) + 1)}
        modelled = {place: each.subject for place, each in twin.streams[name].store.messages.items()}
        assert {place: subject for place, subject in held.items() if subject} == modelled


async def drawn_in(jetstream: JetStream, stream: TwinStream) -> None:
    """Return once the server has drawn in as much as the twin: it does that beside the answer to the publisher."""
    async with asyncio.timeout(PATIENCE):
        while True:
            found = await jetstream.stream(EVENTS.name)
            assert found is not None
            if found["state"]["last_seq"] == stream.store.last:
                return
            await asyncio.sleep(0.01)


async def subject_at(jetstream: JetStream, stream: str, place: int) -> str:
    """The subject of the message at that sequence; empty where there is none."""
    found = await jetstream._found(f"STREAM.MSG.GET.{stream}", {"seq": place})
    return "" if found is None else str(found["message"]["subject"])


@pytest.mark.parametrize(
    ("wider", "subject", "does"),
    [
        ("a.>", "a.b.c", True),
        ("a.>", "a", False),
        (">", "a", True),
        ("a.*", "a.b", True),
        ("a.*", "a.b.c", False),
        ("a.*", "a.>", False),
        ("a.>", "a.*", True),
        ("a.b", "a.*", False),
        ("a.b", "a", False),
    ],
)
def test_a_filter_covers_what_nats_says(wider: str, subject: str, *, does: bool) -> None:
    """One token for a star, one or more for the last angle; a filter is covered where all that it covers is."""
    assert covers(wider, subject) is does
