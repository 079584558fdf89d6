"""The door: one FastAPI application out of health, the staff API and every channel's routes."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse

from hayai.web.api import api
from hayai.web.bodies import BoundedBodies
from hayai.web.contracts import contract_routes
from hayai.web.events import events
from hayai.web.problems import answer_problems
from hayai.web.readiness import Check, Readiness

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from starlette.middleware.base import RequestResponseEndpoint

    from hayai.bus.base import Bus
    from hayai.channel import Channel
    from hayai.clock import Clock
    from hayai.contracts.registry import Registry
    from hayai.tier import Tier

_ILL = "does not work: the log and `hayai doctor` say why"
_LEFT_OUT = "left out: the log says why"
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def door(
    tier: Tier,
    bus: Bus,
    channels: Iterable[Channel],
    checks: Mapping[str, Check],
    clock: Clock,
    *,
    contracts: Registry | None = None,
    left_out: Iterable[str] = (),
    front: bool = False,
) -> FastAPI:
    """The application that a web server serves; `checks` decide what /health/ready answers.

    `contracts` of events are shown where they are given.
    `left_out` are parts that this install runs without: told there, and no reason to be not ready.
    `front` puts a list of every business at /, which is for the one who tries it out on their own machine.
    """
    channels = list(channels)
    # No page of FastAPI's documentation: it loads its scripts from a host that is none of ours.
    app = FastAPI(title="Hayai", summary="A private AI-automation platform.", docs_url=None, redoc_url=None)
    answer_problems(app)
    app.add_middleware(BoundedBodies)
    _guard(app, tuple(f"/{channel.name}/" for channel in channels))
    app.include_router(api(tier, bus, clock))
    if contracts is not None:
        app.include_router(contract_routes(contracts))
    app.include_router(events(tier, bus, clock))
    for channel in channels:
        app.include_router(channel.router(), prefix=f"/{channel.name}")
    _health(app, Readiness(checks), dict.fromkeys(left_out, _LEFT_OUT))
    if front:
        _front(app, tier, channels)
    return app


def _guard(app: FastAPI, channels: tuple[str, ...]) -> None:
    """Give every answer that is no channel's own the headers that keep it from caches and other pages."""

    @app.middleware("http")
    async def guard(request: Request, call_next: RequestResponseEndpoint) -> Response:
        response = await call_next(request)
        if not request.url.path.startswith(channels):
            response.headers.update(_HEADERS)
        return response


def _health(app: FastAPI, readiness: Readiness, left_out: Mapping[str, str]) -> None:
    @app.get("/health/live", tags=["health"])
    async def live() -> dict[str, str]:
        """The process answers."""
        return {"status": "live"}

    @app.get("/health/ready", tags=["health"])
    async def ready() -> JSONResponse:
        """Every part works, or 503 and which does not; the sentence that says why is for the log."""
        parts = await readiness.parts()
        well = all(parts.values())
        told = {**{name: "ok" if works else _ILL for name, works in parts.items()}, **left_out}
        return JSONResponse({"status": "ready" if well else "not ready", "parts": told}, 200 if well else 503)


def _front(app: FastAPI, tier: Tier, channels: list[Channel]) -> None:
    page = _index(tier, channels)

    @app.get("/", include_in_schema=False)
    async def front() -> HTMLResponse:
        """Where to go from here."""
        return HTMLResponse(page)


def _index(tier: Tier, channels: list[Channel]) -> str:
    links = "".join(
        f'<li><a href="{escape(path)}">{escape(business.name)}</a>, {escape(business.trade)}</li>'
        for tenant, business in tier.businesses.items()
        for channel in channels
        if (path := channel.page(tenant))
    )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        "<title>Hayai</title><style>body{font:16px/1.6 system-ui;max-width:40rem;margin:4rem auto;padding:0 1rem}"
        "</style><h1>Hayai is running</h1>"
        f'<ul>{links}</ul><p><a href="/openapi.json">Staff API</a> · <a href="/health/ready">Health</a></p></html>'
    )
