"""The simulated REST API: messages are taken, shown and reported on; the errors are Twilio's."""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse, Response
from fastapi.security import HTTPBasic, HTTPBasicCredentials
from starlette.requests import ClientDisconnect

from hayai_twilio.form import fields
from hayai_twilio.simulator.account import Refused

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from hayai_twilio.simulator.account import Account, Fault, Message

_API = "https://api.twilio.com"
"""Where Twilio's own pages of a list say that they are."""
_BASE = "/2010-04-01/Accounts/{account}"
_FOR_EVER = 3600.0
_basic = HTTPBasic(auto_error=False)


def api(account: Account, taken: Callable[[Message], Awaitable[None]]) -> FastAPI:
    """The application; `taken` is told of each message that was taken, after the answer went out."""
    app = FastAPI(title="Twilio, simulated", docs_url=None, redoc_url=None)
    server = _Server(account, taken)
    app.add_api_route(f"{_BASE}/Messages.json", server.create, methods=["POST"])
    app.add_api_route(f"{_BASE}/Messages.json", server.listed, methods=["GET"])
    app.add_api_route(f"{_BASE}/Messages/{{sid}}.json", server.one, methods=["GET"])
    app.add_api_route(f"{_BASE}/Balance.json", server.balance, methods=["GET"])
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(ClientDisconnect, _gone)
    return app


class _Server:
    def __init__(self, account: Account, taken: Callable[[Message], Awaitable[None]]) -> None:
        self._account = account
        self._taken = taken
        self._under_way: set[asyncio.Task[None]] = set()

    async def create(self, account: str, request: Request) -> Response:
        """POST Messages.json."""
        await self._admit(account, request)
        fault = self._account.faults.popleft() if self._account.faults else None
        await _before(fault)
        message = self._account.take(dict(fields(await request.body())))
        told = message.told(account)
        task = asyncio.ensure_future(self._taken(message))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        await _after(fault)
        return JSONResponse(told, 201)

    async def listed(self, account: str, request: Request) -> dict[str, Any]:
        """GET Messages.json, the first page."""
        await self._admit(account, request)
        asked = request.query_params
        most = min(int(asked.get("PageSize", 50)), 1000)
        found = self._account.found(asked.get("To"), asked.get("From"))[:most]
        uri = f"{_API}{_BASE.format(account=account)}/Messages.json?PageSize={most}&Page=0"
        return {
            "end": max(0, len(found) - 1), "first_page_uri": uri, "messages": [each.told(account) for each in found],
            "next_page_uri": None, "page": 0, "page_size": most, "previous_page_uri": None, "start": 0, "uri": uri,
        }  # fmt: skip

    async def one(self, account: str, sid: str, request: Request) -> dict[str, Any]:
        """GET one message."""
        await self._admit(account, request)
        found = next((each for each in self._account.messages if each.sid == sid), None)
        if found is None:
            raise Refused(404, 20404, f"The requested resource Messages/{sid} was not found")
        return found.told(account)

    async def balance(self, account: str, request: Request) -> dict[str, str]:
        """GET Balance.json."""
        await self._admit(account, request)
        return {"account_sid": account, "balance": self._account.balance, "currency": "USD"}

    async def _admit(self, account: str, request: Request) -> None:
        given = await _basic(request)
        if account != self._account.sid or not _knows(given, self._account):
            raise Refused(401, 20003, "Authenticate")


def _knows(given: HTTPBasicCredentials | None, account: Account) -> bool:
    return given is not None and secrets.compare_digest(given.password.encode(), account.token.encode())


async def _before(fault: Fault | None) -> None:
    if fault == "429":
        raise HTTPException(429, "Too Many Requests", {"Retry-After": "1"})
    if fault == "500":
        raise Refused(500, 20500, "Internal Server Error")
    if fault == "silence":
        await asyncio.sleep(_FOR_EVER)


async def _after(fault: Fault | None) -> None:
    if fault == "500 after":
        raise Refused(500, 20500, "Internal Server Error")
    if fault == "silence after":
        await asyncio.sleep(_FOR_EVER)


async def _refused(request: Request, refused: Exception) -> JSONResponse:
    del request
    assert isinstance(refused, Refused), "registered for no other"
    return JSONResponse(refused.body, refused.status)


async def _gone(request: Request, gone: Exception) -> Response:
    """Nobody hears this: who sent a part of a message has died, and nothing was taken."""
    del request, gone
    return Response(status_code=400)
