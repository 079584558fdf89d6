"""The contracts of events: versions that fit, versions that do not, and what was installed before."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import Field

from hayai.contracts import migrations, store
from hayai.contracts.registry import Part, Registry, document
from hayai.contracts.schemas import breaks, schema
from hayai.contracts.store import Installed, conflicts
from hayai.contracts.versions import reads
from hayai.effects import EffectKind
from hayai.errors import ContractBroken, VersionUnknown
from hayai.event import Event, Personal
from hayai.handlers import Handlers, Keyed
from hayai.migrations import migrate
from hayai.pools import Pool

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from hayai.handlers import Context
    from hayai.testing.postgres_server import PostgresServer, ServedDatabase

NOW = datetime(2026, 11, 23, tzinfo=UTC)
SMS = EffectKind("sms", "reconcile")


class BookedFirst(Event, type="slot.booked", version=1):
    """As it was."""

    person: str


class BookedSecond(Event, type="slot.booked", version=2):
    """As it is, and nobody thought of the old ones."""

    person: str
    place: str


class BookedThird(Event, type="slot.booked", version=3):
    """As it will be; reads the second, not the first."""

    person: Personal[str]
    place: str
    note: str = ""

    @classmethod
    def upcast(cls, data: dict[str, Any], version: int) -> dict[str, Any]:
        """From the second alone."""
        if version == 2:
            return {**data, "note": data["place"]}
        return super().upcast(data, version)


class Reminded(Event, type="slot.reminded", version=1):
    """What follows."""


def _producer(*events: type[Event], name: str = "acme-booking 2.0") -> Part:
    return Part(name, publishes=events)


def _consumer(event: type[Event], name: str = "acme-mail 1.0") -> Part:
    group = Handlers("mail")

    async def write(booked: Any, context: Context) -> None:
        """Nothing follows."""

    group.add(event, write)
    return Part(name, tuple(group))


def test_a_version_that_nobody_reads_is_named_with_both_plugins_and_the_cure() -> None:
    """A plugin produces v2 while another consumes only v1."""
    (sentence,) = Registry([_producer(BookedSecond), _consumer(BookedFirst)]).disagreements()
    assert sentence == (
        "acme-booking 2.0 publishes slot.booked.v2, and acme-mail 1.0 (mail_write) reads v1 only: upgrade acme-mail "
        "1.0 to a release that reads v2, or go back to a release of acme-booking 2.0 that publishes v1."
    )


def test_an_old_version_without_an_upcaster_is_named_too() -> None:
    """The publisher lags behind, and the reader has no way from there."""
    (sentence,) = Registry([_producer(BookedFirst), _consumer(BookedSecond)]).disagreements()
    assert "give BookedSecond an upcast() from v1, or upgrade acme-booking 2.0" in sentence


def test_an_upcaster_bridges_the_versions_that_it_leads_from() -> None:
    """The third reads the second and itself, so a publisher of the second fits; one of the first does not."""
    assert reads(BookedThird) == (2, 3)
    assert not Registry([_producer(BookedSecond, BookedThird), _consumer(BookedThird)]).disagreements()
    assert len(Registry([_producer(BookedFirst), _consumer(BookedThird)]).disagreements()) == 1


def test_two_shapes_of_one_version_are_named_with_the_field() -> None:
    """Each plugin brought a class of its own."""

    class Other(Event, type="slot.booked", version=1):
        person: int

    (sentence,) = Registry([_producer(BookedFirst), _consumer(Other)]).disagreements()
    assert "different ideas of slot.booked.v1 (person)" in sentence


def test_two_classes_that_say_the_same_in_other_words_fit() -> None:
    """Titles and descriptions are for people."""

    class Described(Event, type="slot.booked", version=1):
        """Said at length."""

        person: str = Field(title="Who", description="The one who comes.")

    assert not Registry([_producer(BookedFirst), _consumer(Described)]).disagreements()


def test_what_a_handler_returns_is_read_from_its_annotation() -> None:
    """Single, listed, united, optional, and inside of a Keyed."""
    group = Handlers("all")

    @group.on(BookedFirst)
    async def one(booked: BookedFirst, context: Context) -> Reminded | None:
        """One or none."""

    @group.on(BookedFirst)
    async def several(booked: BookedFirst, context: Context) -> list[Reminded | BookedThird]:
        """Any of two."""
        return []

    @group.on(BookedFirst)
    async def keyed(booked: BookedFirst, context: Context) -> list[Keyed[Reminded]]:
        """With meanings."""
        return []

    @group.on(BookedFirst)
    async def nothing(booked: BookedFirst, context: Context) -> None:
        """None."""

    @group.on(BookedFirst, produces=[Reminded], effects=[SMS])
    async def told(booked: BookedFirst, context: Context) -> list[Event]:
        """Told outright."""
        return []

    found = {each.name: each.produces for each in group}
    assert found == {
        "all_one": (Reminded,),
        "all_several": (Reminded, BookedThird),
        "all_keyed": (Reminded,),
        "all_nothing": (),
        "all_told": (Reminded,),
    }
    assert [each.effects for each in group][-1] == (SMS,)


def test_a_handler_that_does_not_say_what_it_returns_is_listed() -> None:
    """The check cannot see it, so it is not hidden."""
    group = Handlers("quiet")

    @group.on(BookedFirst)
    async def say(booked: BookedFirst, context: Context) -> list[Event] | Keyed:
        """Anything."""
        return []

    assert Registry([Part("acme 1", tuple(group))]).silent == ("quiet_say",)


def test_the_document_holds_schema_producers_and_consumers_of_each_version() -> None:
    """The personal field is marked."""
    found = document(Registry([_producer(BookedSecond, BookedThird), _consumer(BookedThird)]))
    assert list(found) == ["slot.booked.v2", "slot.booked.v3"]
    assert found["slot.booked.v2"]["consumers"] == ["acme-mail 1.0 (mail_write)"]
    assert found["slot.booked.v3"]["schema"]["properties"]["person"]["x-personal"] is True  # type: ignore[index]


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"person": (str, ...), "note": (str, "")}, []),
        ({"person": (str, "somebody")}, []),
        ({"person": (int, ...)}, ["person changed"]),
        ({"person": (str, ...), "place": (str, ...)}, ["place must be given"]),
        ({"name": (str, "")}, ["person is gone"]),
    ],
)
def test_a_version_may_only_grow_by_what_need_not_be_given(fields: dict[str, Any], why: list[str]) -> None:
    """Whatever else changes is a new version."""
    changed = type(
        "Changed",
        (Event,),
        {"__annotations__": {name: each[0] for name, each in fields.items()}, "__module__": __name__}
        | {name: each[1] for name, each in fields.items() if each[1] is not ...},
        type="slot.booked",
        version=1,
    )
    assert breaks(schema(BookedFirst), schema(changed)) == why


def test_a_version_that_changed_since_its_install_is_named() -> None:
    """The events of before are in the stream still."""
    before = {"slot.booked.v2": Installed("slot.booked.v2", schema(BookedFirst), ("acme-booking 1.9",), NOW)}
    (sentence,) = conflicts(Registry([_producer(BookedSecond)]), before)
    assert sentence.startswith("slot.booked.v2 of acme-booking 2.0 is not what it was")
    assert "place must be given" in sentence
    assert "raise the version of BookedSecond to 3" in sentence


def test_a_version_that_is_left_in_the_stream_needs_its_upcaster() -> None:
    """Nobody publishes it any more, and the reader has no way from it."""
    before = {"slot.booked.v1": Installed("slot.booked.v1", schema(BookedFirst), ("acme-booking 1.9",), NOW)}
    (sentence,) = conflicts(Registry([_producer(BookedSecond), _consumer(BookedSecond)]), before)
    assert "slot.booked.v1 of acme-booking 1.9 may still be in the stream" in sentence
    assert "hayai events forget slot.booked.v1" in sentence


async def test_the_base_upcast_says_that_no_way_leads_from_there() -> None:
    """What `reads` builds on."""
    with pytest.raises(VersionUnknown):
        BookedSecond.upcast({}, 1)


@pytest.fixture(scope="module")
def database(postgres_server: PostgresServer) -> ServedDatabase:
    """A database with the contracts' table."""
    database = postgres_server.database(postgres_server.create())
    asyncio.run(migrate(database, {"contracts": files(migrations)}))
    return database


@pytest.fixture
async def pool(database: ServedDatabase) -> AsyncIterator[Pool]:
    """The application's connections; nothing is installed yet."""
    database.server.sql("truncate hayai.event_contract", database.name)
    pool = Pool(database, size=2)
    await pool.start()
    yield pool
    await pool.stop()


async def test_contracts_are_kept_at_install_and_checked_at_start(pool: Pool) -> None:
    """New events ask for an install; the same again are well; broken ones are refused before anything is written."""
    registry = Registry([_producer(BookedFirst), _consumer(BookedFirst)])
    with pytest.raises(ContractBroken, match="came with a plugin after the last install"):
        await store.check(pool, registry)
    assert await store.install(pool, registry) == ["slot.booked.v1"]
    assert await store.install(pool, registry) == []
    await store.check(pool, registry)
    assert (await store.installed(pool))["slot.booked.v1"].parts == ("acme-booking 2.0", "acme-mail 1.0")
    with pytest.raises(ContractBroken, match="in 2 ways"):
        await store.install(pool, Registry([_producer(BookedSecond), _consumer(BookedFirst), _consumer(BookedSecond)]))
    assert list(await store.installed(pool)) == ["slot.booked.v1"]


async def test_a_forgotten_version_binds_nobody(pool: Pool) -> None:
    """After its events have left the stream."""
    await store.install(pool, Registry([_producer(BookedFirst)]))
    later = Registry([_producer(BookedSecond), _consumer(BookedSecond)])
    with pytest.raises(ContractBroken, match="may still be in the stream"):
        await store.install(pool, later)
    assert await store.forget(pool, "slot.booked.v1")
    assert not await store.forget(pool, "slot.booked.v1")
    assert await store.install(pool, later) == ["slot.booked.v2"]
