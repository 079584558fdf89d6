"""The gate before every act that reaches a person: what it lets through, and that it is shut when in doubt."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

import pytest

from hayai.consent import Recipient
from hayai.effects import EffectKind
from hayai.envelope import PlainCodec, wrap
from hayai.errors import ConsentMissing, HandlerMisdeclared, PermanentError, QuietHours, SettingsError, Withheld
from hayai.handlers import Context
from hayai.testing.bus_words import BellRung
from hayai.testing.consents import PERSON, TENANT, say
from hayai.testing.house import SMILE_DENTAL
from hayai.testing.memory_consents import MemoryConsents
from hayai.testing.memory_effects import MemoryEffects
from hayai.tier import Tier

if TYPE_CHECKING:
    from hayai.vocabulary.consent import Purpose

TEXT = EffectKind("sms", "ask", reaches_a_person=True)
MAIL_LIST = EffectKind("list", "ask")
ANSWER = Recipient(PERSON, "sms", "answer")
NOON = datetime(2026, 11, 24, 17, tzinfo=UTC)
NIGHT = datetime(2026, 11, 25, 3, tzinfo=UTC)  # 22:00 in New York, and 19:00 in Los Angeles


@pytest.fixture
def consents() -> MemoryConsents:
    """Nobody has said anything yet."""
    return MemoryConsents()


@pytest.fixture
def sent() -> list[str]:
    """What was done outside."""
    return []


async def reach(
    consents: MemoryConsents | None, sent: list[str], *, to: Recipient | None, now: datetime = NOON
) -> None:
    """Do an act that reaches a person, at noon in New York, where the business is."""
    envelope = wrap(BellRung(), tenant=TENANT, source="/test", codec=PlainCodec(), key="k")
    tier = Tier({} if consents is None else {"consents": consents}, [SMILE_DENTAL])

    async def stream(_piece: str) -> None: ...

    async def act() -> None:
        sent.append("sent")

    effects = MemoryEffects({}, (TENANT, envelope.id, "bell_ring"))
    context = Context(envelope, "bell_ring", 1, tier, lambda: now, stream, effects, (TEXT, MAIL_LIST))
    await context.once(TEXT, "m", act, to=to)


@pytest.mark.parametrize("purpose", ["answer", "service"])
async def test_who_has_said_nothing_may_be_answered(
    consents: MemoryConsents, sent: list[str], purpose: Purpose
) -> None:
    """And told of what they booked."""
    await reach(consents, sent, to=Recipient(PERSON, "sms", purpose))
    assert sent == ["sent"]


@pytest.mark.parametrize("purpose", ["answer", "service", "marketing"])
async def test_who_has_stopped_is_not_reached_for_anything(
    consents: MemoryConsents, sent: list[str], purpose: Purpose
) -> None:
    """The error tells what to do, and nothing of the person."""
    await say(consents, "m1", allowed=False)
    with pytest.raises(ConsentMissing, match=f"taken back leave for {purpose} by sms: reach them another way"):
        await reach(consents, sent, to=Recipient(PERSON, "sms", purpose))
    assert sent == []


async def test_each_purpose_needs_its_own_leave(consents: MemoryConsents, sent: list[str]) -> None:
    """A yes to what sells is one, and taking back that alone leaves the rest."""
    offer = Recipient(PERSON, "sms", "marketing")
    with pytest.raises(ConsentMissing, match="never gave leave for marketing"):
        await reach(consents, sent, to=offer)
    await say(consents, "m1", allowed=True, purposes=("marketing",))
    await reach(consents, sent, to=offer)
    await say(consents, "m2", allowed=False, purposes=("marketing",))
    with pytest.raises(ConsentMissing):
        await reach(consents, sent, to=offer)
    await reach(consents, sent, to=ANSWER)
    assert sent == ["sent", "sent"]


async def test_another_channel_is_another_matter(consents: MemoryConsents, sent: list[str]) -> None:
    """Who stops the texts may still be called."""
    await say(consents, "m1", allowed=False)
    await reach(consents, sent, to=Recipient(PERSON, "voice", "answer"))
    assert sent == ["sent"]


async def test_the_word_itself_is_answered_once_it_has_been_heard(consents: MemoryConsents, sent: list[str]) -> None:
    """As the law allows."""
    await say(consents, "m1", allowed=False)
    await reach(consents, sent, to=Recipient(PERSON, "sms", "consent"))
    assert sent == ["sent"]


async def test_an_act_that_does_not_say_whom_it_reaches_is_not_done(consents: MemoryConsents, sent: list[str]) -> None:
    """A handler cannot forget to ask."""
    with pytest.raises(HandlerMisdeclared, match="does not say whom sms reaches"):
        await reach(consents, sent, to=None)
    assert sent == []


async def test_an_install_without_consents_reaches_nobody(sent: list[str]) -> None:
    """Whatever plugins it has."""
    with pytest.raises(SettingsError, match="no adapter for consents"):
        await reach(None, sent, to=ANSWER)
    assert sent == []


@pytest.mark.parametrize("purpose", ["service", "marketing"])
async def test_nobody_is_reached_at_night_who_did_not_just_write(
    consents: MemoryConsents, sent: list[str], purpose: Purpose
) -> None:
    """The error says until when, by the clock of the business where nothing else is known."""
    await say(consents, "m1", allowed=True)
    with pytest.raises(QuietHours, match="from 2026-11-25 13:00 UTC on") as night:
        await reach(consents, sent, to=Recipient(PERSON, "sms", purpose), now=NIGHT)
    assert sent == []
    await reach(consents, sent, to=Recipient(PERSON, "sms", purpose), now=night.value.until)
    assert sent == ["sent"]


@pytest.mark.parametrize("purpose", ["answer", "consent"])
async def test_whoever_writes_at_night_is_answered_at_night(
    consents: MemoryConsents, sent: list[str], purpose: Literal["answer", "consent"]
) -> None:
    """They are awake."""
    await reach(consents, sent, to=Recipient(PERSON, "sms", purpose), now=NIGHT)
    assert sent == ["sent"]


async def test_the_clock_is_that_of_where_the_person_is(consents: MemoryConsents, sent: list[str]) -> None:
    """In all of the places where they may be."""
    west, east = "America/Los_Angeles", "America/New_York"
    await reach(consents, sent, to=Recipient(PERSON, "sms", "service", (west,)), now=NIGHT)
    with pytest.raises(QuietHours) as night:
        await reach(consents, sent, to=Recipient(PERSON, "sms", "service", (west, east)), now=NIGHT)
    assert night.value.until == datetime(2026, 11, 25, 16, tzinfo=UTC)  # 8:00 in the west
    assert sent == ["sent"]


async def test_what_was_begun_by_day_is_brought_to_its_end(consents: MemoryConsents, sent: list[str]) -> None:
    """Half a message is worse than a late one."""
    await reach(consents, sent, to=Recipient(PERSON, "sms", "service", goes_on=True), now=NIGHT)
    assert sent == ["sent"]


async def test_a_stop_goes_before_the_hour(consents: MemoryConsents, sent: list[str]) -> None:
    """What is not wanted is not put off either."""
    await say(consents, "m1", allowed=False)
    with pytest.raises(ConsentMissing):
        await reach(consents, sent, to=Recipient(PERSON, "sms", "service"), now=NIGHT)


async def test_a_place_that_nobody_knows_is_not_reached(consents: MemoryConsents, sent: list[str]) -> None:
    """In doubt it is night."""
    with pytest.raises(PermanentError, match="Moon/Tranquility"):
        await reach(consents, sent, to=Recipient(PERSON, "sms", "service", ("Moon/Tranquility",)))
    assert sent == []


async def test_places_that_share_no_day_are_not_reached(consents: MemoryConsents, sent: list[str]) -> None:
    """And it is said what to do."""
    apart = ("Pacific/Kiritimati", "Asia/Kolkata", "Europe/Berlin")
    with pytest.raises(Withheld, match="widen `contact_hours`"):
        await reach(consents, sent, to=Recipient(PERSON, "sms", "service", apart), now=NIGHT)
    assert sent == []
