"""WebChannel: the contract of channels over its socket, its pages and its files."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import date
from typing import TYPE_CHECKING

import httpx
import pytest
from fastapi import FastAPI

from hayai.schedule import DayException
from hayai.testing.channel import ChannelContract, House, Outside
from hayai.testing.web import listening
from hayai_web.chat import WebChannel
from hayai_web.settings import ChatSettings
from hayai_web.visitor import Visitor

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from hayai.channel import Channel


Serve = Callable[..., AbstractAsyncContextManager[str]]


class Customer(Outside):
    """A visitor with one tab open."""

    def __init__(self, visitor: Visitor, house: House) -> None:
        self._visitor = visitor
        self._house = house

    async def write(self, id: str, text: str) -> bool:  # noqa: A002 - the sender's id
        """Say it, and wait for the acknowledgement or the refusal."""
        answer = await self._visitor.say(text, id=id)
        return bool(answer["type"] == "received")

    async def heard(self) -> list[str]:
        """What stands in the tab and is not the customer's."""
        for line in await self._house.lines():
            await self._visitor.until_line(line.text)
        return [line["text"] for _, line in sorted(self._visitor.lines.items()) if line["speaker"] != "customer"]

    async def go_silent(self) -> bool:
        """What the channel waits for is the bus."""
        await self.write("message-1", "Hello")
        await self._house.bus.settle()
        self._house.bus.broken = True
        return True


class TestWebChannel(ChannelContract):
    """The contract of channels."""

    @pytest.fixture
    async def channel(self, house: House) -> Channel:
        """The channel, started."""
        settings = ChatSettings.model_validate({"session_key": "k" * 32})
        channel = WebChannel(settings, bus=house.bus, tier=house.tier, clock=house.clock)
        await channel.start()
        return channel

    @pytest.fixture
    async def outside(self, house: House, channel: Channel) -> AsyncIterator[Outside]:
        """A tab on a real socket."""
        app = FastAPI()
        app.include_router(channel.router(), prefix="/web")
        async with listening(app) as url, Visitor(url.replace("http", "ws") + "/web/socket/smile-dental") as visitor:
            yield Customer(visitor, house)


async def test_the_page_shows_the_business(url: str) -> None:
    """Name, address, phone, hours, services and prices come from the business file; the chat stands in it."""
    async with httpx.AsyncClient(base_url=url) as client:
        page = await client.get("/web/chat/smile-dental")
    assert page.status_code == 200
    for told in ("Smile Dental", "1 Main Street", "tel:+15550100199", "9 am – 5 pm", "Cleaning", "30 min", "$120"):
        assert told in page.text
    assert '<hayai-chat business="smile-dental" inline' in page.text


async def test_the_page_runs_nothing_but_our_own_files(url: str) -> None:
    """The policy forbids inline scripts and strange origins, and the page needs neither."""
    async with httpx.AsyncClient(base_url=url) as client:
        page = await client.get("/web/chat/smile-dental")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'" in policy
    assert "frame-ancestors 'self'" in policy
    assert "unsafe" not in policy
    assert "style=" not in page.text
    assert "onclick" not in page.text
    assert page.headers["x-content-type-options"] == "nosniff"


async def test_what_a_business_file_says_is_never_html(house: House, serve: Serve) -> None:
    """A name with a tag in it shows as it is written."""
    bold = house.business.model_copy(update={"name": "<b>Smile & Co</b>", "address": '"><script>alert(1)</script>'})
    house.tier.businesses["smile-dental"] = bold
    async with serve() as url, httpx.AsyncClient(base_url=url) as client:
        page = await client.get("/web/chat/smile-dental")
    assert "&lt;b&gt;Smile &amp; Co&lt;/b&gt;" in page.text
    assert "<script>alert" not in page.text


async def test_the_page_tells_what_differs_soon(house: House, serve: Serve) -> None:
    """A holiday in the next 30 days stands below the week, with its reason."""
    holiday = DayException(day=date(2026, 3, 17), reason="St Patrick's <day>")
    schedule = house.business.schedule.model_copy(update={"exceptions": (holiday,)})
    house.tier.businesses["smile-dental"] = house.business.model_copy(update={"schedule": schedule})
    async with serve() as url, httpx.AsyncClient(base_url=url) as client:
        page = await client.get("/web/chat/smile-dental")
    assert "Tue, 17 Mar" in page.text
    assert "St Patrick&#x27;s &lt;day&gt;" in page.text


@pytest.mark.parametrize(("name", "monogram"), [("Oak & Tile Remodeling", "OT"), ("Zoë", "Z"), ("***", "")])
async def test_the_monogram_is_made_of_letters(house: House, serve: Serve, name: str, monogram: str) -> None:
    """The first of each of the first two words that begin with one."""
    house.tier.businesses["smile-dental"] = house.business.model_copy(update={"name": name})
    async with serve() as url, httpx.AsyncClient(base_url=url) as client:
        page = await client.get("/web/chat/smile-dental")
    assert f'class="monogram" aria-hidden="true">{monogram}</span>' in page.text


async def test_a_business_that_is_not_here_gets_a_page_that_says_so(url: str) -> None:
    """404, one sentence, whatever stands in the address."""
    async with httpx.AsyncClient(base_url=url) as client:
        for tenant in ("nobody", "%00", "%3Cscript%3E", "x" * 3000):
            page = await client.get(f"/web/chat/{tenant}")
            assert page.status_code == 404
            assert "There is no such business here" in page.text


async def test_files_may_be_loaded_by_any_home_page_and_are_sent_once(url: str) -> None:
    """Cross-origin loading is allowed, and a file that the browser has is answered with 304."""
    async with httpx.AsyncClient(base_url=url) as client:
        for path in ("/web/widget.js", "/web/static/chat.js"):
            script = await client.get(path)
            assert script.status_code == 200
            assert script.headers["content-type"].startswith("text/javascript")
            assert script.headers["access-control-allow-origin"] == "*"
            etag = script.headers["etag"]
            for known in (etag, f"W/{etag}", f'"older", {etag}'):  # a proxy that compresses makes it weak
                again = await client.get(path, headers={"If-None-Match": known})
                assert (again.status_code, again.content) == (304, b"")


async def test_who_watches_the_page_may_ask_for_the_head_alone(url: str) -> None:
    """And gets what the page itself would bring, without its body."""
    async with httpx.AsyncClient(base_url=url) as client:
        for path in ("/web/chat/smile-dental", "/web/widget.js", "/web/static/chat.js"):
            head = await client.head(path)
            assert (head.status_code, head.content) == (200, b"")


@pytest.mark.parametrize("name", ["page.html", "nothing.js", "..%2Fchat.py", "%2e%2e/chat.py", "%00"])
async def test_only_files_of_the_page_are_served(url: str, name: str) -> None:
    """No template, nothing outside the folder."""
    async with httpx.AsyncClient(base_url=url) as client:
        assert (await client.get(f"/web/static/{name}")).status_code == 404


async def test_the_channel_says_where_its_page_is(house: House) -> None:
    """The front page and the ready file link to it."""
    channel = WebChannel(ChatSettings(), bus=house.bus, tier=house.tier, clock=house.clock)
    assert channel.page("smile-dental") == "/web/chat/smile-dental"
