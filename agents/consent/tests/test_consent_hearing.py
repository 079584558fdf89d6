"""What a text is taken for, given what its sender has said before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hayai.testing.consents import PERSON, TENANT, say
from hayai.testing.memory_consents import MemoryConsents
from hayai.tier import Tier
from hayai.vocabulary.consent import PURPOSES, ConsentGiven, ConsentWithdrawn, HelpAsked
from hayai.vocabulary.messages import MessageReceived
from hayai_consent.hearing import Hearing

if TYPE_CHECKING:
    from hayai.event import Event


@pytest.fixture
def consents() -> MemoryConsents:
    """Nobody has said anything yet."""
    return MemoryConsents()


async def heard(consents: MemoryConsents, text: str, *, message: str = "m9") -> Event | None:
    """What the text becomes."""
    received = MessageReceived(channel="sms", person=PERSON, text=text)
    return await Hearing().intercept(received, id=message, tenant=TENANT, tier=Tier({"consents": consents}))


async def test_the_words_become_events(consents: MemoryConsents) -> None:
    """Which name the known word and the person, and hold nothing that the customer wrote."""
    assert await heard(consents, " Stop!! ") == ConsentWithdrawn(
        channel="sms", person=PERSON, purposes=PURPOSES, word="stop"
    )
    assert await heard(consents, "Start") == ConsentGiven(
        channel="sms", person=PERSON, purposes=("answer", "service"), word="start"
    )
    assert await heard(consents, "help") == HelpAsked(channel="sms", person=PERSON)
    assert await heard(consents, "What are your hours?") is None


async def test_a_yes_is_an_answer_unless_they_have_stopped(consents: MemoryConsents) -> None:
    """And it is understood as it was the first time when it comes again: by then it has changed how things stand."""
    assert await heard(consents, "Yes", message="m1") is None
    await say(consents, "m2", allowed=False)
    first = await heard(consents, "Yes", message="m3")
    assert isinstance(first, ConsentGiven)
    await say(consents, "m3", allowed=True, purposes=first.purposes)
    assert await heard(consents, "Yes", message="m3") == first
    assert await heard(consents, "Yes", message="m4") is None
