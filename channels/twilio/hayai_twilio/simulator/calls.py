"""Calls: the webhooks that Twilio makes, signed by the SDK's own RequestValidator."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import requests
from twilio.request_validator import RequestValidator

from hayai_twilio.simulator.account import new_sid

if TYPE_CHECKING:
    from collections.abc import Callable

    from hayai_twilio.simulator.account import Account, Message

_SECONDS = 15
"""The longest that Twilio waits for an answer."""


class Calls:
    """Webhooks of one account; `via` makes of a URL the one that is really called, as a proxy in front would."""

    def __init__(self, account: Account, *, via: Callable[[str], str] = str) -> None:
        self._account = account
        self._validator = RequestValidator(account.token)
        self._via = via
        self._session = requests.Session()

    async def text(self, url: str, sender: str, to: str, body: str, sid: str | None = None) -> int:
        """Let a customer text; the HTTP status of the answer."""
        self._account.hear(sender, body)
        sid = sid or new_sid()
        form = {
            "ApiVersion": "2010-04-01", "SmsSid": sid, "SmsMessageSid": sid, "MessageSid": sid, "SmsStatus": "received",
            "AccountSid": self._account.sid, "From": sender, "To": to, "Body": body, "NumMedia": "0",
            "NumSegments": "1", "FromCity": "", "FromCountry": "US",
        }  # fmt: skip
        return await self.post(url, form)

    async def report(self, message: Message, status: str) -> int | None:
        """Report how far a message got, where that was asked for; the HTTP status of the answer."""
        if message.callback is None:
            return None
        form = {
            "AccountSid": self._account.sid, "ApiVersion": "2010-04-01", "From": message.sender, "To": message.to,
            "MessageSid": message.sid, "MessageStatus": status, "SmsSid": message.sid, "SmsStatus": status,
        }  # fmt: skip
        if message.error_code is not None and status in {"failed", "undelivered"}:
            form["ErrorCode"] = str(message.error_code)
        return await self.post(message.callback, form)

    async def post(self, url: str, form: dict[str, str]) -> int:
        """One signed webhook; 0 where nobody answered."""
        signature = self._validator.compute_signature(url, form)
        return await asyncio.to_thread(self._post, url, form, signature)

    def _post(self, url: str, form: dict[str, str], signature: str) -> int:
        headers = {"X-Twilio-Signature": signature}
        try:
            return self._session.post(self._via(url), data=form, headers=headers, timeout=_SECONDS).status_code
        except requests.RequestException:
            return 0
