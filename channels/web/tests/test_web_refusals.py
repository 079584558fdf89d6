"""Refusals: whatever is wrong gets one clear sentence over the socket, and never an error of ours."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from hayai_web.origin import welcome_origin
from hayai_web.visitor import Visitor

if TYPE_CHECKING:
    from hayai.testing.channel import House
    from hayai.testing.clock import MovableClock

Serve = Callable[..., AbstractAsyncContextManager[str]]


def socket_of(url: str, tenant: str = "smile-dental") -> str:
    """The socket of that business."""
    return url.replace("http", "ws") + f"/web/socket/{tenant}"


@pytest.fixture
def socket(url: str) -> str:
    """The socket at the usual server."""
    return socket_of(url)


@pytest.mark.parametrize(
    ("frame", "told"),
    [
        ("this is no json", "That was no JSON: send one object in each frame."),
        ("{", "That was no JSON: send one object in each frame."),
        (b"\x00\xff", "This chat speaks JSON in text frames: send no binary ones."),
        ("[]", "That frame does not fit"),
        ('{"no":"type"}', 'That is no frame of this chat: its "type" is hello, say or ping.'),
        ('{"type":"shutdown"}', 'That is no frame of this chat: its "type" is hello, say or ping.'),
        ('{"type":"say","id":"m1"}', "That frame does not fit (say.text: missing)"),
        ('{"type":"say","id":"+1 555 0100","text":"hi"}', "That frame does not fit (say.id:"),
        ('{"type":"say","id":"m1","text":"hi","admin":true}', "That frame does not fit (say.admin: extra_forbidden)"),
        ('{"type":"say","id":"m1","text":"\\ud800"}', "That was no JSON: send one object in each frame."),
        ('{"type":"say","id":"m1","text":"  \\u0000 \\n "}', "There was nothing in that message: write something."),
        ("[" * 5000, "That was no JSON: send one object in each frame."),
    ],
)
async def test_a_frame_that_is_none_is_refused_and_the_chat_goes_on(socket: str, frame: str | bytes, told: str) -> None:
    """One sentence, and the next message is taken."""
    async with Visitor(socket) as ada:
        await ada.send(frame)
        refused = await ada.until("refused")
        assert refused["reason"].startswith(told)
        assert "again" not in refused
        assert (await ada.say("hello"))["type"] == "received"


async def test_five_bad_frames_end_the_socket(socket: str) -> None:
    """Somebody who does not speak the protocol is not listened to for ever."""
    ada = Visitor(socket)
    await ada.connect()
    for _ in range(5):
        await ada.send("nonsense")
    assert await ada.closed() == 1008


async def test_a_frame_beyond_all_bounds_ends_the_socket(socket: str) -> None:
    """More than 64 KiB is no message."""
    ada = Visitor(socket)
    await ada.connect()
    await ada.send(json.dumps({"type": "say", "id": "m1", "text": "x" * 70_000}))
    assert (await ada.until("refused"))["code"] == "too_long"
    assert await ada.closed() == 1009


async def test_a_message_may_be_as_long_as_the_settings_say(serve: Serve, house: House) -> None:
    """Counted in characters; one more is refused with both numbers and not recorded."""
    async with serve(message_length=10) as url, Visitor(socket_of(url)) as ada:
        assert ada.others[0]["message_length"] == 10
        assert (await ada.say("é" * 10))["type"] == "received"
        refused = await ada.say("é" * 11, id="m2")
        assert refused["reason"] == "A message can have 10 characters and this has 11: shorten it."
        assert (refused["code"], refused["id"]) == ("too_long", "m2")
        await house.bus.settle()
        assert len(house.received) == 1


async def test_somebody_who_writes_too_fast_is_asked_to_wait(serve: Serve, clock: MovableClock) -> None:
    """The refusal says for how long, and after that the same message is taken."""
    async with serve(messages_per_minute=3) as url, Visitor(socket_of(url)) as ada:
        for number in range(3):
            assert (await ada.say(f"silence {number}"))["type"] == "received"
        refused = await ada.say("one more", id="m4")
        assert refused["code"] == "too_fast"
        assert refused["reason"] == "You are writing faster than we can read; this will be sent in 20 s."
        clock.advance(timedelta(seconds=refused["again"]))
        assert (await ada.say("one more", id="m4"))["type"] == "received"


async def test_a_new_session_does_not_help_against_the_limit_of_an_address(serve: Serve) -> None:
    """Visitors of one address share its limit."""
    async with serve(messages_per_minute_per_address=2) as url:
        async with Visitor(socket_of(url)) as ada:
            assert (await ada.say("silence"))["type"] == "received"
        async with Visitor(socket_of(url)) as bob:
            assert (await bob.say("silence"))["type"] == "received"
            assert (await bob.say("silence"))["code"] == "too_fast"


async def test_what_we_could_not_take_does_not_count_against_the_visitor(serve: Serve, house: House) -> None:
    """Trying again while the bus is away does not use up the limit."""
    async with serve(messages_per_minute=2) as url, Visitor(socket_of(url)) as ada:
        house.bus.broken = True
        for _ in range(5):
            assert (await ada.say("hello", id="m1"))["code"] == "away"
        house.bus.broken = False
        assert (await ada.say("hello", id="m1"))["type"] == "received"


async def test_a_visitor_has_so_many_tabs_and_an_address_so_many_chats(serve: Serve) -> None:
    """One more is asked to come back later; a closed one makes room."""
    async with serve(sockets_per_visitor=1, sockets_per_address=3) as url:
        async with Visitor(socket_of(url)) as ada:
            second = Visitor(socket_of(url), session=ada.session)
            assert (await second.connect())["reason"] == "This chat is open in too many tabs: close one."
            assert await second.closed() == 1013
            async with Visitor(socket_of(url)), Visitor(socket_of(url)):
                fourth = Visitor(socket_of(url))
                await fourth.dial()
                refused = await fourth.until("refused")
                assert (refused["code"], refused["again"]) == ("busy", 30.0)
        third = Visitor(socket_of(url), session=ada.session)
        assert (await third.connect())["type"] == "welcome"
        await third.leave()


async def test_an_address_opens_so_many_chats_a_minute(serve: Serve, clock: MovableClock) -> None:
    """Each costs a look at the transcript: who opens and closes in a loop is asked to wait, and then let in."""
    async with serve(connections_per_minute_per_address=2) as url:
        for _ in range(2):
            async with Visitor(socket_of(url)):
                pass
        third = Visitor(socket_of(url))
        await third.dial()
        refused = await third.until("refused")
        assert (refused["code"], refused["again"]) == ("busy", 30.05)
        assert await third.closed() == 1013
        clock.advance(timedelta(seconds=refused["again"]))
        async with Visitor(socket_of(url)):
            pass


@pytest.mark.parametrize("change", ["forged", "cut", "empty", "long", "strange"])
async def test_a_session_that_was_not_signed_here_is_refused(socket: str, change: str) -> None:
    """It opens nothing; a hello without a session on the same socket begins anew."""
    async with Visitor(socket) as ada:
        await ada.say("my secret")
        session = ada.session or ""
    tampered = {
        "forged": session.replace(session.split(".")[2], "0" * 32),
        "cut": session[:-1],
        "empty": "",
        "long": session + "0",
        "strange": "ünsigned…",
    }[change]
    eve = Visitor(socket, session=tampered)
    refused = await eve.connect()
    assert (refused["code"], eve.lines) == ("session", {})
    assert refused["reason"] == "This session was not signed here: begin a new one."
    await eve.send({"type": "hello"})
    assert (await eve.until("welcome"))["fresh"]
    await eve.leave()


async def test_a_session_ends(serve: Serve, clock: MovableClock) -> None:
    """Unused for so many days, it is refused; each visit renews it."""
    async with serve(session_days=2) as url:
        ada = Visitor(socket_of(url))
        await ada.connect()
        await ada.leave()
        for _ in range(2):
            clock.advance(timedelta(days=1.5))
            assert (await ada.connect())["type"] == "welcome"
            await ada.leave()
        clock.advance(timedelta(days=2.1))
        assert (await ada.connect())["reason"] == "This session has expired: begin a new one."
        await ada.leave()


async def test_a_session_of_another_business_is_refused(house: House, serve: Serve) -> None:
    """A visitor of one business cannot reach into another with it."""
    house.tier.businesses["other"] = house.business.model_copy(update={"tenant": "other"})
    async with serve() as url:
        async with Visitor(socket_of(url)) as ada:
            pass
        there = Visitor(socket_of(url, "other"), session=ada.session)
        refused = await there.connect()
        assert refused["reason"] == "This session belongs to another business: begin a new one here."
        await there.leave()


async def test_a_session_of_another_install_is_refused(serve: Serve) -> None:
    """Another key, another signature."""
    async with serve() as url, Visitor(socket_of(url)) as ada:
        session = ada.session
    async with serve(session_key="another key of thirty-two characters") as url:
        there = Visitor(socket_of(url), session=session)
        assert (await there.connect())["code"] == "session"
        await there.leave()


async def test_a_key_can_be_changed_without_ending_a_chat(serve: Serve) -> None:
    """A session of the former key is taken and signed anew; when that key is gone, the new signature holds."""
    old, new = "k" * 32, "n" * 32
    async with serve(session_key=old) as url, Visitor(socket_of(url)) as ada:
        await ada.say("before")
    for settings in ({"session_key": new, "former_session_key": old}, {"session_key": new}):
        async with serve(**settings) as url:
            later = Visitor(socket_of(url), session=ada.session)
            welcome = await later.connect()
            assert (welcome["type"], welcome["fresh"]) == ("welcome", False)
            await later.until_line("before")
            ada.session = later.session
            await later.leave()


async def test_an_unknown_business_is_refused(url: str) -> None:
    """One sentence, then the socket closes for good."""
    nobody = Visitor(socket_of(url, "nobody"))
    await nobody.dial()
    assert (await nobody.until("refused"))["reason"] == "There is no such business here: check the link."
    assert await nobody.closed() == 1008


@pytest.mark.parametrize(
    ("origins", "origin", "welcome"),
    [
        ([], "https://smile.example", False),
        ([], "null", False),
        (["https://smile.example"], "https://smile.example", True),
        (["https://smile.example"], "HTTPS://Smile.example", True),
        (["https://smile.example"], "http://smile.example", False),
        (["https://smile.example"], "https://smile.example.evil.example", False),
        (["*"], "https://anything.example", True),
    ],
)
async def test_only_known_home_pages_may_embed_the_chat(
    serve: Serve, origins: list[str], origin: str, welcome: bool
) -> None:
    """Our own page may, the listed ones may, and no other."""
    async with serve(origins=origins) as url:
        page = Visitor(socket_of(url), origin=origin)
        await page.dial()
        if not welcome:
            assert (await page.until("refused"))["code"] == "origin"
            return
        await page.leave()
        async with Visitor(socket_of(url), origin=origin), Visitor(socket_of(url), origin=url):
            pass


@pytest.mark.parametrize(
    ("origin", "host", "welcome"),
    [
        ("https://chat.example", "chat.example:443", True),
        ("https://chat.example:8443", "chat.example:8443", True),
        ("http://chat.example", "chat.example:443", False),
        ("https://chat.example", "chat.example:8443", False),
    ],
)
def test_our_own_page_is_ours_also_where_a_proxy_names_the_usual_port(origin: str, host: str, welcome: bool) -> None:
    """A browser leaves it out."""
    assert welcome_origin({"origin": origin, "host": host}, ()) is welcome


async def test_who_says_anything_before_hello_is_sent_away(socket: str) -> None:
    """And so is who says hello twice."""
    rude = Visitor(socket)
    await rude.dial()
    assert (await rude.say("me first"))["reason"] == "Say hello first."
    assert await rude.closed() == 1008
    twice = Visitor(socket)
    await twice.connect()
    await twice.send({"type": "hello"})
    assert (await twice.until("refused"))["reason"] == "Hello was said already: go on, or connect again."


async def test_a_ping_is_answered_and_a_flood_is_not(socket: str) -> None:
    """240 frames in a minute are more than any page sends."""
    ada = Visitor(socket)
    await ada.connect()
    for _ in range(300):
        await ada.send({"type": "ping"})
    assert (await ada.until("refused"))["reason"] == "Too many frames in a minute: connect again later."
    assert await ada.closed() == 1008
    assert sum(frame["type"] == "pong" for frame in ada.others) == 239


async def test_a_defect_of_ours_tells_the_log_no_word_of_the_visitor(
    house: House, socket: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The socket ends with 1011, the log names the place."""

    async def broken(*given: object) -> None:
        raise RuntimeError(f"cannot store {given}")

    ada = Visitor(socket)
    await ada.connect()
    monkeypatch.setattr(house.conversations, "append", broken)
    with caplog.at_level(logging.DEBUG, logger="hayai_web"):
        await ada.send({"type": "say", "id": "m1", "text": "mysecretword"})
        assert await ada.closed() == 1011
    (told,) = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert told.startswith("A chat broke off: RuntimeError at test_web_refusals.py")
    assert "mysecretword" not in caplog.text
