"""Holds: the part of CalendarContract about keeping a slot, and what becomes of it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from hayai.errors import (
    BookingRefused,
    HoldExpired,
    SlotTaken,
)
from hayai.ports.calendar import Appointment, Calendar, Customer
from hayai.testing.practice import SOMEBODY, Installed, at, held, starts

if TYPE_CHECKING:
    from datetime import datetime

    from hayai.schedule import Schedule
    from hayai.testing.clock import MovableClock


class HoldContract(Installed):
    """Holds, and what becomes of them."""

    async def test_one_of_many_gets_a_slot(self, calendar: Calendar, schedule: Schedule) -> None:
        """All at once; the losers are told that it is taken."""
        attempts = [held(calendar, schedule, at(10)) for _ in range(20)]
        outcomes = await asyncio.gather(*attempts, return_exceptions=True)
        assert sorted({type(each).__name__ for each in outcomes}) == ["Appointment", "SlotTaken"]
        assert len([each for each in outcomes if isinstance(each, Appointment)]) == 1

    async def test_buffers_of_neighbours_stack(self, calendar: Calendar, schedule: Schedule) -> None:
        """20 minutes after the one and 10 before the next lie between two whitenings."""
        await held(calendar, schedule, at(13))
        offered = await starts(calendar, schedule)
        assert at(14, 15) not in offered
        assert at(14, 30) in offered
        with pytest.raises(SlotTaken):
            await held(calendar, schedule, at(14, 29))
        await held(calendar, schedule, at(14, 30))

    async def test_buffers_may_reach_outside_the_hours(self, calendar: Calendar, schedule: Schedule) -> None:
        """Setting up before the door opens, cleaning up after it has closed."""
        offered = await starts(calendar, schedule)
        assert at(9) in offered
        assert at(16) in offered

    async def test_a_visit_takes_whatever_combination_is_free(self, calendar: Calendar, schedule: Schedule) -> None:
        """Two chairs serve two check-ups; asked for one chair by name, only that one will do."""
        first = await held(calendar, schedule, at(9), "checkup", resources=("chair-1",))
        with pytest.raises(SlotTaken) as refused:
            await held(calendar, schedule, at(9), "checkup", resources=("chair-1",))
        assert refused.value.alternatives[0] == at(9, 30)
        second = await held(calendar, schedule, at(9), "checkup")
        assert (first.resources, second.resources) == (("chair-1",), ("chair-2",))
        with pytest.raises(SlotTaken):
            await held(calendar, schedule, at(9), "cleaning")

    async def test_a_key_gets_the_same_appointment_again(
        self, calendar: Calendar, schedule: Schedule, clock: MovableClock
    ) -> None:
        """At the same time, later, moved, and cancelled; another request under it is refused."""

        async def ask(start: datetime = at(9)) -> Appointment:  # noqa: B008 - an instant does not change
            return await calendar.hold(schedule.tenant, "checkup", start, customer=SOMEBODY, key="turn/7")

        several = await asyncio.gather(*(ask() for _ in range(5)))
        assert len({each.id for each in several}) == 1
        with pytest.raises(BookingRefused, match="key of its own"):
            await ask(at(10))
        clock.advance(timedelta(days=30))
        await calendar.cancel(schedule.tenant, several[0].id)
        assert (await ask()).status in {"cancelled", "expired"}

    async def test_a_refused_key_may_try_again(self, calendar: Calendar, schedule: Schedule) -> None:
        """A no keeps nothing."""
        taken = await held(calendar, schedule, at(9))
        for expected in (SlotTaken, None):
            try:
                again = await calendar.hold(schedule.tenant, "whitening", at(9), customer=SOMEBODY, key="again")
                assert expected is None
                assert again.id != taken.id
            except SlotTaken:
                assert expected is SlotTaken
                await calendar.cancel(schedule.tenant, taken.id)

    async def test_a_hold_that_runs_out_gives_its_slot_back(
        self, calendar: Calendar, schedule: Schedule, clock: MovableClock
    ) -> None:
        """Not a moment before; its holder is told, and gets its own slot among the alternatives."""
        late = await held(calendar, schedule, at(9))
        assert late.expires_at == clock() + schedule.hold
        clock.advance(schedule.hold - timedelta.resolution)
        with pytest.raises(SlotTaken):
            await held(calendar, schedule, at(9))
        clock.advance(timedelta.resolution)
        assert (await calendar.find(schedule.tenant, late.id)).status == "expired"
        with pytest.raises(HoldExpired, match="ran out") as refused:
            await calendar.confirm(schedule.tenant, late.id)
        assert at(9) in refused.value.alternatives
        prompt = await held(calendar, schedule, at(9))
        assert (await calendar.confirm(schedule.tenant, prompt.id)).status == "confirmed"
        with pytest.raises(HoldExpired):
            await calendar.move(schedule.tenant, late.id, at(13), key="late")

    async def test_whose_hold_ran_out_may_have_its_very_start_again(
        self, calendar: Calendar, schedule: Schedule, clock: MovableClock
    ) -> None:
        """Off the grid as well, where nobody else has taken it since."""
        late = await held(calendar, schedule, at(9, 7))
        clock.advance(schedule.hold)
        with pytest.raises(HoldExpired) as refused:
            await calendar.confirm(schedule.tenant, late.id)
        assert refused.value.alternatives == (at(9), at(9, 7), at(9, 15))
        await held(calendar, schedule, at(9, 7))
        with pytest.raises(HoldExpired) as refused:
            await calendar.confirm(schedule.tenant, late.id)
        assert at(9, 7) not in refused.value.alternatives

    async def test_confirming_keeps_the_slot_and_completes_the_customer(
        self, calendar: Calendar, schedule: Schedule, clock: MovableClock
    ) -> None:
        """Twice is no error and changes nothing; what the second customer leaves out stays."""
        hold = await held(calendar, schedule, at(9))
        named = Customer(person="somebody", name="Ada Lovelace")
        confirmed = await calendar.confirm(schedule.tenant, hold.id, customer=named)
        assert (confirmed.status, confirmed.expires_at, confirmed.version) == ("confirmed", None, 2)
        assert confirmed.customer == Customer(person="somebody", name="Ada Lovelace", contact="ada@example.org")
        clock.advance(schedule.hold)
        with pytest.raises(SlotTaken):
            await held(calendar, schedule, at(9))
        clock.advance(timedelta(days=1))
        assert await calendar.confirm(schedule.tenant, hold.id, customer=named) == confirmed
        assert await calendar.find(schedule.tenant, hold.id) == confirmed
