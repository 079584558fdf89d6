"""Frames: the JSON messages that travel on the chat's socket, each way; version 1.

A browser says hello, say, ping. We answer welcome, line, received, piece, refused, pong.
"""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from hayai.ports.conversations import Speaker

ClientId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
"""The browser's own id of a message, the same on every resend."""


class _Frame(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Hello(_Frame):
    """The first frame of every socket."""

    type: Literal["hello"]
    version: Literal[1] = 1
    session: str | None = Field(default=None, max_length=400)
    after: int = Field(default=0, ge=0, le=2**31 - 1)
    """The position of the last line that the browser has without a gap."""
    pending: tuple[ClientId, ...] = Field(default=(), max_length=100)
    """Messages without an acknowledgement yet; they will be sent again."""


class Say(_Frame):
    """A message of the visitor."""

    type: Literal["say"]
    id: ClientId
    text: str


class Ping(_Frame):
    """Is anybody there? A browser cannot see the protocol's own pings."""

    type: Literal["ping"]


FromBrowser = Annotated[Hello | Say | Ping, Field(discriminator="type")]
BROWSER_FRAMES: TypeAdapter[Hello | Say | Ping] = TypeAdapter(FromBrowser)


class Welcome(_Frame):
    """The socket is ready; the lines behind `after` follow."""

    type: Literal["welcome"] = "welcome"
    version: Literal[1] = 1
    session: str
    """To be kept and shown again; renewed on every hello."""
    fresh: bool
    """A new conversation began: whatever the browser remembers of an older one is over."""
    position: int
    """The last line there is now: up to here the browser is catching up."""
    business: str
    greeting: str
    message_length: int


class LineSaid(_Frame):
    """One line of the transcript, sent once a socket."""

    type: Literal["line"] = "line"
    position: int
    id: str
    speaker: Speaker
    text: str
    choices: tuple[str, ...]
    at: datetime
    say: ClientId | None = None
    """The browser's own id of it, where this browser said it."""


class Received(_Frame):
    """The message is recorded and published: it will not be lost."""

    type: Literal["received"] = "received"
    id: ClientId
    position: int


class Piece(_Frame):
    """A piece of the answer that is being made; the line that follows replaces all pieces."""

    type: Literal["piece"] = "piece"
    text: str


RefusedCode = Literal["unreadable", "session", "business", "origin", "too_long", "empty", "too_fast", "busy", "away"]


class Refused(_Frame):
    """Something was not taken: why, in one sentence, and whether to try again."""

    type: Literal["refused"] = "refused"
    id: ClientId | None = None
    code: RefusedCode
    reason: str
    again: float | None = None
    """Seconds after which to try again without asking anybody; absent: the same would be refused again."""


class Pong(_Frame):
    """Somebody is there."""

    type: Literal["pong"] = "pong"


ToBrowser = Welcome | LineSaid | Received | Piece | Refused | Pong
