"""FailingContract: what becomes of an event whose handler fails."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from hayai.envelope import encode
from hayai.errors import SlotTaken, TransientError, Unavailable
from hayai.handlers import Policy
from hayai.testing.bus_words import BRIEFLY, BellRung, DoorOpened, Ears, letter_of, letters_of
from hayai.vocabulary.operations import DeadLettered

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from hayai.bus.base import Bus
    from hayai.event import Event
    from hayai.handlers import Context, Returned

    Plant = Callable[[str, bytes], Awaitable[None]]


class FailingContract:
    """What becomes of an event whose handler fails."""

    @pytest.mark.parametrize("wrong", [TransientError("not now"), ValueError("a defect")])
    async def test_what_may_pass_is_tried_again_and_keeps_its_place(self, bus: Bus, wrong: Exception) -> None:
        """The key's next event waits, another key's does not, and the attempts are counted."""

        async def fail_twice(event: BellRung, context: Context) -> None:
            if event.number == 1 and context.attempt < 3:
                raise wrong

        ears = Ears(fail_twice)
        await ears.listen(bus, policy=Policy(attempts=3, first_delay=0.2, longest_delay=0.2))
        for number, key in ((1, "a"), (2, "a"), (3, "b")):
            await bus.publish(BellRung(number=number), tenant="acme", key=key)
        await ears.until(3)
        assert ears.numbers == [3, 1, 2]
        assert [context.attempt for context in ears.contexts] == [1, 3, 1]

    async def test_a_permanent_error_makes_a_dead_letter_at_once(self, bus: Bus) -> None:
        """The letter points to the event and says why, in the error's own sentence; the key's next event goes on."""

        async def refuse(event: BellRung, _context: Context) -> None:
            if event.number == 1:
                raise SlotTaken("Somebody was faster: offer another slot.")

        ears = Ears(refuse)
        name = await ears.listen(bus)
        bad = await bus.publish(BellRung(number=1), tenant="acme", key="k", conversation="talk")
        await bus.publish(BellRung(number=2), tenant="acme", key="k")
        await ears.until(1)
        envelope, letter = await letter_of(bus, name)
        assert ears.numbers == [2]
        assert (letter.error, letter.explanation) == ("SlotTaken", "Somebody was faster: offer another slot.")
        assert (letter.handler_version, letter.attempts, letter.stream) == ("0", 1, "EVENTS")
        assert letter.sequence > 0
        assert (envelope.cause, envelope.tenant, envelope.conversation) == (bad.id, "acme", "talk")

    async def test_a_defect_makes_a_dead_letter_after_the_last_try(self, bus: Bus) -> None:
        """Its text may be personal: the letter names the class and the place alone."""

        async def stumble(_event: BellRung, _context: Context) -> None:
            raise ValueError("Ada Lovelace, +44 20 7946 0000")

        ears = Ears(stumble)
        name = await ears.listen(bus)
        await bus.publish(BellRung(number=1), tenant="acme")
        envelope, letter = await letter_of(bus, name)
        assert (letter.error, letter.attempts) == ("ValueError", 3)
        assert letter.explanation.startswith("ValueError at bus_failing.py:")
        assert b"Ada" not in encode(envelope)

    async def test_an_outage_costs_none_of_the_tries_of_a_defect(self, bus: Bus) -> None:
        """A handler is tried as often as its policy says for the class of what fails, each counted for itself."""

        async def outage_then_defect(_event: BellRung, context: Context) -> None:
            if context.attempt < 5:
                raise Unavailable("The server is away.")
            raise ValueError("a defect")

        ears = Ears(outage_then_defect)
        name = await ears.listen(bus, policy=Policy(attempts=9, defects=2, first_delay=0.01, longest_delay=0.01))
        await bus.publish(BellRung(), tenant="acme")
        _, letter = await letter_of(bus, name)
        assert (letter.error, letter.attempts) == ("ValueError", 6)

    async def test_a_handler_cannot_take_the_bus_down(self, bus: Bus) -> None:
        """SystemExit and its like are defects of the handler, as is a cancellation that nobody asked for."""
        escapes: list[BaseException] = [SystemExit(1), KeyboardInterrupt(), asyncio.CancelledError(), MemoryError()]

        async def escape(event: BellRung, _context: Context) -> None:
            if event.number < len(escapes):
                raise escapes[event.number]

        ears = Ears(escape)
        name = await ears.listen(bus)
        for number in range(len(escapes) + 1):
            await bus.publish(BellRung(number=number), tenant="acme", key="k")
        await ears.until(1)
        letters = [letter.error for letter in await letters_of(bus, name, len(escapes))]
        assert letters[::-1] == ["SystemExit", "KeyboardInterrupt", "CancelledError", "MemoryError"]

    async def test_a_handler_that_takes_too_long_is_tried_again(self, bus: Bus) -> None:
        """The policy's timeout ends a try; the letter says how long it may take."""

        async def dawdle(_event: BellRung, _context: Context) -> None:
            await asyncio.sleep(60)

        ears = Ears(dawdle)
        name = await ears.listen(bus, policy=Policy(defects=2, first_delay=0.01, timeout=0.05))
        await bus.publish(BellRung(), tenant="acme")
        _, letter = await letter_of(bus, name)
        assert (letter.error, letter.attempts) == ("HandlerTooSlow", 2)
        assert letter.explanation == f"{name} took longer than the 0.05 s that its policy allows."

    async def test_returning_what_is_no_event_is_a_defect(self, bus: Bus) -> None:
        """The event is kept as a dead letter; two follow-ups that would share an id are told apart by a sentence."""

        async def repeat(_event: BellRung, _context: Context) -> Returned:
            return [DoorOpened(number=1), DoorOpened(number=2)]

        ears = Ears(repeat)
        name = await ears.listen(bus)
        await bus.publish(BellRung(), tenant="acme")
        _, letter = await letter_of(bus, name)
        assert (letter.error, letter.attempts) == ("HandlerMisdeclared", 1)

    async def test_a_follow_up_that_is_too_large_makes_a_dead_letter(self, bus: Bus) -> None:
        """What cannot be published will not be published the next time either."""

        async def shout(_event: BellRung, _context: Context) -> Returned:
            return BellRung(number=-1, who="x" * 3_000_000)

        async def only_first(event: BellRung, context: Context) -> Returned:
            return await shout(event, context) if event.number == 1 else None

        ears = Ears(only_first)
        name = await ears.listen(bus)
        await bus.publish(BellRung(number=1), tenant="acme")
        _, letter = await letter_of(bus, name)
        assert letter.error == "MessageTooLarge"

    async def test_dead_letters_are_told_newest_first(self, bus: Bus) -> None:
        """As many as asked for."""

        async def refuse(_event: BellRung, _context: Context) -> None:
            raise SlotTaken("Somebody was faster.")

        ears = Ears(refuse)
        name = await ears.listen(bus)
        sent = [(await bus.publish(BellRung(number=n), tenant="acme", key="k")).id for n in range(3)]
        await letter_of(bus, name, cause=sent[-1])
        newest = await bus.dead_letters(limit=2)
        assert [envelope.cause for envelope, _ in newest] == [sent[2], sent[1]]

    async def test_one_tenants_dead_letters_are_found_behind_anothers(self, bus: Bus) -> None:
        """However many another tenant has; and none of these is shown."""

        async def refuse(_event: BellRung, _context: Context) -> None:
            raise SlotTaken("Somebody was faster.")

        name = await Ears(refuse).listen(bus)
        mine = await bus.publish(BellRung(), tenant="acme", key="k")
        await letter_of(bus, name, cause=mine.id)
        others = [await bus.publish(BellRung(), tenant="globex", key="k") for _ in range(60)]
        await letter_of(bus, name, cause=others[-1].id)
        assert [each.cause for each, _ in await bus.dead_letters(tenant="acme", limit=1)] == [mine.id]

    async def test_garbage_among_the_dead_letters_hides_none(self, bus: Bus, plant: Plant) -> None:
        """What a stranger wrote there is passed over."""

        async def refuse(_event: BellRung, _context: Context) -> None:
            raise SlotTaken("Somebody was faster.")

        name = await Ears(refuse).listen(bus)
        await bus.publish(BellRung(), tenant="acme")
        await letter_of(bus, name)
        await plant("dead.acme.k.event.deadlettered.v1", b"garbage")
        assert [letter.handler for _, letter in await bus.dead_letters(limit=1)] == [name]

    async def test_a_handler_of_dead_letters_that_fails_does_not_feed_itself(self, bus: Bus) -> None:
        """Its own failure is logged and ends there."""
        seen = Ears()

        async def refuse(_event: Event, _context: Context) -> None:
            raise SlotTaken("Somebody was faster.")

        async def note_and_refuse(letter: DeadLettered, context: Context) -> None:
            if letter.handler == name:
                await seen.hear(letter, context)
            raise SlotTaken("No.")

        name = await Ears(refuse).listen(bus)
        watcher = await Ears(note_and_refuse).listen(bus, DeadLettered)
        await bus.publish(BellRung(), tenant="acme")
        await seen.until(1)
        await asyncio.sleep(BRIEFLY)
        letters = [letter.handler for _, letter in await bus.dead_letters()]
        assert letters.count(name) == 1
        assert watcher not in letters
