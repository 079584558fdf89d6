"""Logs: lines on standard error; an exception is told by its class and its places, never by its text.

The text of an exception that is not ours may hold what a person said or is: a database quotes the row (`DETAIL: Key
(contact)=(...) already exists`), a model quotes its input, and a server that logs an exception logs that as well.
"""

from __future__ import annotations

import asyncio
import copy
import logging
from typing import TYPE_CHECKING, Any

from hayai.bus.explain import explained, places

if TYPE_CHECKING:
    from types import TracebackType

    Excused = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]

_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_MOST_FRAMES = 20
_log = logging.getLogger(__name__)


class Discreet(logging.Formatter):
    """Formats an exception as told() does."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one text; what another handler made of its exception is not used."""
        record = copy.copy(record)
        record.exc_text = None
        return super().format(record)

    def formatException(self, ei: Excused) -> str:  # noqa: N802 - logging's name
        """The exception's class and places."""
        return "" if ei[1] is None else told(ei[1])


def told(wrong: BaseException) -> str:
    """What may be said of an exception, with the places that it went through and what it was raised from."""
    lines = "\n  ".join([explained(wrong), *places(wrong)[-_MOST_FRAMES:]])
    cause = wrong.__cause__ or (None if wrong.__suppress_context__ else wrong.__context__)
    return f"{lines}\nfrom {told(cause)}" if cause else lines


def begin() -> None:
    """Send what all loggers say to standard error, discreetly. Call it in the event loop that will run."""
    root = logging.getLogger()
    root.handlers[:] = [each for each in root.handlers if not isinstance(each.formatter, Discreet)]
    handler = logging.StreamHandler()
    handler.setFormatter(Discreet(_FORMAT))
    root.addHandler(handler)
    asyncio.get_running_loop().set_exception_handler(_unheard)


def _unheard(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """An exception that nobody awaited; asyncio's own handler would log the task with the exception's text."""
    wrong = context.get("exception")
    said = told(wrong) if isinstance(wrong, BaseException) else "no exception"
    _log.error("%s: %s", context["message"], said)
