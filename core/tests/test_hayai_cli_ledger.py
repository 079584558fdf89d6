"""`hayai ledger`: refused events and doubts are listed and decided, and what is not there is said so."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from hayai.effects import EffectKind
from hayai.ledger.ledger import Ledger
from hayai.ledger.refusals import Refusals
from hayai.pools import Pool
from hayai.testing.bus_install import Servers, installed
from hayai.testing.bus_words import BellRung, Ears, enveloped

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hayai.testing.postgres_server import PostgresServer

SMS = EffectKind("sms", unknown="ask")


@pytest.fixture
def servers(postgres_server: PostgresServer, tmp_path: Path) -> Iterator[Servers]:
    """A NATS server of the test's own, a migrated database and a tier file."""
    with installed(postgres_server, tmp_path) as servers:
        yield servers


def _refuse(servers: Servers, *ids: str) -> None:
    body = enveloped(id="e1").model_dump_json(exclude_none=True).encode().hex()
    for each in ids:
        servers.sql(
            "insert into hayai.refused (id, tenant, type, subject, body, error) values "
            f"('{each}', 'acme', 'bell.rung.v2', 'ev.acme.k.bell.rung.v2', '\\x{body}', 'MessageTooLarge')"
        )


async def test_a_refused_event_is_published_after_all_or_dropped(servers: Servers) -> None:
    """Listed with what the bus said; the one that is retried reaches its handler, the other is gone."""
    _refuse(servers, "e1", "e2")
    first, second = await servers.asked("ledger", "refused", "list")
    assert (first["tenant"], first["id"], first["type"], first["error"]) == (
        *("acme", "e1", "bell.rung.v2"),
        "MessageTooLarge",
    )
    assert (second["id"], first["bytes"] > 100) == ("e2", True)
    listed = (await servers.hayai("ledger", "refused", "list", "--tenant", "acme")).out.splitlines()
    assert [line.split()[:4] for line in listed] == [
        ["acme", each, "bell.rung.v2", "MessageTooLarge"] for each in ("e1", "e2")
    ]
    ears = Ears()
    async with servers.bus() as bus:
        await ears.listen(bus)
        assert (await servers.hayai("ledger", "refused", "retry", "acme", "e1")).out == "It is in the outbox again.\n"
        await ears.until(1)
    assert ears.events == [BellRung()]
    assert (await servers.hayai("ledger", "refused", "drop", "acme", "e2")).out == "It is dropped.\n"
    assert (await servers.hayai("ledger", "refused", "list")).out == "The bus has refused nothing.\n"


async def test_an_event_that_was_not_refused_is_said_so(servers: Servers) -> None:
    """Another tenant's as well; nothing is changed."""
    _refuse(servers, "e1")
    for verb, tenant, event in (("retry", "other", "e1"), ("drop", "acme", "e9")):
        told = await servers.hayai("ledger", "refused", verb, tenant, event)
        assert (told.out, told.status) == ("", 1)
        assert told.err == (
            f"hayai: {tenant} has no refused event {event}: `hayai ledger refused list` shows which there are.\n"
        )
    assert servers.sql("select count(*) from hayai.refused").strip() == "1"


async def test_a_doubt_is_settled_by_its_reference(servers: Servers) -> None:
    """Done with what the provider says, or to be done again; a second time there is nothing to settle."""
    pool, application = Pool(servers.database, role="ledger"), Pool(servers.database)
    await pool.start()
    acts = Ledger(pool, application).effects("acme", "event", "ears_hear")
    for meaning in ("first", "second"):
        with pytest.raises(TimeoutError):
            await acts.once(SMS, meaning, _lost)
    first, second = await servers.asked("ledger", "doubts", "list")
    assert (first["kind"], first["meaning"], first["handler"]) == ("sms", "first", "ears_hear")
    (line, _) = (await servers.hayai("ledger", "doubts", "list")).out.splitlines()
    assert line.startswith(f"{first['ref']}  acme  sms (first) by ears_hear for event event  20")
    told = await servers.hayai("ledger", "doubts", "done", first["ref"], "--result", '"SM1"')
    assert told.out == "It is recorded as done.\n"
    told = await servers.hayai("ledger", "doubts", "again", second["ref"])
    assert told.out == "It is done when its event is handled again.\n"
    assert await acts.once(SMS, "first", _sent) == "SM1"
    assert await acts.once(SMS, "second", _sent) == "SM2"
    assert (await servers.hayai("ledger", "doubts", "list")).out == "Nothing is in doubt.\n"
    told = await servers.hayai("ledger", "doubts", "again", first["ref"])
    assert (told.status, told.err.startswith(f"hayai: Nothing called {first['ref']} is in doubt")) == (1, True)
    await pool.stop()


async def _lost() -> str:
    raise TimeoutError


async def _sent() -> str:
    return "SM2"


async def test_a_result_that_is_no_json_is_refused(servers: Servers) -> None:
    """Before anything is asked."""
    told = await servers.hayai("ledger", "doubts", "done", "abc", "--result", "SM1")
    assert (told.out, told.status) == ("", 1)
    assert told.err.startswith("hayai: --result is no JSON")


async def test_a_database_without_a_ledger_says_what_to_run(servers: Servers) -> None:
    """One sentence."""
    servers.sql("drop table hayai.refused")
    told = await servers.hayai("ledger", "refused", "list")
    assert told.err == "hayai: The database has no ledger that can be read: run `hayai migrate`.\n"


async def test_what_is_retried_comes_behind_what_waits(servers: Servers) -> None:
    """And can be retried by one person alone."""
    pool = Pool(servers.database, role="ledger")
    await pool.start()
    _refuse(servers, "e1")
    told = await asyncio.gather(*(Refusals(pool).retry("acme", "e1") for _ in range(5)))
    assert sorted(told) == [False, False, False, False, True]
    assert servers.sql("select count(*) from hayai.outbox").strip() == "1"
    await pool.stop()
