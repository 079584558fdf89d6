"""Tenants: what each has stored of what it may, for operators and the doctor; no Hayai has to run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import ByteSize

from hayai.bus.storing import stored_now
from hayai.doctor import Finding
from hayai.errors import HayaiError
from hayai.runtime.oversight import overseen

if TYPE_CHECKING:
    from hayai.settings import InstallSettings

_PART = "tenants' stores"
_NEAR = 0.8
"""Of what a tenant may store, so much is near its end."""


@dataclass(frozen=True)
class TenantState:
    """One tenant's store."""

    tenant: str
    bytes: int
    """Of its events in the stream, as far as they are in the index."""
    limit: int | None
    """How many there may be; None where nothing limits them."""

    @property
    def is_near(self) -> bool:
        """Whether it has little left."""
        return self.limit is not None and self.bytes >= _NEAR * self.limit

    def __str__(self) -> str:
        of = "" if self.limit is None else f" of {_told(self.limit)}"
        return f"{self.tenant}  {_told(self.bytes)}{of}"


async def look_at_tenants(settings: InstallSettings) -> list[TenantState]:
    """Every tenant with anything in the stream, the largest first. Raises what overseen() raises."""
    async with overseen(settings) as oversight:
        found = await stored_now(oversight.lookout, oversight.pool)
    states = [TenantState(tenant, size, settings.limits.of(tenant).stored_bytes) for tenant, size in found.items()]
    return sorted(states, key=lambda each: (-each.bytes, each.tenant))


async def tenants_stores(settings: InstallSettings) -> list[Finding]:
    """Who has little left; nothing where nobody's store is limited, or cannot be looked at, which others say."""
    if not settings.limits.limits_stored:
        return []
    try:
        near = [each for each in await look_at_tenants(settings) if each.is_near]
    except HayaiError:
        return []
    return [Finding(_PART, ok=False, says=_too_full(each)) for each in near] or [
        Finding(_PART, ok=True, says="every tenant has a fifth left at least of what it may store")
    ]


def _too_full(each: TenantState) -> str:
    return (
        f"{each.tenant} has stored {_told(each.bytes)} of the {_told(each.limit or 0)} that it may, and is refused "
        "when that is full: raise its stored_bytes under [limits], or let the bus keep events for fewer days."
    )


def _told(size: int) -> str:
    return ByteSize(size).human_readable(separator=" ")
