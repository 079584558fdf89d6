"""Consents: what each person has said about being written to, as a ledger that is only ever added to."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hayai.ports.base import Adapter

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from hayai.vocabulary.consent import Purpose


@dataclass(frozen=True)
class Consent:
    """What a person said, by one channel, about being written to."""

    person: str
    channel: str
    purposes: tuple[Purpose, ...]
    allowed: bool
    source: str
    """The id of what they said it with."""
    at: datetime
    """Aware."""


class Consents(Adapter):
    """Kept per tenant, person and channel: whoever stops the texts may still be answered on the web."""

    @abstractmethod
    async def record(self, tenant: str, said: Consent) -> None:
        """Add what a person said; a source counts once.

        Raises KeyNotOpaque for the tenant, Unavailable.
        """

    @abstractmethod
    async def standing(
        self, tenant: str, person: str, channel: str, *, before: str | None = None
    ) -> Mapping[Purpose, bool]:
        """Whether each purpose was allowed when it was last spoken of; one never spoken of is left out.

        With `before`, the id of something said, as it stood until that was recorded; as it stands where it never was.
        Raises KeyNotOpaque, Unavailable.
        """
