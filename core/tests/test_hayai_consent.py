"""The gate before every act that reaches a person: what it lets through, and that it is shut when in doubt."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hayai.clock import system_clock
from hayai.consent import Recipient
from hayai.effects import EffectKind
from hayai.envelope import PlainCodec, wrap
from hayai.errors import ConsentMissing, HandlerMisdeclared, SettingsError
from hayai.handlers import Context
from hayai.testing.bus_words import BellRung
from hayai.testing.consents import PERSON, TENANT, say
from hayai.testing.memory_consents import MemoryConsents
from hayai.testing.memory_effects import MemoryEffects
from hayai.tier import Tier

if TYPE_CHECKING:
    from hayai.vocabulary.consent import Purpose

TEXT = EffectKind("sms", "ask", reaches_a_person=True)
MAIL_LIST = EffectKind("list", "ask")
ANSWER = Recipient(PERSON, "sms", "answer")


@pytest.fixture
def consents() -> MemoryConsents:
    """Nobody has said anything yet."""
    return MemoryConsents()


@pytest.fixture
def sent() -> list[str]:
    """What was done outside."""
    return []


async def reach(consents: MemoryConsents | None, sent: list[str], *, to: Recipient | None) -> None:
    """Do an act that reaches a person."""
    envelope = wrap(BellRung(), tenant=TENANT, source="/test", codec=PlainCodec(), key="k")
    tier = Tier({} if consents is None else {"consents": consents})

    async def stream(_piece: str) -> None: ...

    async def act() -> None:
        sent.append("sent")

    effects = MemoryEffects({}, (TENANT, envelope.id, "bell_ring"))
    context = Context(envelope, "bell_ring", 1, tier, system_clock, stream, effects, (TEXT, MAIL_LIST))
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
