"""The rules of a booking where something happens between two of its looks at the books."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import time, timedelta
from typing import TYPE_CHECKING

import pytest

from hayai.errors import OutsideHours, SlotTaken, Unavailable
from hayai.ports.calendar import Appointment, Customer
from hayai.schedule import Opening, Resource
from hayai.testing.clock import MovableClock
from hayai.testing.memory_calendar import MemoryBooks, MemoryCalendar
from hayai.testing.practice import at, held, practice

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from datetime import datetime

    from hayai.availability.slots import Busy
    from hayai.booking.books import Books, Placement
    from hayai.schedule import Schedule, Window


class Interrupted(MemoryBooks):
    """Books in which somebody else acts just before what is busy is read, once for each of `acts`."""

    def __init__(self) -> None:
        super().__init__()
        self.acts: list[Callable[[], Awaitable[object]]] = []

    async def busy(
        self,
        resources: Sequence[str],
        window: Window,
        now: datetime,
        *,
        but: str | None = None,
        room: timedelta = timedelta.resolution,
    ) -> list[Busy]:
        """See Books."""
        if self.acts:
            await self.acts.pop()()
        return await super().busy(resources, window, now, but=but, room=room)


class Contended(MemoryBooks):
    """Books in which somebody else is always faster, though nothing is ever seen to be busy."""

    async def place(self, placement: Placement) -> bool:
        """See Books."""
        del placement
        return False


class OneCalendar(MemoryCalendar):
    """A twin on books of the test's own."""

    def __init__(self, books: MemoryBooks, schedule: Schedule) -> None:
        super().__init__(clock=MovableClock())
        self.books = books
        books.installed = schedule

    def _books(self, tenant: str) -> AbstractAsyncContextManager[Books]:
        del tenant
        return nullcontext(self.books)


async def test_a_request_that_went_through_elsewhere_meanwhile_is_no_refusal() -> None:
    """The slot is taken, but by the very same request: its appointment comes, not a no."""
    books, schedule = Interrupted(), practice()
    calendar = OneCalendar(books, schedule)

    async def ask() -> Appointment:
        return await calendar.hold(schedule.tenant, "whitening", at(9), customer=Customer(person="p"), key="k")

    first: list[Appointment] = []

    async def elsewhere() -> None:
        first.append(await ask())

    books.acts = [elsewhere]
    assert await ask() == first[0]


async def test_another_who_was_faster_meanwhile_is_one() -> None:
    """The same moment, another key."""
    books, schedule = Interrupted(), practice()
    calendar = OneCalendar(books, schedule)
    books.acts = [lambda: held(calendar, schedule, at(9))]
    with pytest.raises(SlotTaken):
        await held(calendar, schedule, at(9))


async def test_who_is_never_fast_enough_may_try_again_later() -> None:
    """A transient error in the end, not a loop without one, and not a no that would be wrong."""
    schedule = practice()
    calendar = OneCalendar(Contended(), schedule)
    with pytest.raises(Unavailable, match="try again in a few seconds"):
        await held(calendar, schedule, at(9))


async def test_where_those_asked_for_offer_too_little_others_are_offered_too() -> None:
    """Dana works on this one morning only, and somebody else the whole week: a no for Dana is no dead end."""
    morning = {0: (Opening(opens=time(9), closes=time(10)),)}
    dana = Resource(id="dana", name="Dana", kind="hygienist", hours=morning)
    resources = (*practice().resources, dana)
    schedule = practice().model_copy(update={"resources": resources, "horizon": timedelta(days=5)})
    calendar = OneCalendar(MemoryBooks(), schedule)
    await held(calendar, schedule, at(9), resources=("dana",))
    with pytest.raises(SlotTaken) as taken:
        await held(calendar, schedule, at(9), resources=("dana",))
    assert taken.value.alternatives == (at(9), at(9, 15), at(9, 30))
    with pytest.raises(OutsideHours, match=r"Nobody who is needed for Whitening \(1 hour\) is in") as away:
        await held(calendar, schedule, at(13), resources=("dana",))
    assert len(away.value.alternatives) >= 2
