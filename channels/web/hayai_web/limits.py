"""Limits: how fast a visitor may write and how many sockets may be open, so that one cannot crowd out the others."""

from __future__ import annotations

from collections import Counter, OrderedDict
from contextlib import contextmanager
from ipaddress import IPv4Address, ip_address, ip_network
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from hayai.clock import Clock

_MOST_REMEMBERED = 10_000
_MINUTE = 60.0


def neighbourhood(host: str) -> str:
    """What an address counts as: of IPv6 the first 64 bits, since whoever has one address there has them all."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if isinstance(address, IPv4Address):
        return host
    if address.ipv4_mapped:  # a socket for both writes IPv4 so
        return str(address.ipv4_mapped)
    return str(ip_network((address.packed[:8] + bytes(8), 64)))


class _Bucket(NamedTuple):
    tokens: float
    at: datetime


class Rate:
    """A token bucket a key: `per_minute` at once, refilled evenly over a minute.

    Remembers the 10 000 keys used last; one that was forgotten starts with a full bucket.
    """

    def __init__(self, per_minute: int, clock: Clock) -> None:
        self._most = float(per_minute)
        self._clock = clock
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def wait(self, key: str) -> float:
        """Seconds until `key` may go on; 0.0 when it may now."""
        tokens = self._tokens(key)
        return 0.0 if tokens >= 1 else (1 - tokens) * _MINUTE / self._most

    def take(self, key: str) -> None:
        """Count one."""
        self._put(key, self._tokens(key) - 1)

    def give_back(self, key: str) -> None:
        """Count one less: what was taken was not the visitor's fault."""
        self._put(key, min(self._most, self._tokens(key) + 1))

    def _tokens(self, key: str) -> float:
        bucket = self._buckets.get(key)
        if bucket is None:
            return self._most
        passed = max(0.0, (self._clock() - bucket.at).total_seconds())
        return min(self._most, bucket.tokens + passed * self._most / _MINUTE)

    def _put(self, key: str, tokens: float) -> None:
        self._buckets[key] = _Bucket(tokens, self._clock())
        self._buckets.move_to_end(key)
        if len(self._buckets) > _MOST_REMEMBERED:
            self._buckets.popitem(last=False)


class Places:
    """How many sockets a key holds."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: Counter[str] = Counter()

    @contextmanager
    def place(self, key: str) -> Iterator[bool]:
        """A place for as long as the context lasts; False where all are taken."""
        free = self._held[key] < self._most
        if free:
            self._held[key] += 1
        try:
            yield free
        finally:
            if free:
                self._held[key] -= 1
            if not self._held[key]:
                del self._held[key]
