"""BusContract: what every engine of the port `bus` keeps to."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from hayai.bus.base import UNKNOWN, live_topic
from hayai.envelope import Envelope, PlainCodec, encode, wrap
from hayai.errors import (
    HandlerMisdeclared,
    KeyNotOpaque,
    MessageTooLarge,
    SlotTaken,
    TransientError,
    Unavailable,
)
from hayai.handlers import Keyed, Policy
from hayai.testing.bus_words import BRIEFLY, PATIENCE, BellRung, DoorOpened, Ears
from hayai.tokens import derived, fresh
from hayai.vocabulary.operations import DeadLettered

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from hayai.bus.base import Bus
    from hayai.event import Event
    from hayai.handlers import Context, Returned

    Plant = Callable[[str, bytes], Awaitable[None]]


class BusContract:
    """Inherit, and give three fixtures.

    `bus` is a started bus, stopped after the test; `peer` is another one on the same events, as a second process would
    have it; `plant(subject, body)` stores bytes past the bus's own checks, as a broken publisher would.
    """

    async def test_an_event_reaches_its_handler_in_its_envelope(self, bus: Bus) -> None:
        """What the handler is told is what was published, and the caller holds the same envelope."""
        ears = Ears()
        name = await ears.listen(bus)
        sent = await bus.publish(BellRung(number=7, who="Ada"), tenant="acme", conversation="talk1")
        await ears.until(1)
        (context,) = ears.contexts
        assert ears.events == [BellRung(number=7, who="Ada")]
        assert context.envelope == sent
        assert (context.tenant, context.conversation, context.handler, context.attempt) == ("acme", "talk1", name, 1)

    async def test_every_handler_gets_every_event(self, bus: Bus) -> None:
        """Two handlers of one event do not share it out between them."""
        one, two = Ears(), Ears()
        await one.listen(bus)
        await two.listen(bus)
        await bus.publish(BellRung(number=1), tenant="acme")
        await asyncio.gather(one.until(1), two.until(1))

    async def test_the_same_id_is_stored_once(self, bus: Bus) -> None:
        """A publisher that does not know whether it succeeded may publish again."""
        ears, again = Ears(), fresh()
        await ears.listen(bus)
        for _ in range(3):
            await bus.publish(BellRung(number=1), tenant="acme", key="k", id=again)
        await bus.publish(BellRung(number=2), tenant="acme", key="k")
        await ears.until(2)
        assert ears.numbers == [1, 2]

    async def test_one_event_of_a_key_at_a_time_in_order_and_many_keys_at_once(self, bus: Bus) -> None:
        """Every key's events come in order and never overlap, while different keys do."""
        active: dict[str, int] = {}
        most = {"one key": 0, "keys": 0}

        async def work(_event: BellRung, context: Context) -> None:
            key = context.envelope.subject
            active[key] = active.get(key, 0) + 1
            most["one key"] = max(most["one key"], active[key])
            most["keys"] = max(most["keys"], sum(1 for each in active.values() if each))
            await asyncio.sleep(0.005)
            active[key] -= 1

        ears = Ears(work)
        await ears.listen(bus)
        for number in range(10):
            await asyncio.gather(*(bus.publish(BellRung(number=number), tenant="acme", key=f"k{k}") for k in range(8)))
        await ears.until(80)
        handled = {
            f"k{k}": [
                e.number for e, c in zip(ears.events, ears.contexts, strict=True) if c.envelope.subject == f"k{k}"
            ]
            for k in range(8)
        }
        assert handled == {f"k{k}": list(range(10)) for k in range(8)}
        assert most["one key"] == 1
        assert most["keys"] > 1

    async def test_the_same_key_of_two_tenants_is_two_keys(self, bus: Bus) -> None:
        """A tenant whose handler hangs does not hold up another's."""
        released = asyncio.Event()

        async def work(_event: BellRung, context: Context) -> None:
            if context.tenant == "slow":
                await released.wait()

        ears = Ears(work)
        await ears.listen(bus)
        await bus.publish(BellRung(number=1), tenant="slow", key="k")
        await bus.publish(BellRung(number=2), tenant="quick", key="k")
        await ears.until(1)
        assert ears.numbers == [2]
        released.set()
        await ears.until(2)

    async def test_no_more_keys_at_once_than_the_policy_says(self, bus: Bus) -> None:
        """A concurrency of two runs two."""
        running, most = 0, 0

        async def work(_event: BellRung, _context: Context) -> None:
            nonlocal running, most
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.01)
            running -= 1

        ears = Ears(work)
        await ears.listen(bus, policy=Policy(concurrency=2))
        await asyncio.gather(*(bus.publish(BellRung(number=n), tenant="acme") for n in range(12)))
        await ears.until(12)
        assert most == 2

    async def test_a_slow_handler_does_not_delay_another(self, bus: Bus) -> None:
        """Handlers have a queue each."""
        released = asyncio.Event()

        async def work(_event: BellRung, _context: Context) -> None:
            await released.wait()

        slow, quick = Ears(work), Ears()
        await slow.listen(bus)
        await quick.listen(bus)
        for number in range(5):
            await bus.publish(BellRung(number=number), tenant="acme", key="k")
        await quick.until(5)
        assert slow.events == []
        released.set()
        await slow.until(5)

    async def test_what_a_handler_returns_is_published_with_its_cause(self, bus: Bus) -> None:
        """Follow-ups inherit tenant, key and conversation, and their ids repeat whenever the event is handled again."""

        async def open_doors(event: BellRung, _context: Context) -> Returned:
            return [DoorOpened(number=event.number), Keyed(DoorOpened(number=event.number + 1), "back")]

        ears, doors = Ears(open_doors), Ears()
        name = await ears.listen(bus)
        await doors.listen(bus, DoorOpened)
        cause = await bus.publish(BellRung(number=1), tenant="acme", conversation="talk")
        await doors.until(2)
        assert doors.numbers == [1, 2]
        assert [context.envelope.id for context in doors.contexts] == [
            derived(cause.id, name, "door.opened", meaning) for meaning in ("", "back")
        ]
        for context in doors.contexts:
            told = context.envelope
            assert (told.cause, told.tenant, told.subject, told.conversation) == (cause.id, "acme", "talk", "talk")

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
        assert letter.explanation.startswith("ValueError at bus.py:")
        assert b"Ada" not in encode(envelope)

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
        letters = [letter.error for _, letter in await bus.dead_letters() if letter.handler == name]
        assert letters[::-1] == ["SystemExit", "KeyboardInterrupt", "CancelledError", "MemoryError"]

    async def test_a_handler_that_takes_too_long_is_tried_again(self, bus: Bus) -> None:
        """The policy's timeout ends a try; the letter says how long it may take."""

        async def dawdle(_event: BellRung, _context: Context) -> None:
            await asyncio.sleep(60)

        ears = Ears(dawdle)
        name = await ears.listen(bus, policy=Policy(attempts=2, first_delay=0.01, timeout=0.05))
        await bus.publish(BellRung(), tenant="acme")
        _, letter = await letter_of(bus, name)
        assert (letter.error, letter.attempts) == ("TransientError", 2)
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

    async def test_an_older_version_is_read_through_the_upcast(self, bus: Bus) -> None:
        """A publisher that was not upgraded yet is understood."""
        ears = Ears()
        await ears.listen(bus)
        await bus.send(enveloped(type="bell.rung.v1", data={"n": 4}))
        await ears.until(1)
        assert ears.numbers == [4]

    @pytest.mark.parametrize(
        ("wire_type", "data", "error"),
        [
            ("bell.rung.v9", {"number": 1}, "VersionUnknown"),
            ("bell.rung.v2", {"number": "not a number"}, "EventMismatch"),
            ("bell.rung.v2", {"number": 1, "stray": True}, "EventMismatch"),
        ],
    )
    async def test_what_cannot_be_read_is_kept(
        self, bus: Bus, wire_type: str, data: dict[str, object], error: str
    ) -> None:
        """An unknown version or data that does not fit: a dead letter at once, and the next event goes on."""
        ears = Ears()
        name = await ears.listen(bus)
        bad = enveloped(type=wire_type, data=data)
        await bus.send(bad)
        await bus.publish(BellRung(number=5), tenant="acme", key="k")
        await ears.until(1)
        envelope, letter = await letter_of(bus, name)
        assert (letter.error, letter.attempts, envelope.cause) == (error, 1, bad.id)
        assert ears.numbers == [5]

    async def test_bytes_that_are_no_envelope_are_kept(self, bus: Bus, plant: Plant) -> None:
        """Nobody knows whose they are; the letter points to them."""
        ears = Ears()
        name = await ears.listen(bus)
        await plant("ev.acme.k.bell.rung.v2", b"\xff{ this is no JSON")
        await bus.publish(BellRung(number=5), tenant="acme", key="k")
        await ears.until(1)
        envelope, letter = await letter_of(bus, name)
        assert (letter.error, envelope.tenant, envelope.cause) == ("EnvelopeMalformed", UNKNOWN, None)
        assert letter.sequence > 0

    @pytest.mark.parametrize(
        ("subject", "error"),
        [
            ("ev.globex.k.bell.rung.v2", "TenantWrong"),
            ("ev.acme.other.bell.rung.v2", "EnvelopeMalformed"),
            ("ev.acme.k.bell.rung.v1", "EventMismatch"),
        ],
    )
    async def test_an_envelope_must_be_what_its_subject_says(
        self, bus: Bus, plant: Plant, subject: str, error: str
    ) -> None:
        """The server lets a publisher write by subject: an envelope cannot claim another tenant, key or type."""
        ears = Ears()
        name = await ears.listen(bus)
        await plant(subject, encode(enveloped(type="bell.rung.v2", data={"number": 1})))
        envelope, letter = await letter_of(bus, name)
        assert (letter.error, letter.attempts, ears.events) == (error, 1, [])
        assert envelope.tenant == subject.split(".")[1]

    async def test_an_envelope_with_a_telling_id_is_kept_without_repeating_it(self, bus: Bus, plant: Plant) -> None:
        """Ids are opaque: a telephone number in one does not travel on."""
        ears = Ears()
        name = await ears.listen(bus)
        await plant("ev.acme.k.bell.rung.v2", encode(enveloped(type="bell.rung.v2", data={}, id="+442079460000")))
        envelope, letter = await letter_of(bus, name)
        assert (letter.error, ears.events) == ("KeyNotOpaque", [])
        assert b"442079460000" not in encode(envelope)

    async def test_an_event_that_is_too_large_is_refused(self, bus: Bus) -> None:
        """Before it is sent, with what to do instead; the bus goes on."""
        ears = Ears()
        await ears.listen(bus)
        with pytest.raises(MessageTooLarge, match=r"bell\.rung\.v2 has \d+ bytes .* keep large content elsewhere"):
            await bus.publish(BellRung(who="x" * 3_000_000), tenant="acme")
        await bus.publish(BellRung(number=1), tenant="acme")
        await ears.until(1)

    @pytest.mark.parametrize(
        "words", [{"tenant": "a.b"}, {"key": "+44 20 7946 0000"}, {"id": "*"}, {"conversation": ">"}]
    )
    async def test_what_is_not_opaque_is_refused(self, bus: Bus, words: dict[str, Any]) -> None:
        """Subjects and ids are visible to everybody who operates the bus; the refusal does not repeat the word."""
        told: dict[str, Any] = {"tenant": "acme", **words}
        with pytest.raises(KeyNotOpaque) as refused:
            await bus.publish(BellRung(), **told)
        assert not any(word in str(refused.value) for word in words.values() if len(word) > 1)
        with pytest.raises(KeyNotOpaque):
            await bus.send(enveloped(tenant="a.b"))

    async def test_a_new_handler_begins_with_the_next_event(self, bus: Bus) -> None:
        """What was published before a handler's first subscription is history: a replay is for that."""
        await bus.publish(BellRung(number=1), tenant="acme", key="k")
        ears = Ears()
        await ears.listen(bus)
        await bus.publish(BellRung(number=2), tenant="acme", key="k")
        await ears.until(1)
        assert ears.numbers == [2]

    async def test_a_handler_that_was_away_gets_what_it_missed(self, bus: Bus, peer: Bus) -> None:
        """Its place is kept under its name, and what was handled is not handled again."""
        ears = Ears()
        await ears.listen(bus)
        await bus.publish(BellRung(number=1), tenant="acme", key="k")
        await ears.until(1)
        await bus.drain(PATIENCE)
        for number in (2, 3):
            await bus.publish(BellRung(number=number), tenant="acme", key="k")
        await ears.listen(peer)
        await ears.until(3)
        assert ears.numbers == [1, 2, 3]

    async def test_draining_lets_what_runs_finish_and_gives_the_rest_back(self, bus: Bus, peer: Bus) -> None:
        """The event in work ends here, with its follow-up; those behind it reach the peer at once and in order."""
        entered, released = asyncio.Event(), asyncio.Event()

        async def linger(event: BellRung, _context: Context) -> Returned:
            entered.set()
            await released.wait()
            return DoorOpened(number=event.number)

        ears, doors, taker = Ears(linger), Ears(), Ears()
        taker.name = ears.name
        await ears.listen(bus)
        await doors.listen(peer, DoorOpened)
        for number in range(5):
            await bus.publish(BellRung(number=number), tenant="acme", key="k")
        await entered.wait()
        await asyncio.sleep(BRIEFLY)
        draining = asyncio.create_task(bus.drain(PATIENCE))
        await asyncio.sleep(0)
        released.set()
        await draining
        started = asyncio.get_running_loop().time()
        await taker.listen(peer)
        await asyncio.gather(taker.until(4), doors.until(1))
        assert (ears.numbers, doors.numbers, taker.numbers) == ([0], [0], [1, 2, 3, 4])
        assert asyncio.get_running_loop().time() - started < 1, "given back events came only after the ack_wait"

    async def test_a_handler_that_outlasts_the_drain_is_given_back(self, bus: Bus, peer: Bus) -> None:
        """It is cancelled at the deadline, and the event reaches the peer at once."""
        entered, cancelled = asyncio.Event(), asyncio.Event()

        async def linger(_event: BellRung, _context: Context) -> None:
            entered.set()
            try:
                await asyncio.sleep(60)
            finally:
                cancelled.set()

        ears, taker = Ears(linger), Ears()
        taker.name = ears.name
        await ears.listen(bus)
        await bus.publish(BellRung(number=1), tenant="acme")
        await entered.wait()
        await bus.drain(0.05)
        assert cancelled.is_set()
        await taker.listen(peer)
        await taker.until(1)
        assert (ears.events, taker.contexts[0].attempt) == ([], 2)

    async def test_a_drained_bus_still_publishes(self, bus: Bus) -> None:
        """Only stop() ends that, and says so."""
        await bus.drain(0)
        await bus.publish(BellRung(), tenant="acme")
        await bus.check()
        await bus.stop()
        await bus.stop()
        with pytest.raises(Unavailable, match="stopped"):
            await bus.publish(BellRung(), tenant="acme")
        with pytest.raises(Unavailable, match="stopped"):
            await bus.check()

    async def test_one_name_is_one_handler(self, bus: Bus, peer: Bus) -> None:
        """Neither twice in one process, nor for another event than the one whose place it keeps."""
        ears = Ears()
        await ears.listen(bus)
        with pytest.raises(HandlerMisdeclared, match="runs here already"):
            await ears.listen(bus)
        with pytest.raises(HandlerMisdeclared, match="name of its own"):
            await ears.listen(peer, DoorOpened)

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

    async def test_a_piece_reaches_whoever_listens_now(self, bus: Bus, peer: Bus) -> None:
        """On that topic, from entering to leaving, in order; nothing is kept for later."""
        topic = live_topic("acme", fresh())
        await bus.signal(topic, b"before")
        async with bus.listen(topic) as here, peer.listen(topic) as there:
            for piece in (b"one", b"two"):
                await peer.signal(topic, piece)
                await peer.signal(live_topic("acme", fresh()), b"elsewhere")
            for pieces in (here, there):
                assert [await soon(anext(pieces)), await soon(anext(pieces))] == [b"one", b"two"]
        await bus.signal(topic, b"after")

    async def test_a_handler_streams_pieces_to_its_conversation(self, bus: Bus, peer: Bus) -> None:
        """As JSON, to the event's conversation, or to its key where it belongs to none."""

        async def speak(_event: BellRung, context: Context) -> None:
            await context.stream("Good mörning")

        ears, conversation = Ears(speak), fresh()
        await ears.listen(bus)
        known: list[dict[str, Any]] = [{"conversation": conversation}, {"key": conversation}]
        for words in known:
            async with peer.listen(live_topic("acme", conversation)) as pieces:
                await bus.publish(BellRung(), tenant="acme", **words)
                assert json.loads(await soon(anext(pieces))) == {"kind": "piece", "text": "Good mörning"}

    async def test_a_piece_that_is_too_large_is_refused(self, bus: Bus) -> None:
        """As an event is."""
        with pytest.raises(MessageTooLarge, match="in parts"):
            await bus.signal(live_topic("acme", "talk"), b"x" * 3_000_000)


def enveloped(**words: object) -> Envelope:
    """An envelope of a BellRung as a publisher without our Event class might write it."""
    sound = wrap(BellRung(), tenant="acme", source="/elsewhere", codec=PlainCodec(), key="k")
    return sound.model_copy(update=words)


async def letter_of(bus: Bus, handler: str, *, cause: str | None = None) -> tuple[Envelope, DeadLettered]:
    """The dead letter of that handler (and that event), once it is there."""
    until = asyncio.get_running_loop().time() + PATIENCE
    while asyncio.get_running_loop().time() < until:
        for envelope, letter in await bus.dead_letters():
            if letter.handler == handler and cause in {None, envelope.cause}:
                return envelope, letter
        await asyncio.sleep(0.02)
    raise AssertionError(f"{handler} left no dead letter within {PATIENCE:g} s")


async def soon(awaitable: Awaitable[bytes]) -> bytes:
    """What it gives, within the patience of a test."""
    async with asyncio.timeout(PATIENCE):
        return await awaitable
