"""People: who is behind an address, and how to reach somebody again."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hayai.ports.base import Adapter

if TYPE_CHECKING:
    from collections.abc import Collection


@dataclass(frozen=True)
class Contact:
    """One way to reach a person. Only the ids may travel in subjects, keys and logs; the addresses are personal."""

    person: str
    """Opaque id of the customer."""
    conversation: str
    """Opaque id of what this person and the business say to each other."""
    kind: str
    """What sort of address it is, such as "phone": addresses of two kinds are never the same."""
    address: str = field(repr=False)
    via: str = field(repr=False)
    """Our own address that they used last: an answer comes from there."""


class People(Adapter):
    """Kept per tenant: the same number is somebody else's customer at another business."""

    @abstractmethod
    async def met(self, tenant: str, kind: str, address: str, *, via: str) -> Contact:
        """Whoever has that address, the same person each time; who was never met is new from now on.

        Raises KeyNotOpaque for the tenant, Unavailable.
        """

    @abstractmethod
    async def reach(self, tenant: str, person: str, kinds: Collection[str]) -> Contact | None:
        """The contact of one of these kinds that the person used last, or None. Raises KeyNotOpaque, Unavailable."""
