"""Gateway: messages by Twilio's REST API, one request each, with a time limit, and what an error means.

The SDK's ordinary client is used, in threads: its asynchronous one ignores its timeout, and repeats a POST that was
answered with 500, which may be a second text.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import requests
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client
from urllib3.exceptions import NewConnectionError

from hayai.errors import OutcomeUnclear, RateLimited, Unavailable
from hayai_twilio.refusals import refusal

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from twilio.http.response import Response

_API = "https://api.twilio.com"
_LOOKED_THROUGH = 50
"""Messages between two numbers, the newest first, among which one that was just sent must be."""
_TOO_MANY = 429
_silent = logging.getLogger("hayai_twilio.sdk")
_silent.setLevel(logging.CRITICAL)  # the SDK's log lines hold numbers, and so do those of what it sends with:
logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)


@dataclass(frozen=True)
class Sent:
    """A message as Twilio has it."""

    sid: str
    status: str
    created_at: datetime | None = None
    body: str = field(default="", repr=False)


@dataclass(frozen=True)
class Draft:
    """A message to be sent."""

    to: str = field(repr=False)
    sender: str = field(repr=False)
    body: str = field(repr=False)
    callback: str | None = None
    """Where Twilio reports how far it got."""


class Gateway:
    """One account. Every call raises Unavailable where nothing was done, and RateLimited."""

    def __init__(self, account: str, user: str, password: str, *, url: str = _API, timeout: float = 10) -> None:
        self._client = Client(user, password, account, http_client=_Http(url, timeout))

    async def send(self, draft: Draft) -> Sent:
        """Send it, once.

        Raises OutcomeUnclear where nobody can say whether it was sent, and what refusal() makes of Twilio's.
        """
        return await asyncio.to_thread(self._send, draft)

    async def find(self, draft: Draft, *, since: datetime) -> list[Sent]:
        """Messages of the same words between the same numbers that Twilio took since then, the newest first.

        They are not asked for by the day on which they were sent: one that still waits has none.
        """
        return [each for each in await asyncio.to_thread(self._recent, draft) if _is(each, draft, since)]

    async def balance(self) -> tuple[str, str]:
        """What the account has left, and in which currency, as Twilio writes it: ("12.34", "USD")."""
        return await asyncio.to_thread(self._balance)

    def _send(self, draft: Draft) -> Sent:
        more = {"status_callback": draft.callback} if draft.callback else {}
        made = _told(
            lambda: self._client.messages.create(to=draft.to, from_=draft.sender, body=draft.body, **more),
            lost=OutcomeUnclear("Twilio's answer was lost: whether the message was sent is asked at the next try."),
        )
        return _sent(made)

    def _recent(self, draft: Draft) -> list[Sent]:
        found = _told(
            lambda: self._client.messages.list(to=draft.to, from_=draft.sender, limit=_LOOKED_THROUGH), lost=_away()
        )
        return [_sent(each) for each in found]

    def _balance(self) -> tuple[str, str]:
        found = _told(self._client.balance.fetch, lost=_away())
        return found.balance, found.currency


class _Http(TwilioHttpClient):  # type: ignore[misc]  # the SDK ships no types
    """The SDK's client, which calls another place than Twilio's own where it is told to."""

    def __init__(self, url: str, timeout: float) -> None:
        super().__init__(timeout=timeout, logger=_silent)
        self._url = url

    def request(self, method: str, url: str, *args: Any, **options: Any) -> Response:
        """One request. Raises RateLimited with the pause that Twilio asks for."""
        answer = super().request(method, self._url + url.removeprefix(_API), *args, **options)
        if answer.status_code == _TOO_MANY:
            pause = str((answer.headers or {}).get("Retry-After", ""))
            raise RateLimited(
                "Twilio asks for fewer requests: it is tried again.", after=float(pause) if pause.isdecimal() else None
            )
        return answer


def _told(ask: Callable[[], Any], *, lost: Exception) -> Any:
    """What Twilio says, or the error that it means; `lost` where its answer did not come, or not whole."""
    try:
        return ask()
    except TwilioRestException as refused:
        raise refusal(refused.status, refused.code) from None
    except requests.ConnectionError as broken:
        raise (_away() if _never_began(broken) else lost) from None
    except (requests.RequestException, TwilioException, ValueError, AttributeError, KeyError):
        raise lost from None


def _never_began(broken: requests.ConnectionError) -> bool:
    """Whether there was no connection over which anything could have been sent."""
    reason = getattr(broken.args[0] if broken.args else None, "reason", None)
    return isinstance(broken, requests.ConnectTimeout | requests.exceptions.SSLError) or isinstance(
        reason, NewConnectionError
    )


def _away() -> Unavailable:
    return Unavailable("Twilio's API does not answer: see that this machine reaches it (status.twilio.com tells more).")


def _sent(message: Any) -> Sent:
    return Sent(message.sid, str(message.status), message.date_created, message.body or "")


def _is(found: Sent, draft: Draft, since: datetime) -> bool:
    return found.body == draft.body and (found.created_at is None or found.created_at >= since)
