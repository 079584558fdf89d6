"""Account: what Twilio knows of one account: its messages, who has said STOP, and what is to go wrong next."""

from __future__ import annotations

import re
import secrets
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, Literal

from hayai_twilio.encoding import LONGEST, size

Fault = Literal["429", "500", "500 after", "silence", "silence after"]
"""What the next request that would send a message meets: an answer, or none; before or after it is taken."""
FAULTS: tuple[Fault, ...] = ("429", "500", "500 after", "silence", "silence after")
_TO = re.compile(r"(whatsapp:)?\+[1-9][0-9]{6,14}\Z")
_STOP = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"})
_START = frozenset({"START", "UNSTOP", "YES"})
_VERSION = "2010-04-01"


class Refused(Exception):
    """Twilio's answer to a request that it does not carry out."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"code": code, "message": message, "status": status, "more_info": f"{_DOCS}/{code}"}


_DOCS = "https://www.twilio.com/docs/errors"


@dataclass
class Message:
    """One message that Twilio took from us."""

    sid: str
    to: str
    sender: str
    body: str
    callback: str | None
    status: str = "queued"
    error_code: int | None = None
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def told(self, account: str) -> dict[str, Any]:
        """As the API shows it."""
        created = format_datetime(self.created_at)
        path = f"/{_VERSION}/Accounts/{account}/Messages/{self.sid}"
        return {
            "account_sid": account,
            "api_version": _VERSION,
            "body": self.body,
            "date_created": created,
            "date_sent": None if self.status in {"accepted", "queued"} else created,
            "date_updated": created,
            "direction": "outbound-api",
            "error_code": self.error_code,
            "error_message": None,
            "from": self.sender,
            "messaging_service_sid": None,
            "num_media": "0",
            "num_segments": str(size(self.body).segments),
            "price": None,
            "price_unit": "USD",
            "sid": self.sid,
            "status": self.status,
            "subresource_uris": {"media": f"{path}/Media.json"},
            "to": self.to,
            "uri": f"{path}.json",
        }


@dataclass
class Account:
    """One account of the simulated Twilio."""

    sid: str
    token: str = field(repr=False)
    numbers: frozenset[str]
    messages: list[Message] = field(default_factory=list[Message])
    faults: deque[Fault] = field(default_factory=deque[Fault])
    opted_out: set[str] = field(default_factory=set[str])
    balance: str = "23.45"
    landlines: set[str] = field(default_factory=set[str])
    """Numbers at which no message arrives."""
    immobile: set[str] = field(default_factory=set[str])
    """Numbers to which Twilio sends none."""

    def take(self, form: dict[str, str]) -> Message:
        """Take a message, as POST Messages.json does. Raises Refused."""
        to, sender, body = (form.get(each, "") for each in ("To", "From", "Body"))
        if _TO.match(to) is None:
            raise Refused(400, 21211, "Invalid 'To' Phone Number")
        if sender not in self.numbers:
            raise Refused(400, 21606, "The 'From' number is not a valid message-capable Twilio number")
        if not body:
            raise Refused(400, 21602, "Message body is required")
        if len(body) > LONGEST:
            raise Refused(400, 21617, "The concatenated message body exceeds the 1600 character limit")
        if to in self.immobile:
            raise Refused(400, 21614, "'To' number is not a valid mobile number")
        if to in self.opted_out:
            raise Refused(400, 21610, "Attempt to send to unsubscribed recipient")
        message = Message(new_sid(), to, sender, body, form.get("StatusCallback"))
        self.messages.append(message)
        return message

    def hear(self, sender: str, body: str) -> None:
        """Note what a carrier notes of a text from a customer: STOP and START. WhatsApp leaves them to us."""
        if sender.startswith("whatsapp:"):
            return
        word = body.strip().upper()
        if word in _STOP:
            self.opted_out.add(sender)
        elif word in _START:
            self.opted_out.discard(sender)

    def found(self, to: str | None, sender: str | None) -> list[Message]:
        """The messages between these numbers, the newest first."""
        return [each for each in reversed(self.messages) if to in {None, each.to} and sender in {None, each.sender}]

    def lands(self, message: Message) -> tuple[str, ...]:
        """The statuses that the message goes through."""
        return ("sent", "undelivered") if message.to in self.landlines else ("sent", "delivered")


def new_sid() -> str:
    """An id as Twilio makes them for messages."""
    return f"SM{secrets.token_hex(16)}"
