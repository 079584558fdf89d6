"""MemoryPeople: the twin of the port `people`, one dictionary in the order of last use."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hayai.ports.people import Contact, People
from hayai.tokens import fresh, token

if TYPE_CHECKING:
    from collections.abc import Collection


class MemoryPeople(People):
    """Forgets everybody with the process."""

    def __init__(self) -> None:
        self._contacts: dict[tuple[str, str, str], Contact] = {}

    async def met(self, tenant: str, kind: str, address: str, *, via: str) -> Contact:
        """Whoever has that address; new where nobody has it."""
        key = (token(tenant, what="tenant"), kind, address)
        known = self._contacts.pop(key, None) or Contact(fresh(), fresh(), kind, address, via)
        self._contacts[key] = replace(known, via=via)
        return self._contacts[key]

    async def reach(self, tenant: str, person: str, kinds: Collection[str]) -> Contact | None:
        """The contact that the person used last."""
        token(tenant, what="tenant")
        newest_first = reversed(self._contacts.items())
        return next(
            (
                each
                for (whose, *_), each in newest_first
                if whose == tenant and each.person == person and each.kind in kinds
            ),
            None,
        )
