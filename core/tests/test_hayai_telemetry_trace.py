"""The trace of an event: one from a publisher outside through handlers, the outbox and a schedule; none where off."""

from __future__ import annotations

from contextvars import copy_context
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from opentelemetry import trace

import hayai
from hayai.bus.memory import MemoryBus
from hayai.effects import EffectKind
from hayai.envelope import PlainCodec, wrap
from hayai.errors import PermanentError
from hayai.telemetry.trace import current, is_sampled, is_traceparent, sending, trying
from hayai.testing.bus_install import Servers, installed
from hayai.testing.bus_words import BellRung, DoorOpened, Ears, enveloped, letter_of
from hayai.testing.spans import Spans, spans
from hayai.vocabulary.operations import DeadLettered

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from hayai.bus.nats import NatsBus
    from hayai.handlers import Context
    from hayai.testing.postgres_server import PostgresServer

TRACE = "0af7651916cd43dd8448eb211c80319c"
SAMPLED = f"00-{TRACE}-b7ad6b7169203331-01"
DROPPED = f"00-{TRACE}-b7ad6b7169203331-00"


@pytest.fixture
def recorded() -> Iterator[Spans]:
    """Every trace that begins is sampled."""
    with spans().recording():
        yield spans()


@pytest.fixture
async def memory() -> AsyncIterator[MemoryBus]:
    """A started bus in memory."""
    bus = MemoryBus()
    await bus.start()
    yield bus
    await bus.stop()


@pytest.fixture
def servers(postgres_server: PostgresServer, tmp_path: Path) -> Iterator[Servers]:
    """A NATS server and a migrated database."""
    with installed(postgres_server, tmp_path) as servers:
        yield servers


async def test_one_trace_from_outside_through_two_handlers_the_outbox_and_a_schedule(
    servers: Servers, recorded: Spans
) -> None:
    """Each span's parent is the one whose event it handles; what went through Postgres and the server's clock too."""
    async with servers.bus() as bus:
        first, last = await _chain(bus)
        tracer = trace.get_tracer("a web shop")
        async with hayai.connect(servers.nats.url) as outside:
            with tracer.start_as_current_span("order") as order:
                await outside.publish(BellRung(number=1), tenant="acme", key="k")
        await last.until(1)
    assert servers.sql("select count(*) from hayai.inbox").strip() == "2"  # the ledger was in between
    sent, heard = f"send {BellRung.wire_type()}", f"process {first.name}_hear"
    held, reminded = f"send {DoorOpened.wire_type()}", f"process {last.name}_hear"
    ended = recorded.ended
    chain = [ended["order"], ended[sent], ended[heard], ended[held], ended[reminded]]
    assert {each.trace for each in chain} == {f"{order.get_span_context().trace_id:032x}"}
    assert [below.parent for below in chain] == ["", *(above.id for above in chain[:-1])]
    assert ended[heard].attributes["messaging.consumer.group.name"] == f"{first.name}_hear"


async def _chain(bus: NatsBus) -> tuple[Ears, Ears]:
    """A handler that schedules what a second one hears."""

    async def schedule(event: BellRung, context: Context) -> None:
        at = datetime.now(UTC) + timedelta(seconds=1)
        door = DoorOpened(number=event.number)
        await bus.publish_at(door, at, tenant="acme", schedule="s", cause=context.envelope)

    first, last = Ears(schedule), Ears()
    await first.listen(bus)
    await last.listen(bus, DoorOpened)
    return first, last


async def test_what_a_handler_returns_goes_on_with_the_trace(servers: Servers, recorded: Spans) -> None:
    """Through the outbox and its relay as well."""

    async def open_door(event: BellRung, _context: Context) -> DoorOpened:
        return DoorOpened(number=event.number)

    first, last = Ears(open_door), Ears()
    async with servers.bus() as bus:
        await first.listen(bus)
        await last.listen(bus, DoorOpened)
        published = await bus.publish(BellRung(), tenant="acme", key="k")
        await last.until(1)
    assert is_sampled(published.traceparent)
    followed, heard = recorded.ended[f"process {last.name}_hear"], recorded.ended[f"process {first.name}_hear"]
    assert followed.parent == heard.id
    assert (last.contexts[0].envelope.traceparent or "").startswith(f"00-{heard.trace}-{heard.id}-")


async def test_a_sampled_act_belongs_to_its_try(servers: Servers, recorded: Spans) -> None:
    """Its parent is the handler's span."""
    sms = EffectKind("sms", unknown="again")

    async def act() -> str:
        return "SM1"

    async def send(_event: BellRung, context: Context) -> None:
        await context.once(sms, "reply", act)

    ears = Ears(send, effects=(sms,))
    async with servers.bus() as bus:
        await ears.listen(bus)
        await bus.publish(BellRung(), tenant="acme", key="k")
        await ears.until(1)
    acted = recorded.ended["act sms"]
    assert (acted.parent, acted.attributes["hayai.effect"]) == (recorded.ended[f"process {ears.name}_hear"].id, "sms")


async def test_a_trace_that_is_not_sampled_is_carried_and_makes_no_span(memory: MemoryBus, recorded: Spans) -> None:
    """Its flags say so from where it began."""

    async def open_door(_event: BellRung, _context: Context) -> DoorOpened:
        assert current() is None
        return DoorOpened()

    first, last = Ears(open_door), Ears()
    await first.listen(memory)
    await last.listen(memory, DoorOpened)
    await memory.send(enveloped(traceparent=DROPPED))
    await last.until(1)
    assert last.contexts[0].envelope.traceparent == DROPPED
    assert recorded.ended == {}


async def test_a_failed_try_is_told_by_its_class_and_the_letter_keeps_the_trace(
    memory: MemoryBus, recorded: Spans
) -> None:
    """What an error says may be a person's: neither an event of the span nor its status repeats it."""

    async def refuse(_event: BellRung, _context: Context) -> None:
        raise PermanentError("Ada is not in.")

    ears = Ears(refuse)
    await ears.listen(memory)
    published = await memory.publish(BellRung(), tenant="acme", key="k")
    envelope, _ = await letter_of(memory, f"{ears.name}_hear")
    span = recorded.ended[f"process {ears.name}_hear"]
    assert span.attributes["error.type"] == "PermanentError"
    assert "Ada" not in span.document
    assert envelope.traceparent == published.traceparent
    assert envelope.type == DeadLettered.wire_type()


async def test_a_handler_leaves_no_span_behind(recorded: Spans) -> None:
    """The next event of the same task begins with the context that it found."""
    before = copy_context()
    with trying(SAMPLED, "ears", what="bell.rung.v2", tenant="acme", attempt=1):
        assert (current() or "").startswith(f"00-{TRACE}-")
    assert copy_context() == before
    assert "process ears" in recorded.ended


def test_what_was_published_inside_a_dropped_span_is_dropped() -> None:
    """The decision is made once, where the trace begins."""
    with sending("a", tenant="acme") as first:
        pass
    with spans().recording(), sending("b", tenant="acme", cause=DROPPED) as carried:
        assert carried == DROPPED
    assert first is None or not is_sampled(first)


@pytest.mark.parametrize(
    ("given", "sound", "sampled"),
    [
        (SAMPLED, True, True),
        (DROPPED, True, False),
        (None, False, False),
        ("", False, False),
        ("1", False, False),
        (f"{SAMPLED}1", False, False),
        (SAMPLED.upper(), False, False),
        (SAMPLED.replace("00-", "ff-", 1), False, False),
    ],
)
def test_only_a_sound_traceparent_counts(given: str | None, sound: bool, sampled: bool) -> None:
    """Whatever a stranger wrote there."""
    assert (is_traceparent(given), is_sampled(given)) == (sound, sampled)


async def test_a_broken_traceparent_disturbs_nobody(memory: MemoryBus, recorded: Spans) -> None:
    """The event is handled, without a span."""
    ears = Ears()
    await ears.listen(memory)
    await memory.send(wrap(BellRung(), tenant="acme", source="/x", codec=PlainCodec(), traceparent="nonsense-1"))
    await ears.until(1)
    assert recorded.ended == {}
