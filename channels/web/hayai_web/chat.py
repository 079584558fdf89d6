"""WebChannel: the page, the widget and the socket through which customers write from a browser."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from fastapi import APIRouter, HTTPException, Request, Response, WebSocket
from fastapi.responses import HTMLResponse

from hayai.channel import Channel, live_topic
from hayai_web.assets import Asset, read_assets
from hayai_web.desk import Desk
from hayai_web.key import kept_key
from hayai_web.live import line_hint
from hayai_web.origin import welcome_origin
from hayai_web.page import page, page_headers
from hayai_web.session import Sessions
from hayai_web.settings import ChatSettings
from hayai_web.visit import Visit
from hayai_web.wire import POLICY, RESTART, Gone, TurnedAway, Wire

if TYPE_CHECKING:
    from hayai.bus.base import Bus
    from hayai.clock import Clock
    from hayai.handlers import Context
    from hayai.ports.base import Settings
    from hayai.ports.conversations import Line
    from hayai.tier import Tier
    from hayai.vocabulary.messages import ReplyReady

_READ = ["GET", "HEAD"]  # what watches a site asks for the head alone


class WebChannel(Channel):
    """GET /chat/{business}, /widget.js, /static/{file}; WebSocket /socket/{business}."""

    name: ClassVar[str] = "web"
    Settings: ClassVar[type[Settings]] = ChatSettings

    def __init__(self, settings: ChatSettings, *, bus: Bus, tier: Tier, clock: Clock) -> None:
        self._settings = settings
        self._bus = bus
        self._tier = tier
        self._clock = clock
        self._assets: dict[str, Asset] = {}
        self._desk: Desk | None = None
        self._open: set[Wire] = set()

    async def start(self) -> None:
        """Read the page's files and the key. Raises SettingsError where no key can be kept."""
        self._assets = await asyncio.to_thread(read_assets)
        given, before = self._settings.session_key, self._settings.former_session_key
        key = given.get_secret_value().encode() if given else await asyncio.to_thread(kept_key, self._settings.data)
        former = before.get_secret_value().encode() if before else None
        lifetime = timedelta(days=self._settings.session_days)
        sessions = Sessions(key, lifetime=lifetime, clock=self._clock, former=former)
        self._desk = Desk.made(self._settings, self._bus, self._tier, self._clock, sessions)

    async def stop(self) -> None:
        """Close the open sockets; their browsers come back to whoever serves then."""
        await asyncio.gather(*(wire.close(RESTART) for wire in self._open))

    def page(self, tenant: str) -> str | None:
        """The path of that business's page."""
        return f"/{self.name}/chat/{tenant}"

    def router(self) -> APIRouter:
        """The routes, for after start()."""
        router = APIRouter(tags=["web"], include_in_schema=False)
        router.add_api_route("/chat/{tenant}", self._page, methods=_READ)
        router.add_api_route("/widget.js", self._widget, methods=_READ)
        router.add_api_route("/static/{name}", self._static, methods=_READ)
        router.add_api_websocket_route("/socket/{tenant}", self._socket)
        return router

    async def deliver(self, reply: ReplyReady, line: Line, context: Context) -> None:
        """Tell the open sockets of the conversation that there is a line; they read it. Raises Unavailable."""
        del reply
        await self._bus.signal(live_topic(context.tenant, context.conversation), line_hint(line))

    async def _page(self, tenant: str) -> Response:
        headers = page_headers(self._settings.origins)
        business = self._tier.businesses.get(tenant)
        if business is None:
            return HTMLResponse(self._assets["missing.html"].body, 404, headers)
        return HTMLResponse(page(self._assets["page.html"].body.decode(), business, self._clock()), 200, headers)

    async def _widget(self, request: Request) -> Response:
        return self._assets["widget.js"].answer(request)

    async def _static(self, name: str, request: Request) -> Response:
        if name not in self._assets or name.endswith(".html"):
            raise HTTPException(404, "There is no such file.")
        return self._assets[name].answer(request)

    async def _socket(self, socket: WebSocket, tenant: str) -> None:
        wire = Wire(socket)
        await wire.open()
        self._open.add(wire)
        try:
            await self._visit(tenant, socket, wire).run()
        except TurnedAway as turned:
            await _part(wire, turned)
        finally:
            self._open.discard(wire)

    def _visit(self, tenant: str, socket: WebSocket, wire: Wire) -> Visit:
        """The visit of this socket. Raises TurnedAway for a business or a home page that we do not know."""
        business = self._tier.businesses.get(tenant)
        if business is None:
            raise TurnedAway("business", "There is no such business here: check the link.", closing=POLICY)
        if not welcome_origin(socket.headers, self._settings.origins):
            raise TurnedAway(
                "origin", "This chat may not be embedded in that page: add its origin to the settings.", closing=POLICY
            )
        assert self._desk is not None, "start() comes before the first socket"
        return Visit(wire, self._desk, business, self.name)


async def _part(wire: Wire, turned: TurnedAway) -> None:
    try:
        await wire.turn_away(turned)
    except Gone:
        return
