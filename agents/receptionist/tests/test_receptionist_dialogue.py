"""Whole dialogues, from a table: what is said, what is answered, and what the calendar holds after every turn."""

from __future__ import annotations

import re
import tomllib
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hayai.testing.clock import MovableClock

if TYPE_CHECKING:
    from hayai_receptionist.clerk import Answered, Clerk, OpenClerk

TRANSCRIPTS = tomllib.loads(Path(__file__).with_name("transcripts.toml").read_text(encoding="utf-8"))["transcript"]

ASKS_FOR_A_STOP = re.compile(
    r"\b(reply|text|type|say|write|send|answer)\b[^.?!]{0,20}\b(cancel|stop|end|quit|revoke)\b", re.IGNORECASE
)
"""Carriers take such a word for STOP, and nothing reaches the customer from then on."""


async def booked(clerk: Clerk, order: str, number: int) -> None:
    """Somebody books: `name|contact|service|time`, as the customer of the dialogue where a `*` stands before."""
    name, contact, service, when = order.removeprefix("*").split("|")
    person, talk = ("ada", f"earlier-{number}") if order.startswith("*") else ("somebody", f"other-{number}")
    await clerk.hear(f"I'm {name}, {contact}. {service} {when}", person=person, conversation=talk)
    answered = await clerk.hear("yes", person=person, conversation=talk)
    assert "You are booked" in answered.text


async def kept(clerk: Clerk) -> str:
    """What keeps a slot, in the words of the table."""
    zone = clerk.business.schedule.zone
    found = await clerk.kept()
    told = [f"{each.status[0]} {each.service} {each.starts_at.astimezone(zone):%d %H:%M}" for each in found]
    return ", ".join(told) or "-"


def holds(answered: Answered, part: str) -> bool:
    """Whether the answer has a part: text, `!text` that must not be there, or `*Event`."""
    if part.startswith("*"):
        return part[1:] in {type(each).__name__ for each in answered.events}
    return part[1:] not in answered.text if part.startswith("!") else part in answered.text


@pytest.mark.parametrize("transcript", TRANSCRIPTS, ids=[each["name"] for each in TRANSCRIPTS])
async def test_a_dialogue_goes_as_written(transcript: dict[str, Any], open_clerk: OpenClerk) -> None:
    """Every answer holds its parts, and the calendar is as the table says."""
    clerk = await open_clerk(transcript.get("practice", "dentist"), transcript.get("now", "2026-11-23 10:00"))
    for number, order in enumerate(transcript.get("before", [])):
        await booked(clerk, order, number)
    for number, (says, answer, stored) in enumerate(transcript["turns"]):
        if says.startswith("+"):
            assert isinstance(clerk.clock, MovableClock)
            clerk.clock.advance(timedelta(minutes=int(says)))
        elif says.startswith("@"):
            await booked(clerk, says[1:], number)
        else:
            answered = await clerk.hear(says)
            assert not ASKS_FOR_A_STOP.search(answered.text), answered.text
            for part in filter(None, answer.split(" | ")):
                assert holds(answered, part), f"{part!r} is not so:\n" + "\n".join(clerk.log)
        if stored:
            assert await kept(clerk) == stored, "\n".join(clerk.log)
