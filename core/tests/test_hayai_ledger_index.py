"""EventIndex on a real Postgres: events are found by id, cause, conversation, key and time, each tenant's own alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import asyncpg
import pytest

from hayai.envelope import Envelope
from hayai.ledger.index import Entry, EventIndex, Room, entry
from hayai.ledger.stored import stored_bytes
from hayai.testing.ledger import ledger_database, opened

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from hayai.testing.ledger import Opened
    from hayai.testing.postgres_server import PostgresServer, ServedDatabase

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
LATER = NOON + timedelta(days=1)


@pytest.fixture(scope="module")
def database(postgres_server: PostgresServer) -> ServedDatabase:
    """The ledger's tables."""
    return ledger_database(postgres_server)


@pytest.fixture
def empty(database: ServedDatabase) -> Iterator[ServedDatabase]:
    """Nothing in them."""
    yield database
    database.server.sql("truncate hayai.event_index, hayai.stored", database.name)


@pytest.fixture
async def it(empty: ServedDatabase) -> AsyncIterator[Opened]:
    """A ledger."""
    async with opened(empty) as it:
        yield it


@pytest.fixture
def index(it: Opened) -> EventIndex:
    """Its index."""
    return EventIndex(it.pool, it.application)


def event(place: int, *, cause: int | None = None, conversation: str | None = "talk", tenant: str = "acme") -> Entry:
    """The event `e<place>` that happened so many minutes after noon."""
    because = None if cause is None else f"e{cause}"
    when = NOON + timedelta(minutes=place)
    return Entry(tenant, f"e{place}", "thing.done.v1", "key", conversation, because, "EVENTS", place, when)


async def add(index: EventIndex, entries: list[Entry], *, born: str = "then", size: int = 100) -> None:
    """Index them, of a stream that was made at `born`."""
    await index.add([(each, Room(born, each.time.date(), size)) for each in entries])


def ids(entries: list[Entry]) -> list[str]:
    """Their ids."""
    return [each.id for each in entries]


async def test_an_event_is_found_by_its_id_as_its_envelope_has_it(index: EventIndex) -> None:
    """With its place in the stream."""
    envelope = Envelope(
        id="e1", source="/x", type="thing.done.v2", time=NOON, subject="key", tenant="acme", cause="e0",
        conversation="talk",
    )  # fmt: skip
    await add(index, [entry(envelope, stream="EVENTS", sequence=7)])
    wanted = Entry("acme", "e1", "thing.done.v2", "key", "talk", "e0", "EVENTS", 7, NOON)
    assert await index.find("acme", "e1") == wanted
    assert await index.find("acme", "e2") is None
    assert await index.find("other", "e1") is None


async def test_an_event_that_is_added_again_stands_where_it_was_stored_last(index: EventIndex) -> None:
    """Within a batch as well; nothing added is nothing done."""
    await add(index, [])
    await add(index, [event(1), event(2), replace(event(1), sequence=8)])
    await add(index, [replace(event(2), sequence=9)])
    found = [await index.find("acme", each) for each in ("e1", "e2")]
    assert [each.sequence for each in found if each] == [8, 9]


async def test_a_story_is_told_from_any_of_its_events(index: EventIndex) -> None:
    """What it followed from and what else followed, and no other story."""
    await add(index, [event(1), event(2, cause=1), event(3, cause=1), event(4, cause=3), event(5), event(6, cause=5)])
    for part in ("e1", "e2", "e4"):
        assert ids(await index.story("acme", part)) == ["e1", "e2", "e3", "e4"]
    assert ids(await index.following("acme", "e1")) == ["e2", "e3"]
    assert await index.story("acme", "e9") == []


async def test_a_story_whose_beginning_is_forgotten_begins_where_it_is_known(index: EventIndex) -> None:
    """And one that goes in a circle ends."""
    await add(index, [event(2, cause=1), event(3, cause=2)])
    assert ids(await index.story("acme", "e3")) == ["e2", "e3"]
    await add(index, [event(7, cause=8), event(8, cause=7)])
    assert ids(await index.story("acme", "e7")) == ["e7", "e8"]


async def test_a_conversation_is_its_newest_events(index: EventIndex) -> None:
    """In their order."""
    await add(
        index, [event(place) for place in range(5)] + [event(9, conversation="other"), event(10, conversation=None)]
    )
    assert ids(await index.conversation("acme", "talk", most=3)) == ["e2", "e3", "e4"]


async def test_a_span_of_time_is_read_page_by_page(index: EventIndex) -> None:
    """Also where many happened in the same instant."""
    await add(index, [replace(event(place), time=NOON) for place in range(7)] + [replace(event(8), time=LATER)])
    found, since, after = list[str](), NOON, ""
    while page := await index.between("acme", since, LATER, after=after, most=3):
        found += ids(page)
        since, after = page[-1].time, page[-1].id
    assert found == [f"e{place}" for place in range(7)]


async def test_a_span_of_time_may_be_of_one_event_type_or_key(index: EventIndex) -> None:
    """Any version of it, and no other event whose name begins alike."""
    await add(index, [
        event(1), replace(event(2), type="thing.done.v12"), replace(event(3), type="thing.done.viewed.v1"),
        replace(event(4), key="other"),
    ])  # fmt: skip
    assert ids(await index.between("acme", NOON, LATER, name="thing.done")) == ["e1", "e2", "e4"]
    assert ids(await index.between("acme", NOON, LATER, name="thing.done", key="key")) == ["e1", "e2"]
    assert await index.between("acme", NOON, LATER, name="thing.%") == []


async def test_the_room_that_events_take_is_counted_once(index: EventIndex, it: Opened) -> None:
    """By tenant and day; what is indexed again takes no more of it, but what was stored again does."""
    today, day = [event(place) for place in range(4)], NOON.date()
    old = replace(event(7), time=NOON - timedelta(days=1))
    other = replace(event(1, tenant="other"), time=NOON - timedelta(days=1))
    await add(index, [*today, old, other])
    await add(index, today[:2])
    stored = partial(stored_bytes, it.pool, born="then")
    assert await stored("EVENTS", since=day - timedelta(days=1), tenants=["acme"]) == {"acme": 500}
    assert await stored("EVENTS", since=day, tenants=["acme", "none"]) == {"acme": 400}
    await add(index, [replace(today[0], sequence=99)], size=11)
    assert await stored("EVENTS", since=day) == {"acme": 411}
    assert await stored("DEADLETTERS", since=day) == {}


async def test_the_room_in_a_stream_that_was_made_anew_is_counted_anew(index: EventIndex, it: Opened) -> None:
    """What was in the one before is gone with it."""
    await add(index, [event(1)])
    await add(index, [event(2)], born="later", size=7)
    assert await stored_bytes(it.pool, "EVENTS", born="later", since=NOON.date()) == {"acme": 7}


async def test_each_tenant_reads_its_own(index: EventIndex, it: Opened) -> None:
    """And the application writes nothing."""
    await add(index, [event(1), event(1, tenant="other")])
    assert {each.tenant for each in await index.between("other", NOON, LATER)} == {"other"}
    async with it.application.transaction("acme") as connection:
        assert await connection.fetchval("select count(*) from hayai.event_index") == 1
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with it.application.transaction("acme") as connection:
            await connection.execute("delete from hayai.event_index")
