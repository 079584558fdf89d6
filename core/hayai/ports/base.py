"""Adapter: the one shape of everything that a tier file names."""

from __future__ import annotations

from abc import ABC
from typing import ClassVar

from pydantic import BaseModel, ConfigDict


class Settings(BaseModel):
    """An adapter's own settings, read from its table in the tier file; an unknown key is refused.

    A field without a default must be given; its `description` tells the operator where to get the value.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")


class Adapter(ABC):  # noqa: B024 - each port adds the methods that it asks for
    """The base of every port.

    An adapter's constructor takes its settings first, then by keyword only what it needs of
    `secrets`, `pool`, `clock`, `bus`, `tier` (see hayai.tier.build); nothing is opened before start().
    """

    Settings: ClassVar[type[Settings]] = Settings

    async def start(self) -> None:  # noqa: B027 - an adapter may have nothing to open
        """Open what must be open before the first call. Raises Unavailable where a server does not answer."""

    async def stop(self) -> None:  # noqa: B027 - nor to close
        """Close what start() opened; safe to call twice."""
