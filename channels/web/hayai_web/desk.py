"""Desk: what every visit to the chat shares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hayai_web.limits import Places, Rate

if TYPE_CHECKING:
    from hayai.bus.base import Bus
    from hayai.clock import Clock
    from hayai.tier import Tier
    from hayai_web.session import Sessions
    from hayai_web.settings import ChatSettings


@dataclass(frozen=True)
class Desk:
    """The parts of the house behind the chat, and the limits that hold across sockets."""

    settings: ChatSettings
    bus: Bus
    tier: Tier
    clock: Clock
    sessions: Sessions
    visitor_rate: Rate
    address_rate: Rate
    connection_rate: Rate
    visitor_places: Places
    address_places: Places

    @classmethod
    def made(cls, settings: ChatSettings, bus: Bus, tier: Tier, clock: Clock, sessions: Sessions) -> Desk:
        """A desk with the limits that the settings say."""
        return cls(
            settings,
            bus,
            tier,
            clock,
            sessions,
            Rate(settings.messages_per_minute, clock),
            Rate(settings.messages_per_minute_per_address, clock),
            Rate(settings.connections_per_minute_per_address, clock),
            Places(settings.sockets_per_visitor),
            Places(settings.sockets_per_address),
        )
