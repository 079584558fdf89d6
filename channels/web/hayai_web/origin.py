"""Origin: which home pages may open the chat's socket."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


_ORIGIN = re.compile(r"https?://(([a-z0-9_-]+\.)*[a-z0-9_-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?")
_PORTS = {"http": ":80", "https": ":443"}


def as_browsers_write(origin: str) -> str:
    """`https://Zähne.example:443` as the header Origin has it: lower case, ASCII, without the usual port.

    Raises ValueError for what is no origin.
    """
    told = origin.lower()
    scheme, _, host = told.partition("://")
    with suppress(UnicodeError):  # an empty part or a long one: no name, and refused below
        told = f"{scheme}://{host.removesuffix(_PORTS.get(scheme, '')).encode('idna').decode()}"
    if not _ORIGIN.fullmatch(told):
        raise ValueError(f'{origin!r} is no origin: write it as in "https://smile.example", without a path')
    return told


def welcome_origin(headers: Mapping[str, str], origins: Sequence[str]) -> bool:
    """Whether the page that asks is ours, or one of `origins`; what is no browser sends no origin and is let in.

    A session is never in a cookie, so that a strange page gains nothing by asking: this keeps the chat off pages that
    the business does not know.
    """
    origin = headers.get("origin", "").lower()
    if not origin or "*" in origins or origin in origins:
        return True
    scheme, _, host = origin.partition("://")
    return host == headers.get("host", "").lower().removesuffix(_PORTS.get(scheme, ""))  # proxies may name the port
