"""The door: one FastAPI application out of health, the staff API and every channel's routes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from html import escape
from typing import TYPE_CHECKING

from fastapi import FastAPI
from fastapi.responses import HTMLResponse, JSONResponse

from hayai.errors import HayaiError
from hayai.web.api import api
from hayai.web.problems import answer_problems

if TYPE_CHECKING:
    from hayai.bus.base import Bus
    from hayai.channel import Channel
    from hayai.clock import Clock
    from hayai.tier import Tier

Check = Callable[[], Awaitable[None]]
"""Returns when a part of the install works; raises a HayaiError with a sentence when it does not."""


def door(tier: Tier, bus: Bus, channels: Iterable[Channel], checks: Mapping[str, Check], clock: Clock) -> FastAPI:
    """The application that a web server serves; `checks` decide what /health/ready answers."""
    channels = list(channels)
    app = FastAPI(title="Hayai", summary="A private AI-automation platform.", redoc_url=None)
    answer_problems(app)
    app.include_router(api(tier, bus, clock))
    for channel in channels:
        app.include_router(channel.router(), prefix=f"/{channel.name}")
    _health(app, checks)
    _front(app, tier, channels)
    return app


def _health(app: FastAPI, checks: Mapping[str, Check]) -> None:
    @app.get("/health/live", tags=["health"])
    async def live() -> dict[str, str]:
        """The process answers."""
        return {"status": "live"}

    @app.get("/health/ready", tags=["health"])
    async def ready() -> JSONResponse:
        """Every part works, or 503 and a sentence for each that does not."""
        parts = {name: await _outcome(check) for name, check in checks.items()}
        well = all(outcome == "ok" for outcome in parts.values())
        return JSONResponse({"status": "ready" if well else "not ready", "parts": parts}, 200 if well else 503)


async def _outcome(check: Check) -> str:
    try:
        await check()
    except HayaiError as wrong:
        return str(wrong)
    return "ok"


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
        f'<ul>{links}</ul><p><a href="/docs">Staff API</a> · <a href="/health/ready">Health</a></p></html>'
    )
