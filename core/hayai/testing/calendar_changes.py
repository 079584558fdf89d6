"""Changes: the part of CalendarContract about moving, cancelling and looking up."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from hayai.errors import (
    AppointmentGone,
    InThePast,
    OutsideHours,
    SlotTaken,
    TooFar,
)
from hayai.ports.calendar import Calendar, Customer
from hayai.schedule import Schedule, Window
from hayai.testing.practice import SOMEBODY, Installed, at, held, practice, starts

if TYPE_CHECKING:
    from hayai.testing.clock import MovableClock


class ChangeContract(Installed):
    """Moving, cancelling, looking up."""

    async def test_moving_frees_the_old_slot_and_takes_the_new(self, calendar: Calendar, schedule: Schedule) -> None:
        """A confirmed one stays confirmed, under the same id; the same key moves once."""
        booked = await calendar.confirm(schedule.tenant, (await held(calendar, schedule, at(9))).id)
        moved = await calendar.move(schedule.tenant, booked.id, at(13), key="move")
        assert (moved.id, moved.status, moved.starts_at, moved.ends_at) == (booked.id, "confirmed", at(13), at(14))
        assert moved.version > booked.version
        assert await calendar.move(schedule.tenant, booked.id, at(13), key="move") == moved
        assert at(9) in await starts(calendar, schedule)
        with pytest.raises(SlotTaken):
            await held(calendar, schedule, at(13))

    async def test_a_move_may_overlap_its_own_old_slot(self, calendar: Calendar, schedule: Schedule) -> None:
        """A quarter of an hour later, on the resources that it has, as a hold with its whole time again."""
        await held(calendar, schedule, at(9), "checkup")
        hold = await held(calendar, schedule, at(9), "checkup")
        moved = await calendar.move(schedule.tenant, hold.id, at(9, 15), key="later")
        assert (moved.status, moved.resources, moved.starts_at) == ("held", ("chair-2",), at(9, 15))

    async def test_a_move_that_fails_changes_nothing(self, calendar: Calendar, schedule: Schedule) -> None:
        """Taken, closed, past: the old slot is kept, and two alternatives come with the no."""
        booked = await calendar.confirm(schedule.tenant, (await held(calendar, schedule, at(9))).id)
        await held(calendar, schedule, at(13))
        for start, error in ((at(13, 15), SlotTaken), (at(9, day=4), OutsideHours), (at(3), InThePast)):
            with pytest.raises(error) as refused:
                await calendar.move(schedule.tenant, booked.id, start, key="try")
            assert len(refused.value.alternatives) >= 2
        assert await calendar.find(schedule.tenant, booked.id) == booked
        with pytest.raises(SlotTaken):
            await held(calendar, schedule, at(9))

    async def test_a_move_that_fails_may_overlap_its_own_old_slot_instead(
        self, calendar: Calendar, schedule: Schedule
    ) -> None:
        """What only the appointment itself is in the way of is an alternative; where it already is, is none."""
        await calendar.install(schedule.model_copy(update={"horizon": timedelta(hours=7)}))  # until 11:00
        booked = await held(calendar, schedule, at(10))
        with pytest.raises(TooFar) as refused:
            await calendar.move(schedule.tenant, booked.id, at(13), key="far")
        assert refused.value.alternatives == (at(10, 30), at(10, 45), at(11))
        with pytest.raises(OutsideHours) as closed:
            await calendar.move(schedule.tenant, booked.id, at(8), key="early")
        assert closed.value.alternatives == (at(9), at(9, 15), at(9, 30))
        await calendar.move(schedule.tenant, booked.id, at(9, 45), key="a little")
        with pytest.raises(OutsideHours) as full:
            await held(calendar, schedule, at(8))
        assert full.value.alternatives == ()

    async def test_what_is_over_cannot_be_moved(
        self, calendar: Calendar, schedule: Schedule, clock: MovableClock
    ) -> None:
        """Neither a cancelled appointment nor one that has begun."""
        booked = await calendar.confirm(schedule.tenant, (await held(calendar, schedule, at(9))).id)
        gone = await calendar.cancel(schedule.tenant, (await held(calendar, schedule, at(13))).id)
        with pytest.raises(AppointmentGone, match="was cancelled"):
            await calendar.move(schedule.tenant, gone.id, at(15), key="gone")
        with pytest.raises(AppointmentGone, match="was cancelled"):
            await calendar.confirm(schedule.tenant, gone.id)
        clock.set(at(9))
        with pytest.raises(InThePast, match="has begun"):
            await calendar.move(schedule.tenant, booked.id, at(15), key="begun")

    async def test_what_has_begun_cannot_be_cancelled(
        self, calendar: Calendar, schedule: Schedule, clock: MovableClock
    ) -> None:
        """It stays on record; one that was cancelled in time is cancelled still, and a hold is let go at any time."""
        booked = await calendar.confirm(schedule.tenant, (await held(calendar, schedule, at(9))).id)
        gone = await calendar.cancel(schedule.tenant, (await held(calendar, schedule, at(13))).id)
        hold = await held(calendar, schedule, at(9), "checkup")
        clock.set(at(9))
        with pytest.raises(InThePast, match="has begun") as refused:
            await calendar.cancel(schedule.tenant, booked.id)
        assert at(9) not in refused.value.alternatives
        assert await calendar.find(schedule.tenant, booked.id) == booked
        assert await calendar.cancel(schedule.tenant, gone.id) == gone
        assert (await calendar.cancel(schedule.tenant, hold.id)).status in {"cancelled", "expired"}

    async def test_cancelling_frees_the_slot_and_may_be_repeated(self, calendar: Calendar, schedule: Schedule) -> None:
        """Twice gives the same; one that never was is said to be gone."""
        booked = await held(calendar, schedule, at(9))
        cancelled = await calendar.cancel(schedule.tenant, booked.id)
        assert cancelled.status == "cancelled"
        assert await calendar.cancel(schedule.tenant, booked.id) == cancelled
        await held(calendar, schedule, at(9))
        for unknown in ("never", "nul\0", "half \ud800"):
            with pytest.raises(AppointmentGone, match="no such appointment"):
                await calendar.cancel(schedule.tenant, unknown)
            with pytest.raises(AppointmentGone, match="no such appointment"):
                await calendar.move(schedule.tenant, unknown, at(9), key=unknown)

    async def test_tenants_do_not_see_each_other(self, calendar: Calendar, schedule: Schedule) -> None:
        """Neither find, nor lists, nor busy slots, nor keys cross over."""
        other = practice()
        await calendar.install(other)
        both = [
            await calendar.hold(each.tenant, "whitening", at(9), customer=SOMEBODY, key="same")
            for each in (schedule, other)
        ]
        assert both[0].id != both[1].id
        with pytest.raises(AppointmentGone):
            await calendar.find(other.tenant, both[0].id)
        window = Window(start=at(0), end=at(23))
        assert await calendar.appointments(other.tenant, window) == [both[1]]

    async def test_appointments_are_listed_by_window_person_and_resource(
        self, calendar: Calendar, schedule: Schedule, clock: MovableClock
    ) -> None:
        """In order of their start; cancelled ones and holds that ran out are left out, and touching is enough."""
        tenant, other = schedule.tenant, Customer(person="other")
        await held(calendar, schedule, at(15), "checkup")
        clock.advance(schedule.hold)
        late = await held(calendar, schedule, at(13), "cleaning")
        early = await calendar.hold(tenant, "checkup", at(9), customer=other, key="early")
        await calendar.cancel(tenant, (await held(calendar, schedule, at(10), "checkup")).id)
        day = Window(start=at(0), end=at(23))
        assert await calendar.appointments(tenant, day) == [early, late]
        assert await calendar.appointments(tenant, day, person="other") == [early]
        assert await calendar.appointments(tenant, day, resource="hygienist") == [late]
        assert await calendar.appointments(tenant, Window(start=at(9, 29), end=at(13))) == [early]
        assert await calendar.appointments(tenant, Window(start=at(9, 30), end=at(13, 1))) == [late]
