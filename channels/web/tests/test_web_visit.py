"""A visit: what is said over a real socket, and what happens when that is lost, in every way that we know."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from hayai.errors import Unavailable
from hayai.ports.conversations import Line
from hayai_web import feed
from hayai_web.desk import Desk
from hayai_web.session import Sessions
from hayai_web.settings import ChatSettings
from hayai_web.visitor import Visitor

if TYPE_CHECKING:
    from hayai.testing.channel import House

Serve = Callable[..., AbstractAsyncContextManager[str]]


def socket_of(url: str) -> str:
    """The socket of the house's one business."""
    return url.replace("http", "ws") + "/web/socket/smile-dental"


@pytest.fixture
def socket(url: str) -> str:
    """The socket at the usual server."""
    return socket_of(url)


async def test_an_answer_streams_and_then_stands(socket: str) -> None:
    """The acknowledgement, the pieces in order, then the whole line, with its choices."""
    async with Visitor(socket) as ada:
        assert ada.others[0]["greeting"] == "Hello, this is Smile Dental."
        assert (await ada.say("good morning"))["position"] == 1
        line = await ada.until_line("You said: good morning")
        assert (line["position"], line["speaker"], line["choices"]) == (2, "agent", ["Yes", "No"])
        pieces = [frame["text"] for frame in ada.others if frame["type"] == "piece"]
        assert "".join(pieces).strip() == "You said: good morning"


async def test_a_page_that_comes_back_gets_what_it_missed_and_nothing_twice(socket: str) -> None:
    """It says the position that it has; only later lines follow."""
    ada = Visitor(socket)
    await ada.connect()
    await ada.say("one")
    await ada.until_line("You said: one")
    await ada.say("two")
    ada.vanish()
    back = Visitor(socket, session=ada.session)
    back.lines = {position: line for position, line in ada.lines.items() if position <= 2}
    await back.connect()
    await back.until_line("You said: two")
    assert back.texts == ["one", "You said: one", "two", "You said: two"]
    assert not [frame for frame in back.others if frame["type"] == "refused"]
    await back.leave()


async def test_an_acknowledgement_that_was_lost_doubles_nothing(house: House, socket: str) -> None:
    """The socket drops right after the message left; the page sends it again and it counts once."""
    ada = Visitor(socket)
    await ada.connect()
    await ada.send({"type": "say", "id": "m1", "text": "book me"})
    await ada.until_line("book me")
    ada.vanish()
    welcome = await ada.connect(pending=("m1",))
    assert not welcome["fresh"]
    assert (await ada.say("book me", id="m1"))["position"] == 1
    await ada.until_line("You said: book me")
    await house.bus.settle()
    assert len(house.received) == 1
    assert ada.texts == ["book me", "You said: book me"]
    await ada.leave()


async def test_a_page_recognises_its_own_message_among_the_lines(socket: str) -> None:
    """A line whose acknowledgement was lost carries the page's own id of it."""
    ada = Visitor(socket)
    await ada.connect()
    await ada.say("silence", id="m1")
    await ada.leave()
    again = Visitor(socket, session=ada.session)
    await again.connect(pending=("m1", "m2"))
    assert (await again.until_line("silence"))["say"] == "m1"
    other = Visitor(socket, session=ada.session)
    await other.connect()
    assert "say" not in await other.until_line("silence")
    await again.leave()
    await other.leave()


async def test_two_tabs_see_the_same_once(house: House, socket: str) -> None:
    """What one tab says and what is answered shows in both, also when both send the same waiting message."""
    async with Visitor(socket) as one, Visitor(socket, session=one.session) as two:
        await asyncio.gather(one.say("hello", id="m1"), two.say("hello", id="m1"))
        await one.until_line("You said: hello")
        await two.until_line("You said: hello")
        await two.say("bye")
        await one.until_line("You said: bye")
        await two.until_line("You said: bye")
        assert one.texts == two.texts == ["hello", "You said: hello", "bye", "You said: bye"]
        assert len(house.received) == 2


async def test_a_conversation_survives_the_server(serve: Serve) -> None:
    """The server restarts; pages are told to come back, and go on where they were."""
    async with serve() as url:
        ada = Visitor(socket_of(url))
        await ada.connect()
        await ada.say("before")
        await ada.until_line("You said: before")
    assert await ada.closed() == 1012
    async with serve() as url:
        back = Visitor(socket_of(url), session=ada.session)
        back.lines = dict(ada.lines)
        assert not (await back.connect())["fresh"]
        await back.say("after")
        await back.until_line("You said: after")
        assert back.texts == ["before", "You said: before", "after", "You said: after"]
        await back.leave()


async def test_an_answer_comes_though_its_signal_was_lost(
    house: House, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a customer waits, the transcript is looked at without being asked."""
    monkeypatch.setattr(feed, "WHILE_WAITING", 0.05)
    async with serve() as url, Visitor(socket_of(url)) as ada:
        await ada.say("silence, please")
        await ada.until_line("silence, please")
        (_, cause), *_ = house.received
        assert cause.conversation
        kept = (await house.lines())[0]
        await house.conversations.append(
            "smile-dental", cause.conversation, kept.__class__("x", "agent", "Here.", kept.at)
        )
        await ada.until_line("Here.", seconds=5)


async def test_a_message_is_refused_kindly_while_the_bus_is_away(house: House, socket: str) -> None:
    """The page is told to try again by itself, and the try succeeds when the bus is back."""
    async with Visitor(socket) as ada:
        house.bus.broken = True
        refused = await ada.say("hello", id="m1")
        assert (refused["code"], refused["id"], refused["again"]) == ("away", "m1", 3.0)
        assert refused["reason"] == "We could not take that just now; it will be sent again."
        house.bus.broken = False
        assert (await ada.say("hello", id="m1"))["type"] == "received"
        await ada.until_line("You said: hello")
        assert ada.texts == ["hello", "You said: hello"]


async def test_messages_of_one_visitor_do_not_reach_another(socket: str) -> None:
    """Two visitors of one business have nothing in common."""
    async with Visitor(socket) as ada, Visitor(socket) as bob:
        await ada.say("my secret")
        await ada.until_line("You said: my secret")
        await bob.say("mine")
        await bob.until_line("You said: mine")
        assert bob.texts == ["mine", "You said: mine"]


async def test_a_long_conversation_is_caught_up_in_whole(house: House, socket: str) -> None:
    """Also when it has more lines than one reading gives."""
    async with Visitor(socket) as ada:
        await ada.say("silence")
        await house.bus.settle()
        (_, cause), *_ = house.received
        assert cause.conversation
        for number in range(450):
            more = Line(f"line-{number}", "agent", f"line {number}", house.clock())
            await house.conversations.append("smile-dental", cause.conversation, more)
        async with Visitor(socket, session=ada.session) as back:
            assert back.others[0]["position"] == 451
            await back.until_line("line 449")
            assert sorted(back.lines) == list(range(1, 452))


async def test_of_a_long_conversation_only_one_page_is_held_for_a_reader(house: House) -> None:
    """Who asks for all of it in every tab and reads none of it must not fill our memory."""
    sessions = Sessions(b"key", lifetime=timedelta(days=1), clock=house.clock)
    session = sessions.begin("smile-dental")
    for number in range(450):
        more = Line(f"line-{number}", "agent", f"line {number}", house.clock())
        await house.conversations.append("smile-dental", session.conversation, more)
    desk = Desk.made(ChatSettings(), house.bus, house.tier, house.clock, sessions)
    reader: Any = None  # nothing is sent before it is caught up
    held = feed.Feed(reader, desk, session, after=0, known={})
    assert await held.catch_up() == 450
    assert len(held._lines) == 100


async def test_a_page_is_asked_to_come_back_while_the_transcript_is_away(
    house: House, socket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One sentence and a close code after which a browser comes back."""
    with monkeypatch.context() as away:
        away.setattr(house.conversations, "lines", _unavailable)
        ada = Visitor(socket)
        refused = await ada.connect()
        assert (refused["code"], refused["again"]) == ("away", 3.0)
        assert await ada.closed() == 1013
    assert (await ada.connect())["type"] == "welcome"
    await ada.leave()


async def test_a_talk_outlives_an_outage_of_the_transcript(
    house: House, socket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lines that could not be read when their signal came are sent when it is back."""
    monkeypatch.setattr(feed, "_AFTER_A_FAILURE", 0.05)
    async with Visitor(socket) as ada:
        with monkeypatch.context() as away:
            away.setattr(house.conversations, "lines", _unavailable)
            assert (await ada.say("hello"))["type"] == "received"
            await house.bus.settle()
            assert not ada.lines
        await ada.until_line("You said: hello")
        assert ada.texts == ["hello", "You said: hello"]


async def test_lines_come_though_the_bus_cannot_be_listened_to(
    house: House, socket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Signals only make it quicker."""
    monkeypatch.setattr(feed, "_AFTER_A_FAILURE", 0.05)
    monkeypatch.setattr(feed, "WHILE_WAITING", 0.05)
    monkeypatch.setattr(house.bus, "listen", _unavailable_context)
    async with Visitor(socket) as ada:
        await ada.say("hello")
        await ada.until_line("You said: hello")
        assert ada.texts == ["hello", "You said: hello"]


async def test_a_signal_that_is_none_of_ours_is_only_a_hint(house: House, socket: str) -> None:
    """Whatever travels on the live topic, the socket goes on."""
    async with Visitor(socket) as ada:
        await ada.say("silence")
        await house.bus.settle()
        conversation = house.received[0][1].conversation
        for odd in (b"\xff", b"nonsense", b"[]", b'{"kind":"piece","text":7}', b'{"kind":"piece","text":"so"}'):
            await house.bus.signal(f"live.smile-dental.{conversation}", odd)
        assert (await ada.until("piece"))["text"] == "so"


async def _unavailable(*given: object, **named: object) -> None:
    raise Unavailable("Away, as this test wants it.")


@asynccontextmanager
async def _unavailable_context(topic: str) -> AsyncGenerator[AsyncIterator[bytes]]:
    raise Unavailable("Away, as this test wants it.")
    yield
