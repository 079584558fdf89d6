"""Addresses: the servers of a cluster in one setting, `nats://user:password@a:4222,nats://b:4222`, and who we are."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

_USUAL_PORT = 4222


@dataclass(frozen=True)
class Addresses:
    """Where to connect: the next where one does not answer; and to all with the same credentials.

    These are the first that stand in any of the addresses, user and password or a token: a cluster names its other
    servers to a client, and names them without.
    """

    urls: tuple[str, ...]
    user: str | None = None
    password: str | None = None
    token: str | None = None

    @property
    def shown(self) -> str:
        """All of them without credentials: fit for a sentence."""
        parts = [urlsplit(each) for each in self.urls]
        return " or ".join(f"{each.hostname}:{each.port or _USUAL_PORT}" for each in parts)


def addresses(url: str) -> Addresses:
    """What `url` says: one address, or several with commas between them."""
    urls = tuple(each for part in url.split(",") if (each := part.strip()))
    for parts in map(urlsplit, urls):
        if parts.username is not None and parts.password is not None:
            return Addresses(urls, user=parts.username, password=parts.password)
        if parts.username is not None:
            return Addresses(urls, token=parts.username)
    return Addresses(urls)
