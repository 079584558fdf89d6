"""Effects on a real Postgres: done once, whoever claims them, dies with them, or loses the database in between."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hayai.effects import EffectKind
from hayai.errors import EffectUnknown, Fenced, OutcomeUnclear, PermanentError, RateLimited, Unavailable
from hayai.ledger.doubts import Doubts
from hayai.ledger.ledger import Ledger
from hayai.ledger.outcome import Fence
from hayai.testing.ledger import describe, ledger_database, opened
from hayai.testing.postgres_server import PostgresServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from hayai.testing.ledger import Opened
    from hayai.testing.postgres_server import ServedDatabase

PROCESS = Path(__file__).with_name("ledger_process.py")
ASK, AGAIN, RECONCILE = EffectKind("sms", "ask"), EffectKind("sms", "again"), EffectKind("sms", "reconcile")


@pytest.fixture
def database(postgres_server: PostgresServer) -> Iterator[ServedDatabase]:
    """The ledger's tables, empty."""
    database = ledger_database(postgres_server)
    yield database
    postgres_server.drop(database.name)


@pytest.fixture
async def it(database: ServedDatabase) -> AsyncIterator[Opened]:
    """A ledger with the lease `one` in its first epoch."""
    async with opened(database) as it:
        await it.pool.fetch("insert into hayai.lease (name, epoch) values ('one', 1)")
        yield it


class Provider:
    """Does what it is asked, or raises; counts."""

    def __init__(self, *trouble: BaseException, answer: object = "sid-1") -> None:
        self.done = 0
        self.trouble = list(trouble)
        self.answer = answer

    async def __call__(self) -> Any:
        """One act."""
        if self.trouble:
            raise self.trouble.pop(0)
        self.done += 1
        return self.answer


async def states(it: Opened) -> list[str]:
    """The state of every act."""
    return [row["state"] for row in await it.pool.fetch("select state from hayai.effect")]


def effects(it: Opened, *, epoch: int = 1, ledger: Ledger | None = None) -> Any:
    """The acts of one handler for one event, under that epoch."""
    return (ledger or it.ledger).effects("acme", "e1", "answer", fence=Fence("one", epoch))


async def test_an_act_is_done_once_and_returns_the_same_again(it: Opened) -> None:
    """Its result is what JSON makes of it, the first time too."""
    provider = Provider(answer={"to": ("a", 1), "text": "\x00 \ud800"})
    first = await effects(it).once(ASK, "reply", provider)
    assert first == await effects(it).once(ASK, "reply", provider) == {"to": ["a", 1], "text": "\x00 \ud800"}
    assert provider.done == 1


async def test_acts_are_told_apart_by_event_handler_kind_and_meaning(it: Opened) -> None:
    """Each of these is another act, and another tenant's event is another event."""
    provider = Provider()
    for tenant, event, handler, kind, meaning in [
        ("acme", "e1", "answer", "sms", "reply"), ("other", "e1", "answer", "sms", "reply"),
        ("acme", "e2", "answer", "sms", "reply"), ("acme", "e1", "remind", "sms", "reply"),
        ("acme", "e1", "answer", "call", "reply"), ("acme", "e1", "answer", "sms", "second"),
    ]:  # fmt: skip
        await it.ledger.effects(tenant, event, handler).once(EffectKind(kind, "ask"), meaning, provider)
    assert provider.done == 6


@pytest.mark.parametrize("refusal", [RateLimited("later"), PermanentError("never")])
async def test_an_act_that_was_refused_may_be_tried_again(it: Opened, refusal: Exception) -> None:
    """An error of ours says that nothing was done, so nothing is in doubt."""
    provider = Provider(refusal)
    with pytest.raises(type(refusal)):
        await effects(it).once(ASK, "reply", provider)
    assert await states(it) == []
    assert await effects(it).once(ASK, "reply", provider) == "sid-1"


@pytest.mark.parametrize("doubt", [TimeoutError(), EffectUnknown("who knows"), asyncio.CancelledError()])
async def test_any_other_error_leaves_it_unknown(it: Opened, doubt: BaseException) -> None:
    """A timeout may have been too short for the provider's answer; so may the handler's own."""
    provider = Provider(doubt)
    with pytest.raises(type(doubt)):
        await effects(it).once(ASK, "reply", provider)
    assert await states(it) == ["unknown"]
    with pytest.raises(EffectUnknown, match="nobody can say"):
        await effects(it).once(ASK, "reply", provider)
    assert provider.done == 0


async def test_an_outcome_that_is_unclear_is_asked_about_at_the_next_try(it: Opened) -> None:
    """The provider's answer was lost on the way: what it has is taken, and nothing is done twice."""
    provider = Provider(OutcomeUnclear("the line broke"))
    with pytest.raises(OutcomeUnclear):
        await effects(it).once(RECONCILE, "reply", provider)
    assert await states(it) == ["unknown"]
    assert await effects(it).once(RECONCILE, "reply", provider, Provider(answer="sid-0")) == "sid-0"
    assert provider.done == 0


async def test_a_result_that_is_no_json_is_an_error_and_the_act_done(it: Opened) -> None:
    """The act is not repeated for it."""
    provider = Provider(answer=object())
    with pytest.raises(TypeError, match="no JSON value"):
        await effects(it).once(ASK, "reply", provider)
    assert await effects(it).once(ASK, "reply", provider) is None
    assert provider.done == 1


async def test_an_unknown_act_that_may_be_repeated_is(it: Opened) -> None:
    """Its kind says so."""
    provider = Provider(TimeoutError())
    with pytest.raises(TimeoutError):
        await effects(it).once(AGAIN, "reply", provider)
    assert await effects(it).once(AGAIN, "reply", provider) == "sid-1"
    assert await states(it) == ["done"]


@pytest.mark.parametrize(("found", "done"), [("sid-0", 0), (None, 1)])
async def test_an_unknown_act_is_reconciled_with_the_provider(it: Opened, found: str | None, done: int) -> None:
    """What the provider has is recorded; what it does not have is done."""
    provider = Provider(TimeoutError())
    with pytest.raises(TimeoutError):
        await effects(it).once(RECONCILE, "reply", provider, Provider())
    for _ in range(2):
        assert await effects(it).once(RECONCILE, "reply", provider, Provider(answer=found)) == (found or "sid-1")
    assert provider.done == done


async def test_a_provider_that_cannot_be_asked_is_asked_later(it: Opened) -> None:
    """Nothing is done on no news, and without a way to ask a person must."""
    provider = Provider(TimeoutError())
    with pytest.raises(TimeoutError):
        await effects(it).once(RECONCILE, "reply", provider)
    with pytest.raises(Unavailable):
        await effects(it).once(RECONCILE, "reply", provider, Provider(Unavailable("away")))
    with pytest.raises(EffectUnknown):
        await effects(it).once(RECONCILE, "reply", provider)
    assert provider.done == 0


async def test_a_person_decides_what_nobody_can_say(it: Opened) -> None:
    """Done: its result is returned. Not done: it is done when the event is handled again."""
    provider, doubts = Provider(TimeoutError(), TimeoutError()), Doubts(it.pool)
    for meaning in ("first", "second"):
        with pytest.raises(TimeoutError):
            await effects(it).once(ASK, meaning, provider)
    first, second = await doubts.waiting()
    assert await doubts.was_done(first, "sid-0")
    assert await doubts.was_not_done(second)
    assert not await doubts.was_done(second)
    assert await effects(it).once(ASK, "first", provider) == "sid-0"
    assert await effects(it).once(ASK, "second", provider) == "sid-1"
    assert await doubts.waiting() == []


async def test_claimers_at_once_do_it_once(it: Opened) -> None:
    """Ten of one process and ten of another; those who come too early are told to try again."""
    done: list[int] = []

    async def act() -> str:
        done.append(1)
        await asyncio.sleep(0.05)
        return "sid-1"

    async with opened(it.database) as other:
        tries = [one.ledger.effects("acme", "e1", "answer").once(ASK, "reply", act) for one in (it, other) * 10]
        results = await asyncio.gather(*tries, return_exceptions=True)
    assert len(done) == 1
    assert results.count("sid-1") >= 1
    assert all(each == "sid-1" or isinstance(each, Unavailable) for each in results)


async def test_a_zombie_claims_nothing(it: Opened) -> None:
    """Its epoch is over: it is told so, and the act is the new holder's."""
    await it.pool.fetch("update hayai.lease set epoch = 2")
    provider = Provider()
    with pytest.raises(Fenced):
        await effects(it).once(ASK, "reply", provider)
    assert await effects(it, epoch=2).once(ASK, "reply", provider) == "sid-1"
    assert provider.done == 1


async def test_a_zombies_late_refusal_does_not_undo_the_new_holders_claim(it: Opened) -> None:
    """It was overtaken while its provider took its time; what it says of its own try changes nothing."""
    begun, slow = asyncio.Event(), asyncio.Event()

    async def refused() -> None:
        begun.set()
        await slow.wait()
        raise RateLimited("later")

    provider = Provider()
    zombie = asyncio.create_task(effects(it).once(AGAIN, "reply", refused))
    await begun.wait()
    await it.pool.fetch("update hayai.lease set epoch = 2")
    new = Ledger(it.pool, it.application)
    assert await effects(it, epoch=2, ledger=new).once(AGAIN, "reply", provider) == "sid-1"
    slow.set()
    with pytest.raises(RateLimited):
        await zombie
    assert await states(it) == ["done"]


@pytest.mark.fault
@pytest.mark.parametrize(
    ("kind", "found", "done"), [(ASK, None, None), (AGAIN, None, 1), (RECONCILE, "sid-0", 0), (RECONCILE, None, 1)]
)
async def test_a_process_killed_between_act_and_record(
    it: Opened, kind: EffectKind, found: str | None, done: int | None
) -> None:
    """The new holder goes by the kind's rule; until the epoch changes nobody touches the claim."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, str(PROCESS), "effect", await describe(it.database), stdout=asyncio.subprocess.PIPE
    )
    try:
        assert child.stdout is not None
        assert await child.stdout.readline() == b"sent\n"
    finally:
        child.kill()
        await child.wait()
    provider = Provider()
    assert await states(it) == ["claimed"]
    with pytest.raises(Unavailable):
        await it.ledger.effects("acme", "e1", "answer").once(kind, "reply", provider)
    await it.pool.fetch("update hayai.lease set epoch = 2")
    trying = effects(it, epoch=2).once(kind, "reply", provider, Provider(answer=found))
    if done is None:
        with pytest.raises(EffectUnknown):
            await trying
    else:
        assert await trying == (found or "sid-1")
    assert provider.done == (done or 0)


@pytest.mark.fault
async def test_an_act_is_recorded_when_its_database_returns(postgres_server: PostgresServer) -> None:
    """Postgres is killed while the provider is at it: done once, and not in doubt."""
    with PostgresServer({"fsync": "off"}) as server:
        database = await asyncio.to_thread(ledger_database, server)
        async with opened(database) as it:
            done: list[int] = []
            killed = asyncio.Event()

            async def act() -> str:
                done.append(1)
                await asyncio.to_thread(server.kill)
                killed.set()
                return "sid-1"

            effects = it.ledger.effects("acme", "e1", "answer")
            trying = asyncio.create_task(effects.once(ASK, "reply", act))
            await killed.wait()
            await asyncio.sleep(0.5)
            await asyncio.to_thread(server.start)
            assert await trying == "sid-1"
            assert await effects.once(ASK, "reply", act) == "sid-1"
            assert await states(it) == ["done"]
        assert done == [1]
