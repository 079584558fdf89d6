"""Origin: which home pages may open the chat's socket."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def welcome_origin(headers: Mapping[str, str], origins: Sequence[str]) -> bool:
    """Whether the page that asks is ours, or one of `origins`; what is no browser sends no origin and is let in.

    A session is never in a cookie, so that a strange page gains nothing by asking: this keeps the chat off pages that
    the business does not know.
    """
    origin = headers.get("origin", "").lower()
    if not origin or "*" in origins or origin in origins:
        return True
    return origin.partition("://")[2] == headers.get("host", "").lower()
