"""Offers: the part of CalendarContract about what is free, and what is refused with which words."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from hayai.errors import (
    BookingRefused,
    InThePast,
    OutsideHours,
    ResourceUnknown,
    ServiceUnknown,
    SettingsError,
    SlotTaken,
    TooFar,
    TooSoon,
)
from hayai.schedule import Schedule, Window
from hayai.testing.practice import HOLIDAY, Installed, at, held, practice, starts

if TYPE_CHECKING:
    from hayai.ports.calendar import Calendar
    from hayai.testing.clock import MovableClock


class OfferContract(Installed):
    """What is free, and what is refused with which words."""

    async def test_offers_lie_on_the_grid_within_the_hours(self, calendar: Calendar, schedule: Schedule) -> None:
        """Steps from each opening, and none that would end after closing."""
        offered = await starts(calendar, schedule)
        assert offered[:2] == [at(9), at(9, 15)]
        assert at(11) in offered
        assert at(11, 15) not in offered
        assert offered[-1] == at(16)

    async def test_an_offer_names_resources_that_can_be_held(self, calendar: Calendar, schedule: Schedule) -> None:
        """One of each kind, and holding them gives just them."""
        offer = (await calendar.next_open(schedule.tenant, "cleaning", at(9)))[0]
        assert offer.resources == ("chair-1", "hygienist")
        assert offer.ends_at - offer.starts_at == timedelta(minutes=45)
        booked = await held(calendar, schedule, offer.starts_at, "cleaning", resources=offer.resources)
        assert booked.resources == offer.resources

    async def test_the_window_and_the_limit_bound_the_offers(self, calendar: Calendar, schedule: Schedule) -> None:
        """The window's start is inside, its end is not; the first ones come."""
        window = Window(start=at(9, 30), end=at(10))
        assert [each.starts_at for each in await calendar.open_slots(schedule.tenant, "checkup", window)] == [
            at(9, 30),
            at(9, 45),
        ]
        assert len(await calendar.open_slots(schedule.tenant, "checkup", window, limit=1)) == 1
        assert await calendar.open_slots(schedule.tenant, "checkup", window, limit=0) == []

    async def test_offers_keep_notice_and_horizon(
        self, calendar: Calendar, schedule: Schedule, clock: MovableClock
    ) -> None:
        """Nothing within two hours, nothing beyond ninety days."""
        clock.set(at(9, 5))
        assert (await starts(calendar, schedule, "checkup"))[0] == at(11, 15)
        everything = await calendar.next_open(schedule.tenant, "checkup", at(0), 100_000)
        assert everything[-1].starts_at <= clock() + schedule.horizon < everything[-1].starts_at + timedelta(days=4)

    async def test_next_open_looks_as_far_as_it_must(self, calendar: Calendar, schedule: Schedule) -> None:
        """A holiday is skipped."""
        offers = await calendar.next_open(schedule.tenant, "checkup", at(16, 45, day=3), 2)
        assert [each.starts_at for each in offers] == [at(9, day=5), at(9, 15, day=5)]

    @pytest.mark.parametrize(
        ("start", "error", "said"),
        [
            (at(3), InThePast, "has gone by"),
            (at(5), TooSoon, "needs 2 hours notice"),
            (at(9) + timedelta(days=91), TooFar, "open for 90 days"),
            (at(9, day=4), OutsideHours, "Wednesday, 4 March 2026 (training day)"),
            (at(9, day=7), OutsideHours, "closed on Saturday, 7 March 2026"),
            (at(16, 30), OutsideHours, "09:00 to 12:00 and 13:00 to 17:00"),
            (at(12), OutsideHours, "does not fit"),
        ],
    )
    async def test_a_refusal_says_why_and_offers_others(
        self, calendar: Calendar, schedule: Schedule, start: datetime, error: type[BookingRefused], said: str
    ) -> None:
        """At least two alternatives, each of which can be held."""
        with pytest.raises(error) as refused:
            await held(calendar, schedule, start)
        assert said in str(refused.value)
        assert len(refused.value.alternatives) >= 2
        for alternative in refused.value.alternatives[::2]:
            assert HOLIDAY.day != alternative.day
        await held(calendar, schedule, refused.value.alternatives[0])

    async def test_a_taken_slot_offers_the_nearest_others(self, calendar: Calendar, schedule: Schedule) -> None:
        """They are near, in order, and free."""
        await held(calendar, schedule, at(10))
        with pytest.raises(SlotTaken, match="Monday, 2 March 2026 at 10:00 is taken") as refused:
            await held(calendar, schedule, at(10))
        alternatives = refused.value.alternatives
        assert len(alternatives) >= 2
        assert list(alternatives) == sorted(alternatives)
        assert all(abs(each - at(10)) < timedelta(hours=4) for each in alternatives)
        assert set(alternatives) <= set(await starts(calendar, schedule))

    async def test_unknown_things_are_said_so(self, calendar: Calendar, schedule: Schedule) -> None:
        """A service that is not offered, a resource that cannot serve, a tenant without a schedule, a naive time."""
        for service in ("surgery", "half \ud800"):
            with pytest.raises(ServiceUnknown, match="checkup, cleaning, whitening"):
                await held(calendar, schedule, at(9), service)
        for resources in (("chair-9",), ("chair-1",), ("hygienist", "hygienist")):
            with pytest.raises(ResourceUnknown, match="choose its resources among hygienist"):
                await held(calendar, schedule, at(9), resources=resources)
        with pytest.raises(SettingsError, match="No schedule is installed"):
            await held(calendar, practice(), at(9))
        with pytest.raises(ValueError, match="naive"):
            await held(calendar, schedule, datetime(2026, 3, 2, 9))  # noqa: DTZ001 - the point

    @pytest.mark.parametrize(
        ("start", "error"),
        [
            (datetime.max.replace(tzinfo=timezone(timedelta(hours=-5))), TooFar),
            (datetime.min.replace(tzinfo=timezone(timedelta(hours=5))), InThePast),
        ],
    )
    async def test_a_wild_date_is_refused_like_any_other(
        self, calendar: Calendar, schedule: Schedule, start: datetime, error: type[BookingRefused]
    ) -> None:
        """From the first year to the last; and a window may reach from the one to the other."""
        with pytest.raises(error) as refused:
            await held(calendar, schedule, start)
        assert len(refused.value.alternatives) >= 2
        first = await calendar.next_open(schedule.tenant, "checkup", start)
        assert [each.starts_at for each in first[:1]] == ([] if error is TooFar else [at(9)])
        ever = Window(start=min(start, at(9)), end=max(start, at(9)))
        assert await calendar.appointments(schedule.tenant, ever) == []

    async def test_installing_again_replaces_the_offers_and_keeps_bookings(
        self, calendar: Calendar, schedule: Schedule
    ) -> None:
        """The same schedule again changes nothing, another one counts at once."""
        booked = await held(calendar, schedule, at(9))
        await calendar.install(schedule)
        assert at(9, 15) not in await starts(calendar, schedule)
        await calendar.install(schedule.model_copy(update={"step": timedelta(hours=1), "exceptions": ()}))
        assert await starts(calendar, schedule, day=4) == [at(hour, day=4) for hour in (9, 10, 11, 13, 14, 15, 16)]
        assert await calendar.find(schedule.tenant, booked.id) == booked
