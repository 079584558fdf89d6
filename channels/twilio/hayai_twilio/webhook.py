"""Webhook: a request of Twilio's, checked before anything of it is believed, and the message or report in it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hayai.errors import EventMismatch
from hayai.vocabulary.messages import Attachment
from hayai_twilio.signature import Asked, collected

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import Request

    from hayai_twilio.form import Fields

_SID = re.compile(r"(SM|MM)[0-9a-fA-F]{32}\Z")
_WORD = re.compile(r"[a-z_]{1,32}\Z")
_CODE = re.compile(r"[0-9]{0,6}\Z")
_ADDRESS = re.compile(r"(whatsapp:)?[+A-Za-z0-9 _-]{3,40}\Z")
"""A number, a short code, or a sender's name in letters."""
_MOST_MEDIA = 10
_WHATSAPP = "whatsapp:"


async def asked(request: Request, public_url: str | None) -> Asked:
    """The request as it must be judged; its URL is the one that Twilio called.

    The configured address goes before all: what a request says about itself, anybody can write. Without one, it is
    the host that the request names; the scheme is the proxy's word where the web server trusts that proxy.
    """
    scope = request.scope
    query = f"?{scope['query_string'].decode('latin-1')}" if scope["query_string"] else ""
    origin = public_url or f"{request.url.scheme}://{request.headers.get('host', '')}"
    path = scope.get("raw_path", scope["path"].encode()).decode("latin-1")
    return Asked(origin + path + query, collected(scope["headers"]), await request.body())


@dataclass(frozen=True)
class Text:
    """A text message that came in."""

    sid: str
    account: str
    sender: str = field(repr=False)
    to: str = field(repr=False)
    body: str = field(repr=False)
    attachments: tuple[Attachment, ...] = field(repr=False)

    @property
    def kind(self) -> str:
        """What sort of address the sender's is."""
        return kind_of(self.sender)


@dataclass(frozen=True)
class Report:
    """How far a message got."""

    sid: str
    account: str
    status: str
    code: str


def text(form: Fields) -> Text:
    """The message in a form. Raises EventMismatch where it is none."""
    said = dict(form)
    media = said.get("NumMedia", "0") or "0"
    if not (media.isdecimal() and int(media) <= _MOST_MEDIA):
        raise EventMismatch("NumMedia is no number of media: this is no message of Twilio's.")
    return Text(
        sid=_fitting(said, "MessageSid", _SID),
        account=said.get("AccountSid", ""),
        sender=_fitting(said, "From", _ADDRESS),
        to=_fitting(said, "To", _ADDRESS),
        body=said.get("Body", ""),
        attachments=tuple(_attachment(said, number) for number in range(int(media))),
    )


def report(form: Fields) -> Report:
    """The report in a form. Raises EventMismatch where it is none."""
    said = dict(form)
    return Report(
        sid=_fitting(said, "MessageSid", _SID),
        account=said.get("AccountSid", ""),
        status=_fitting(said, "MessageStatus", _WORD),
        code=_fitting({"ErrorCode": "", **said}, "ErrorCode", _CODE),
    )


def kind_of(address: str) -> str:
    """What sort of address that is, as the port `people` keeps it."""
    return "whatsapp" if address.startswith(_WHATSAPP) else "phone"


def _attachment(said: Mapping[str, str], number: int) -> Attachment:
    return Attachment(url=said.get(f"MediaUrl{number}", ""), media_type=said.get(f"MediaContentType{number}", ""))


def _fitting(said: Mapping[str, str], name: str, pattern: re.Pattern[str]) -> str:
    value = said.get(name, "")
    if pattern.match(value) is None:
        raise EventMismatch(f"{name} is missing or not what Twilio sends there: this is no webhook of Twilio's.")
    return value
