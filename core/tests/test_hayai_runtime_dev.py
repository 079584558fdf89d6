"""`hayai dev`'s screen: the pages of all channels, and the command that forgets this data folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import APIRouter

from hayai.channel import Channel
from hayai.runtime.dev import forgetting, pages

if TYPE_CHECKING:
    from hayai.handlers import Context
    from hayai.ports.conversations import Line
    from hayai.vocabulary.messages import ReplyReady


class _Fax(Channel):
    """A channel without pages."""

    name = "fax"

    def router(self) -> APIRouter:
        return APIRouter()

    async def deliver(self, reply: ReplyReady, line: Line, context: Context) -> None:
        """Nobody reads it."""


class _Chat(_Fax):
    """A channel with a page for each business."""

    name = "chat"

    def page(self, tenant: str) -> str:
        return f"/chat/{tenant}"


def test_a_channel_without_pages_does_not_hide_those_of_another() -> None:
    """In whatever order the tier file names them."""
    told = {"acme": "http://x/chat/acme"}
    assert pages("http://x", ["acme"], [_Chat(), _Fax()]) == told
    assert pages("http://x", ["acme"], [_Fax(), _Chat()]) == told
    assert pages("http://x", ["acme"], [_Fax()]) == {}


def test_the_command_that_forgets_names_the_folder_in_use() -> None:
    """`make dev.reset` would forget another folder's data."""
    assert forgetting(Path(".hayai"), Path("/srv/.hayai")) == "make dev.reset"
    assert forgetting(Path("my data"), Path("/srv/my data")) == "hayai dev --reset --data '/srv/my data'"
