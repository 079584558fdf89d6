"""A FastStream router on the house's engine: typed parameters, injection, middlewares, and wishes for acknowledging."""

# Parameters' types are read at run time by FastStream, so this file has no lazy annotations.
import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path as FilePath
from typing import Annotated, Any

import pytest
from faststream import BaseMiddleware, Depends, Logger, Path
from faststream.exceptions import AckMessage, NackMessage, RejectMessage
from faststream.nats import NatsMessage, NatsRouter, PullSub
from pydantic import BaseModel

from hayai.bus.memory import MemoryBus
from hayai.errors import HandlerMisdeclared, PluginError, Unavailable
from hayai.event import Event
from hayai.fronts import agent
from hayai.handlers import Context, Handlers, Keyed, Policy
from hayai.tier import Tier
from hayai.vocabulary.operations import DeadLettered
from hayai_faststream.annotations import HayaiContext, terms
from hayai_faststream.front import RouterFront, handlers

HASTY = Policy(first_delay=0.01, longest_delay=0.01)


class SlotBooked(Event, type="slot.booked", version=1):
    """What comes in."""

    person: str
    place: str = "here"


class ReminderDue(Event, type="reminder.due", version=1):
    """What follows."""

    person: str


class House:
    """A bus in memory that runs a router; `followed` holds what its routes returned."""

    def __init__(self) -> None:
        self.bus = MemoryBus()
        self.followed: list[dict[str, Any]] = []
        self.sources: list[str] = []

    async def run(self, router: NatsRouter, *, hears: type[Event] = ReminderDue) -> Handlers:
        """Subscribe every route, and a listener for what follows."""
        group = handlers("routes", router)
        ear = Handlers("ear")

        async def listen(event: Any, context: Context) -> None:
            self.followed.append(event.model_dump())
            self.sources.append(context.envelope.source)

        ear.add(hears, listen)
        for each in (*ear, *group):
            await self.bus.subscribe(each, Tier({}))
        return group

    async def book(self, person: str = "p1", **more: str) -> None:
        """Publish one."""
        await self.bus.publish(SlotBooked(person=person, **more), tenant="acme", conversation="talk-1")

    async def until(self, true: Callable[[], object]) -> None:
        """Wait until it is, at most two seconds."""
        async with asyncio.timeout(2):
            while not true():  # noqa: ASYNC110 - many things are waited for here, and none of them is an event
                await asyncio.sleep(0.005)


@pytest.fixture
async def house() -> AsyncIterator[House]:
    """One, drained at the end."""
    house = House()
    yield house
    await house.bus.drain(1)


async def test_a_plain_route_is_called_and_what_it_returns_follows(house: House) -> None:
    """An event in, an event out, with the cause's key and a source that names the route."""
    router = NatsRouter()

    @router.subscriber("slot.booked")
    async def remind(booked: SlotBooked) -> ReminderDue:
        return ReminderDue(person=booked.person)

    group = await house.run(router)
    (found,) = group
    assert (found.name, found.event, found.produces) == ("routes_remind", SlotBooked, (ReminderDue,))
    assert found.handler.__name__ == "call"
    await house.book("p7")
    await house.until(lambda: house.followed)
    assert house.followed == [{"person": "p7"}]
    assert house.sources == ["/hayai/routes_remind"]


async def test_a_plain_route_may_ask_for_the_context(house: House) -> None:
    """The same Context that any handler has, and no dependency injection for it."""
    router = NatsRouter()

    @router.subscriber("slot.booked.v1")
    async def remind(booked: SlotBooked, context: HayaiContext) -> list[Keyed[ReminderDue]]:
        return [Keyed(ReminderDue(person=context.tenant), each) for each in ("a", "b")]

    (found,) = await house.run(router)
    assert found.handler.__name__ == "call"
    await house.book()
    await house.until(lambda: len(house.followed) == 2)
    assert house.followed == [{"person": "acme"}] * 2


async def test_typed_parameters_and_dependencies_are_given(house: House) -> None:
    """Fields one by one, Depends, the message, a logger, and the house's Context, all in one."""
    router = NatsRouter()

    async def place_of(place: str) -> str:
        return place.upper()

    @router.subscriber("slot.booked")
    async def remind(
        person: str,
        log: Logger,
        message: NatsMessage,
        context: HayaiContext,
        where: Annotated[str, Depends(place_of)],
    ) -> ReminderDue:
        log.info("a line that tells nothing")
        assert message.headers["ce-type"] == "slot.booked.v1"
        return ReminderDue(person=f"{person} {where} {context.tenant} {message.correlation_id}")

    (found,) = await house.run(router)
    assert found.handler.__name__ == "process"
    await house.book("p1", place="there")
    await house.until(lambda: house.followed)
    assert house.followed == [{"person": "p1 THERE acme talk-1"}]


async def test_a_model_of_the_routers_own_is_filled(house: House) -> None:
    """A router that knows no event of ours: its subject names the event, its @publisher the one that follows."""

    class Booking(BaseModel):
        person: str

    router = NatsRouter(prefix="slot.")

    @router.subscriber("booked", stream="EVENTS", pull_sub=PullSub(), durable="theirs")
    @router.publisher("reminder")
    async def remind(booking: Booking) -> dict[str, str]:
        return {"person": booking.person}

    (found,) = handlers("routes", router)
    assert (found.event.wire_type(), [each.wire_type() for each in found.produces]) == (
        "slot.booked.v1",
        ["slot.reminder.v1"],
    )


async def test_a_publisher_names_the_event_of_what_is_no_event(house: House) -> None:
    """The dict that a route returns is published as that event."""
    router = NatsRouter()

    @router.subscriber("slot.booked")
    @router.publisher("reminder.due")
    async def remind(person: str, place: str) -> dict[str, str]:
        return {"person": f"{person} {place}"}

    await house.run(router)
    await house.book("p1")
    await house.until(lambda: house.followed)
    assert house.followed == [{"person": "p1 here"}]


async def test_middlewares_see_every_event(house: House) -> None:
    """Around the route's function, in the router's order."""
    seen: list[str] = []

    class Watch(BaseMiddleware):
        async def consume_scope(self, call_next: Any, msg: Any) -> Any:
            seen.append(msg.message_id)
            return await call_next(msg)

    router = NatsRouter(middlewares=[Watch])

    @router.subscriber("slot.booked")
    async def remind(booked: SlotBooked) -> ReminderDue:
        return ReminderDue(person=booked.person)

    await house.run(router)
    await house.book()
    await house.until(lambda: house.followed)
    assert len(seen) == 1


def _raising(wish: Exception) -> Callable[[NatsRouter, list[int]], None]:
    def add(router: NatsRouter, tries: list[int]) -> None:
        @router.subscriber("slot.booked")
        @terms(HASTY)
        async def remind(booked: SlotBooked) -> ReminderDue:
            tries.append(1)
            if len(tries) == 1:
                raise wish
            return ReminderDue(person=booked.person)

    return add


def _saying(wish: str) -> Callable[[NatsRouter, list[int]], None]:
    def add(router: NatsRouter, tries: list[int]) -> None:
        @router.subscriber("slot.booked")
        @terms(HASTY)
        async def remind(booked: SlotBooked, message: NatsMessage) -> ReminderDue | None:
            tries.append(1)
            if len(tries) == 1:
                await getattr(message, wish)()
                return None
            return ReminderDue(person=booked.person)

    return add


@pytest.mark.parametrize(
    "add",
    [_raising(NackMessage(delay=0.01)), _raising(NackMessage()), _raising(Unavailable("Later.")), _saying("nack")],
)
async def test_an_event_that_a_route_nacks_comes_again(house: House, add: Callable[..., None]) -> None:
    """Raised or said, with a delay or without, as FastStream has it or as the house has it."""
    router, tries = NatsRouter(), list[int]()
    add(router, tries)
    await house.run(router)
    await house.book()
    await house.until(lambda: house.followed)
    assert len(tries) == 2


@pytest.mark.parametrize("add", [_raising(RejectMessage()), _saying("reject")])
async def test_an_event_that_a_route_rejects_becomes_a_dead_letter(house: House, add: Callable[..., None]) -> None:
    """Once, and with the route's name."""
    router, tries = NatsRouter(), list[int]()
    add(router, tries)
    await house.run(router, hears=DeadLettered)
    await house.book()
    await house.until(lambda: house.followed)
    assert house.followed[0]["handler"] == "routes_remind"
    assert len(tries) == 1


@pytest.mark.parametrize("add", [_raising(AckMessage()), _saying("ack")])
async def test_an_event_that_a_route_acks_is_settled(house: House, add: Callable[..., None]) -> None:
    """It does not come again."""
    router, tries = NatsRouter(), list[int]()
    add(router, tries)
    await house.run(router)
    await house.book()
    await house.until(lambda: tries)
    await asyncio.sleep(0.05)
    assert len(tries) == 1
    assert not house.followed


async def test_an_error_behind_middlewares_is_judged_by_its_class(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    """A defect is tried again as often as the policy says; its text reaches no log line."""
    router, tries = NatsRouter(), list[int]()

    @router.subscriber("slot.booked")
    @terms(Policy(defects=2, first_delay=0.01))
    async def remind(booked: SlotBooked, log: Logger) -> None:
        tries.append(1)
        raise ValueError("Ada Lovelace")

    await house.run(router, hears=DeadLettered)
    await house.book()
    await house.until(lambda: house.followed)
    assert len(tries) == 2
    assert "Ada" not in caplog.text


async def test_a_subject_of_the_bus_gives_its_words_to_the_route(house: House) -> None:
    """A route that was written for a service outside names the bus's own subject."""
    router = NatsRouter()

    @router.subscriber("ev.{partition}.{tenant}.{key}.slot.booked.{version}")
    async def remind(booked: SlotBooked, tenant: Annotated[str, Path()], key: Annotated[str, Path()]) -> ReminderDue:
        return ReminderDue(person=f"{tenant} {key}")

    await house.run(router)
    await house.book()
    await house.until(lambda: house.followed)
    assert house.followed == [{"person": "acme talk-1"}]


def _no_event(router: NatsRouter) -> None:
    @router.subscriber("logs.>")
    async def log(text: str) -> None: ...


def _other_event(router: NatsRouter) -> None:
    @router.subscriber("slot.cancelled")
    async def cancel(booked: SlotBooked) -> None: ...


def _batch(router: NatsRouter) -> None:
    @router.subscriber("slot.booked", stream="EVENTS", pull_sub=PullSub(batch=True))
    async def many(booked: list[SlotBooked]) -> None: ...


def _bucket(router: NatsRouter) -> None:
    @router.subscriber("slot.booked", kv_watch="bucket")
    async def watch(value: str) -> None: ...


@pytest.mark.parametrize(
    ("add", "sentence"),
    [
        (_no_event, "'logs.>', which names no event"),
        (_other_event, r"takes SlotBooked \(slot.booked\) but its subject names slot.cancelled"),
        (_batch, "takes batches, keys or objects"),
        (_bucket, "takes batches, keys or objects"),
    ],
)
def test_a_route_that_cannot_be_a_handler_is_refused(add: Callable[[NatsRouter], None], sentence: str) -> None:
    """With the route's name and what is wrong."""
    router = NatsRouter()
    add(router)
    with pytest.raises(HandlerMisdeclared, match=sentence):
        handlers("routes", router)


ROUTER = """
from faststream.nats import NatsRouter

from hayai.vocabulary.appointments import AppointmentBooked

router = NatsRouter()

@router.subscriber("appointment.booked")
async def thank(booked: AppointmentBooked) -> None:
    pass
"""


@pytest.fixture
def dropped_in(tmp_path: FilePath, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A stranger's package of one router and one entry point, as pip leaves it behind."""
    metadata = tmp_path / "acme_thanks-1.2.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-thanks\nVersion: 1.2\n")
    (metadata / "entry_points.txt").write_text("[hayai.agents]\nthanks = acme_thanks:router\nodd = acme_thanks:thank\n")
    (tmp_path / "acme_thanks.py").write_text(ROUTER)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield
    sys.modules.pop("acme_thanks", None)


def test_a_router_is_dropped_in_by_its_entry_point_alone(dropped_in: None) -> None:
    """The package knows nothing of Hayai's engine; the front door that is installed turns it into an agent."""
    (found,) = agent("thanks")
    assert (found.name, found.event.wire_type()) == ("thanks_thank", "appointment.booked.v1")


def test_what_no_front_door_takes_is_refused_with_what_it_is(dropped_in: None) -> None:
    """The entry point leads to a route instead of the router."""
    with pytest.raises(PluginError, match=r"is a faststream.*HandlerCallWrapper, which nothing installed can run"):
        agent("odd")


def test_what_is_no_router_is_left_to_others() -> None:
    """A front door takes its own alone."""
    assert RouterFront().handlers("routes", object()) is None
