"""MemoryConsents: the twin of the port `consents`, one list in the order in which things were said."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING, NamedTuple

from hayai.ports.consents import Consents
from hayai.tokens import token

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hayai.ports.consents import Consent
    from hayai.vocabulary.consent import Purpose


class _Said(NamedTuple):
    tenant: str
    person: str
    channel: str
    purpose: Purpose
    source: str


class MemoryConsents(Consents):
    """Forgets everything with the process."""

    def __init__(self) -> None:
        self._said: dict[_Said, bool] = {}

    async def record(self, tenant: str, said: Consent) -> None:
        """Add what they said, once."""
        whose = token(tenant, what="tenant")
        for purpose in said.purposes:
            self._said.setdefault(_Said(whose, said.person, said.channel, purpose, said.source), said.allowed)

    async def standing(
        self, tenant: str, person: str, channel: str, *, before: str | None = None
    ) -> Mapping[Purpose, bool]:
        """What was said last of each purpose, until then."""
        whose = token(tenant, what="tenant"), person, channel
        said = [(each, allowed) for each, allowed in self._said.items() if each[:3] == whose]
        until = takewhile(lambda each: each[0].source != before, said)
        return {each.purpose: allowed for each, allowed in until}
