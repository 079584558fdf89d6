"""A witnessed clerk on the memory twins: whole dialogues in one process, each answer held against the calendar."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import combinations
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from hayai.business import load_business
from hayai.schedule import Window
from hayai.testing.clock import MovableClock
from hayai.testing.memory_calendar import MemoryCalendar
from hayai.testing.memory_conversations import MemoryConversations
from hayai.vocabulary.appointments import AppointmentBooked, AppointmentCancelled, AppointmentMoved
from hayai_receptionist import say
from hayai_receptionist.clerk import Clerk
from hayai_receptionist.desk import Desk

if TYPE_CHECKING:
    from hayai.business import Business
    from hayai.envelope import Envelope
    from hayai.vocabulary.messages import MessageReceived
    from hayai_receptionist.clerk import Answered, OpenClerk

PRACTICES = {
    name: load_business(f"hayai_receptionist:practices/{name}.toml") for name in ("dentist", "remodeler", "medspa")
}
CLAIMS: dict[str, tuple[type[AppointmentBooked | AppointmentMoved | AppointmentCancelled], str]] = {
    "You are booked": (AppointmentBooked, "confirmed"),
    "It is moved": (AppointmentMoved, "confirmed"),
    "It is cancelled": (AppointmentCancelled, "cancelled"),
}


class WitnessedClerk(Clerk):
    """A clerk whose every answer is compared with the calendar."""

    async def handle(self, received: MessageReceived, envelope: Envelope) -> Answered:
        """Answer, and see that what is said is what is stored."""
        memory = await self.conversations.recall(envelope.tenant, envelope.conversation or "", "receptionist")
        again = memory is not None and memory.handled == envelope.id
        answered = await super().handle(received, envelope)
        turn = (envelope.conversation or "", envelope.id)
        desk = Desk(self.business, self.calendar, received.person, received.channel, self.clock(), turn)
        assert answered.text.strip()
        assert len(answered.text) < 2000
        await self._claims_are_true(answered, desk)
        if not again:
            assert answered.pieces.split() == answered.text.split()
            await self._offers_are_free(answered, desk, envelope.conversation or "")
        await self._nobody_shares(desk)
        return answered

    async def _claims_are_true(self, answered: Answered, desk: Desk) -> None:
        for claim, (event, status) in CLAIMS.items():
            happened = [each for each in answered.events if isinstance(each, event)]
            assert (claim in answered.text) == bool(happened), answered.text
            for each in happened:
                stored = await self.calendar.find(desk.tenant, each.appointment)
                assert (stored.status, stored.starts_at) == (status, each.starts_at)
                assert stored.customer.person == desk.person
                assert say.moment(stored.starts_at, desk) in answered.text

    async def _offers_are_free(self, answered: Answered, desk: Desk, conversation: str) -> None:
        talk = await self.talk(conversation)
        for start in talk.offers if talk.stage in {"offer", "time"} else ():
            window = Window(start=start, end=start + timedelta(minutes=1))
            assert await self.calendar.open_slots(desk.tenant, talk.service, window), "a taken start was offered"
            assert say.button(start, desk) in answered.choices
        if "I am keeping it" in answered.text or (talk.task == "book" and talk.stage in {"name", "contact", "confirm"}):
            held = await self.calendar.find(desk.tenant, talk.held)
            assert (held.status, held.starts_at, held.service) == ("held", talk.start, talk.service)
            if talk.stage == "confirm":
                assert say.moment(held.starts_at, desk) in answered.text
        others = [each for each in await self.kept(desk.person) if each.status == "held" and each.id != talk.held]
        assert not others, "a slot is held that nobody asks about any more"

    async def _nobody_shares(self, desk: Desk) -> None:
        for one, other in combinations(await self.kept(), 2):
            apart = one.ends_at <= other.starts_at or other.ends_at <= one.starts_at
            assert apart or not set(one.resources) & set(other.resources)


@pytest.fixture
def open_clerk() -> OpenClerk:
    """Open a clerk; Monday, 23 November 2026 at 10 in the morning unless told."""

    async def opened(business: Business | str = "dentist", now: str = "2026-11-23 10:00") -> Clerk:
        found = PRACTICES[business] if isinstance(business, str) else business
        clock = MovableClock(datetime.fromisoformat(now).replace(tzinfo=ZoneInfo(found.timezone)))
        calendar = MemoryCalendar(clock=clock)
        await calendar.install(found.schedule)
        return WitnessedClerk(found, calendar, MemoryConversations(), clock)

    return opened
