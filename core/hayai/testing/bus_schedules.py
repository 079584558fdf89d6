"""SchedulesContract: what a bus that keeps schedules does with what is due, past due, said again, and cancelled."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from hayai.errors import KeyNotOpaque, MessageTooLarge, SettingsError
from hayai.handlers import Handlers
from hayai.testing.bus_words import BellRung, DoorOpened, Ears
from hayai.tier import Tier

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from hayai.bus.schedules import SchedulingBus
    from hayai.handlers import Context

SOON = timedelta(seconds=0.6)
A_WHILE = 1.2
"""Seconds after which what was due SOON would have come."""


def soon(bus: SchedulingBus) -> datetime:
    """An instant that a test can wait for."""
    return bus.clock() + SOON


class SchedulesContract:
    """Inherit, and give two fixtures.

    `bus` is a started bus, stopped after the test; `restarted` ends it, with its server where it has one, and returns
    another bus on what was kept, stopped after the test.
    """

    async def test_an_event_comes_when_it_is_due_with_its_own_id(self, bus: SchedulingBus) -> None:
        """Through the normal path: in its envelope, with its key, cause and time, and not before that time."""
        heard: list[datetime] = []

        async def note(_event: BellRung, context: Context) -> None:
            heard.append(context.now())

        ears = Ears(note)
        await ears.listen(bus)
        cause = await bus.publish(DoorOpened(), tenant="acme", key="k")
        sent = await bus.publish_at(BellRung(number=1), soon(bus), tenant="acme", schedule="s1", cause=cause)
        await ears.until(1)
        (context,) = ears.contexts
        kept = context.envelope
        assert (kept.id, kept.subject, kept.cause, kept.tenant) == (sent.id, "k", cause.id, "acme")
        assert kept.time == sent.time
        assert heard[0] >= sent.time.replace(microsecond=sent.time.microsecond // 1000 * 1000)

    async def test_a_handler_has_an_event_come_later(self, bus: SchedulingBus) -> None:
        """Caused by the one in hand; said again, as by a second try, it comes once."""

        async def ring_later(_event: DoorOpened, context: Context) -> None:
            for _ in range(2):
                await context.publish_at(BellRung(number=1), context.now() + SOON)

        doorman = Handlers("doorman")
        doorman.add(DoorOpened, ring_later)
        for each in doorman:
            await bus.subscribe(each, Tier({}))
        ears = Ears()
        await ears.listen(bus)
        cause = await bus.publish(DoorOpened(), tenant="acme", key="k")
        await ears.until(1)
        await asyncio.sleep(A_WHILE)
        (context,) = ears.contexts
        assert (context.envelope.cause, context.envelope.subject) == (cause.id, "k")

    async def test_what_is_due_already_comes_at_once(self, bus: SchedulingBus) -> None:
        """A reminder that was decided too late is late, not lost."""
        ears = Ears()
        await ears.listen(bus)
        await bus.publish_at(BellRung(number=1), bus.clock() - timedelta(days=1), tenant="acme", schedule="s2")
        await ears.until(1)

    async def test_the_same_schedule_again_takes_the_place_of_the_one_before(self, bus: SchedulingBus) -> None:
        """One event comes: the last that was said, though it has the same id."""
        ears = Ears()
        await ears.listen(bus)
        for number in (1, 2):
            await bus.publish_at(BellRung(number=number), soon(bus), tenant="acme", schedule="s3", id="the-reminder")
        await ears.until(1)
        await asyncio.sleep(A_WHILE)
        assert ears.numbers == [2]

    async def test_a_schedule_that_has_come_may_be_used_again(self, bus: SchedulingBus) -> None:
        """With the same id as well: what comes due is compared with none that came before."""
        ears = Ears()
        await ears.listen(bus)
        for number in (1, 2):
            await bus.publish_at(BellRung(number=number), bus.clock(), tenant="acme", schedule="s4", id="again")
            await ears.until(number)
        assert ears.numbers == [1, 2]

    async def test_what_is_cancelled_does_not_come(self, bus: SchedulingBus) -> None:
        """Another tenant's schedule of the same name does; to cancel what is not there is no error."""
        ears = Ears()
        await ears.listen(bus)
        for number, tenant in enumerate(("acme", "other")):
            await bus.publish_at(BellRung(number=number), soon(bus), tenant=tenant, schedule="s5")
        assert await bus.cancel("s5", tenant="acme") is None
        await bus.cancel("s5", tenant="acme")
        await bus.cancel("never", tenant="acme")
        await ears.until(1)
        await asyncio.sleep(A_WHILE)
        assert ears.numbers == [1]

    async def test_what_was_cancelled_may_be_scheduled_again(self, bus: SchedulingBus) -> None:
        """A person who cancels and books again is reminded of the new appointment."""
        ears = Ears()
        await ears.listen(bus)
        await bus.publish_at(BellRung(number=1), soon(bus), tenant="acme", schedule="s6")
        await bus.cancel("s6", tenant="acme")
        await bus.publish_at(BellRung(number=2), soon(bus), tenant="acme", schedule="s6")
        await ears.until(1)
        assert ears.numbers == [2]

    async def test_a_cancellation_that_comes_too_late_is_no_error(self, bus: SchedulingBus) -> None:
        """What has come due already is not called back: to cancel it then is no error, and its event stays."""
        ears = Ears()
        await ears.listen(bus)
        await bus.publish_at(BellRung(number=1), bus.clock(), tenant="acme", schedule="s7")
        await ears.until(1)
        assert await bus.cancel("s7", tenant="acme", event=DoorOpened()) is not None
        assert ears.numbers == [1]

    async def test_the_event_that_makes_it_moot_cancels_it(self, bus: SchedulingBus) -> None:
        """It is published like any other, with its own id and cause, and the schedule does not come."""
        bells, doors = Ears(), Ears()
        await bells.listen(bus)
        await doors.listen(bus, DoorOpened)
        due = await bus.publish_at(BellRung(), soon(bus), tenant="acme", schedule="s8", key="k")
        moot = await bus.cancel("s8", tenant="acme", event=DoorOpened(number=5), cause=due)
        await doors.until(1)
        await asyncio.sleep(A_WHILE)
        kept = doors.contexts[0].envelope
        assert moot is not None
        assert (kept.id, kept.subject, kept.cause) == (moot.id, "k", due.id)
        assert bells.events == []

    async def test_the_same_moot_event_again_is_stored_once(self, bus: SchedulingBus) -> None:
        """Under its id, whichever way it comes."""
        doors = Ears()
        await doors.listen(bus, DoorOpened)
        for _ in range(2):
            await bus.cancel("s9", tenant="acme", event=DoorOpened(number=1), key="k", id="moot-1")
        await doors.until(1)
        await bus.publish(DoorOpened(number=1), tenant="acme", key="k", id="moot-1")
        await bus.publish(DoorOpened(number=2), tenant="acme", key="k")
        await doors.until(2)
        assert doors.numbers == [1, 2]

    async def test_a_schedule_that_does_not_fit_is_refused(self, bus: SchedulingBus) -> None:
        """A name that is no token, a naive time, one beyond what is kept, more bytes than the bus carries."""
        at = soon(bus)
        with pytest.raises(KeyNotOpaque, match="The schedule is not an opaque token"):
            await bus.publish_at(BellRung(), at, tenant="acme", schedule="Ada's")
        with pytest.raises(KeyNotOpaque, match="The tenant"):
            await bus.cancel("s", tenant="a.b")
        with pytest.raises(ValueError, match="time of a schedule is a naive time"):
            await bus.publish_at(BellRung(), at.replace(tzinfo=None), tenant="acme", schedule="s")
        with pytest.raises(SettingsError, match=r"36[0-9] days ahead at most"):
            await bus.publish_at(BellRung(), at + timedelta(days=400), tenant="acme", schedule="s")
        with pytest.raises(MessageTooLarge):
            await bus.publish_at(BellRung(who="x" * (1 << 20)), at, tenant="acme", schedule="s")

    async def test_schedules_outlast_whoever_made_them(
        self, bus: SchedulingBus, restarted: Callable[[], Awaitable[SchedulingBus]]
    ) -> None:
        """What was due while nobody ran comes to whoever runs next; what was cancelled before does not."""
        ears = Ears()
        await ears.listen(bus)
        for number in range(3):
            await bus.publish_at(BellRung(number=number), soon(bus), tenant="acme", schedule=f"s1{number}")
        await bus.cancel("s11", tenant="acme")
        later = await restarted()
        await asyncio.sleep(A_WHILE)
        await ears.listen(later)
        await ears.until(2)
        await asyncio.sleep(A_WHILE)
        assert sorted(ears.numbers) == [0, 2]
