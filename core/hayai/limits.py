"""Limits: how much each tenant may ask of the platform, and the refusal of what is more."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from pydantic import ByteSize, Field

from hayai.errors import RateLimited, TenantFull
from hayai.ports.base import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_SWEEP = 10_000
"""So many tenants are remembered before those who have been quiet are forgotten."""


class TenantLimits(Settings):
    """What one tenant may do; what is left out is not limited, or as [limits] has it for all."""

    events_per_second: float | None = Field(
        default=None, gt=0, description="how many events may come in from outside, for each process that takes them"
    )
    burst: int | None = Field(
        default=None,
        ge=1,
        description="how many may come at once after a pause; ten seconds' worth where it is not set",
    )
    stored_bytes: ByteSize | None = Field(
        default=None, gt=0, description='how many bytes of its events may be stored, as "500 MiB" or in bytes'
    )
    in_flight: int | None = Field(
        default=None, ge=1, description="how many of its events one handler works on at once, in each partition"
    )


class LimitSettings(TenantLimits):
    """The [limits] table of a tier file: what holds for every tenant, and tables for those with limits of their own."""

    tenant: dict[str, TenantLimits] = Field(default={}, description="a table for each tenant who has other limits")

    def of(self, tenant: str) -> TenantLimits:
        """What holds for `tenant`: its own table before the common one, key by key."""
        own = self.tenant.get(tenant, TenantLimits())
        common = {name: getattr(self, name) for name in TenantLimits.model_fields}
        return TenantLimits.model_validate({**common, **own.model_dump(exclude_none=True)})

    @property
    def limits_stored(self) -> bool:
        """Whether `stored_bytes` is set for anybody."""
        return any(each.stored_bytes for each in (self, *self.tenant.values()))

    @property
    def limits_in_flight(self) -> bool:
        """Whether `in_flight` is set for anybody."""
        return any(each.in_flight for each in (self, *self.tenant.values()))


class Limits:
    """Keeps count for each tenant, by token buckets: a bucket fills at the tenant's rate up to its burst.

    What comes in from outside is asked about and refused before it is stored. What follows from an event that was
    taken is never asked about, so that no limit can lose it.
    """

    def __init__(self, settings: LimitSettings | None = None, *, now: Callable[[], float] = time.monotonic) -> None:
        self.settings = settings or LimitSettings()
        self._own: dict[str, TenantLimits] = {each: self.settings.of(each) for each in self.settings.tenant}
        self._now = now
        self._full_at: dict[str, float] = {}
        """When each tenant's bucket is full again."""
        self.stored: Mapping[str, int] = {}
        """How many bytes each tenant has stored, as far as this process has learnt."""

    def admit(self, tenant: str, events: int = 1) -> None:
        """Take note of so many events of `tenant` from outside; those that are refused are not noted.

        Raises RateLimited, and TenantFull where it has as many bytes stored as it may.

        More at once than the burst are taken while the bucket is full, and it takes the longer to fill again.
        """
        limits = self._own.get(tenant, self.settings)
        if limits.stored_bytes is not None and self.stored.get(tenant, 0) >= limits.stored_bytes:
            most = limits.stored_bytes.human_readable(separator=" ")
            raise TenantFull(
                f"This tenant has stored the {most} that it may: send this again when older events are gone, or have "
                "whoever runs this raise stored_bytes under [limits]."
            )
        if limits.events_per_second is None:
            return
        now, rate = self._now(), limits.events_per_second
        burst = limits.burst or max(1, math.ceil(10 * rate))
        full_at = max(self._full_at.get(tenant, now), now)
        wait = full_at - now + (min(events, burst) - burst) / rate
        if wait > 0:
            raise RateLimited(
                f"This tenant may send {rate:g} events a second, {burst} at once, and sends more: send this again in "
                f"{math.ceil(wait)} s, or have whoever runs this raise events_per_second under [limits].",
                after=math.ceil(wait),
            )
        self._full_at[tenant] = full_at + events / rate
        if len(self._full_at) > _SWEEP:
            self._full_at = {each: at for each, at in self._full_at.items() if at > now}

    def in_flight(self, tenant: str, most: int) -> int:
        """How many of `most` places at a handler `tenant` may have."""
        return min(self._own.get(tenant, self.settings).in_flight or most, most)
