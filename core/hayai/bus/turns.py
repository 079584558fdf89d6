"""Turns: keys that are ready to be served, one of each tenant in turn, and no tenant in all of the places."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

K = TypeVar("K", bound=Sequence[str])
"""A key whose first word is the tenant."""


class Turns(Generic[K]):
    """A queue like a deque, and empty for whom asks while only tenants wait who have `most(tenant)` under way already.

    What is taken with popleft() is under way until done().
    """

    def __init__(self, keys: Iterable[K], *, most: Callable[[str], int]) -> None:
        self._most = most
        self._waiting: dict[str, deque[K]] = {}
        self._next: deque[str] = deque()
        """Tenants who have a key that may be served."""
        self._under_way: Counter[str] = Counter()
        for key in keys:
            self.append(key)

    def __iter__(self) -> Iterator[K]:
        return chain.from_iterable(self._waiting.values())

    def __bool__(self) -> bool:
        return bool(self._next)

    def append(self, key: K) -> None:
        """Put `key` behind the others of its tenant."""
        tenant = key[0]
        waiting = self._waiting.get(tenant)
        if waiting is not None:
            waiting.append(key)
            return
        self._waiting[tenant] = deque((key,))
        if self._under_way[tenant] < self._most(tenant):
            self._next.append(tenant)

    def popleft(self) -> K:
        """The next tenant's next key; the tenant goes to the end of the line."""
        tenant = self._next.popleft()
        waiting = self._waiting[tenant]
        key = waiting.popleft()
        self._under_way[tenant] += 1
        if not waiting:
            del self._waiting[tenant]
        elif self._under_way[tenant] < self._most(tenant):
            self._next.append(tenant)
        return key

    def done(self, key: K) -> None:
        """One less of this tenant is under way: its place may be taken again."""
        tenant = key[0]
        self._under_way[tenant] -= 1
        if self._under_way[tenant] == self._most(tenant) - 1 and tenant in self._waiting:
            self._next.append(tenant)
        if not self._under_way[tenant]:
            del self._under_way[tenant]
