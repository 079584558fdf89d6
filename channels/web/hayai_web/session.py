"""Sessions: who a visitor is, signed, so that nobody can speak in somebody else's conversation.

A signed session is `TENANT.VISITOR.CONVERSATION.EXPIRY.SIGNATURE`: opaque tokens, a Unix time, an HMAC-SHA256 in hex.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hayai.errors import PermanentError, TenantWrong
from hayai.tokens import fresh, token

if TYPE_CHECKING:
    from datetime import timedelta

    from hayai.clock import Clock

_PURPOSE = b"hayai web session 1\x00"
"""Keeps a signature made here from meaning anything elsewhere, should the key be used twice."""
_PARTS = 4


class SessionEnded(PermanentError):
    """The session is forged, damaged, or older than it may be: a visitor simply begins a new one."""


@dataclass(frozen=True)
class Session:
    """One visitor of one business, and their conversation."""

    tenant: str
    visitor: str
    conversation: str
    expires: datetime


class Sessions:
    """Begins, signs and reads sessions; those signed with a `former` key are read as well."""

    def __init__(self, key: bytes, *, lifetime: timedelta, clock: Clock, former: bytes | None = None) -> None:
        self._key = key
        self._readable = (key, former) if former else (key,)
        self._lifetime = lifetime
        self._clock = clock

    def begin(self, tenant: str) -> Session:
        """A new visitor with a new conversation."""
        return Session(token(tenant, what="tenant"), fresh(), fresh(), self._clock() + self._lifetime)

    def renewed(self, session: Session) -> Session:
        """The same visitor and conversation, for a whole lifetime from now."""
        return replace(session, expires=self._clock() + self._lifetime)

    def sign(self, session: Session) -> str:
        """The session as the visitor's browser keeps it."""
        expires = int(session.expires.timestamp())
        payload = f"{session.tenant}.{session.visitor}.{session.conversation}.{expires}"
        return f"{payload}.{_signature(self._key, payload)}"

    def read(self, signed: str, *, tenant: str) -> Session:
        """The session in `signed`. Raises SessionEnded, or TenantWrong where it is another business's."""
        payload, _, signature = signed.rpartition(".")
        # bytes, because compare_digest refuses to compare text outside ASCII
        signed_by = [
            hmac.compare_digest(signature.encode(), _signature(key, payload).encode()) for key in self._readable
        ]
        if not any(signed_by):
            raise SessionEnded("This session was not signed here: begin a new one.")
        parts = payload.split(".")
        if len(parts) != _PARTS:
            raise SessionEnded("This session has not the form of one: begin a new one.")
        session = Session(parts[0], parts[1], parts[2], datetime.fromtimestamp(int(parts[3]), UTC))
        if session.tenant != tenant:
            raise TenantWrong("This session belongs to another business: begin a new one here.")
        if session.expires <= self._clock():
            raise SessionEnded("This session has expired: begin a new one.")
        return session


def _signature(key: bytes, payload: str) -> str:
    return hmac.new(key, _PURPOSE + payload.encode(), hashlib.sha256).hexdigest()
