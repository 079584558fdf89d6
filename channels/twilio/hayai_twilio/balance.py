"""BalanceWatch: looks now and then at what is left of the account, and tells where it is little."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from hayai.bus.base import PLATFORM
from hayai.errors import HayaiError
from hayai.tokens import derived
from hayai.vocabulary.operations import AccountLow

if TYPE_CHECKING:
    from hayai.bus.base import Bus
    from hayai.clock import Clock
    from hayai_twilio.gateway import Gateway
    from hayai_twilio.settings import SMSSettings

_log = logging.getLogger(__name__)
_SECONDS = 3600.0


class BalanceWatch:
    """Runs where the settings name the least that should be left; every replica looks, and one event a day is kept."""

    def __init__(self, gateway: Gateway, settings: SMSSettings, bus: Bus, clock: Clock) -> None:
        self._gateway = gateway
        self._settings = settings
        self._bus = bus
        self._clock = clock
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Look now, and then every hour."""
        if self._settings.least_balance is not None:
            self._task = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        """Look no more; safe to call twice."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def look(self) -> bool:
        """Whether there is enough; where there is not, an event says so. Raises what Gateway.balance raises."""
        left, currency = await self._gateway.balance()
        least = self._settings.least_balance
        if least is None or _amount(left) >= least:
            return True
        told = AccountLow(channel="sms", left=left, least=str(least), currency=currency)
        day = self._clock().date().isoformat()
        event_id = derived("balance", self._settings.account_sid, day)
        await self._bus.publish(told, tenant=PLATFORM, id=event_id)
        _log.warning("The account at Twilio has %s %s left: top it up, or messages will not be sent.", left, currency)
        return False

    async def _watch(self) -> None:
        while True:
            try:
                await self.look()
            except HayaiError as wrong:
                _log.warning("What is left of the account at Twilio cannot be told: %s", wrong)
            await asyncio.sleep(_SECONDS)


def _amount(text: str) -> Decimal:
    """What Twilio writes as a number; nothing at all where it writes none."""
    try:
        return Decimal(text)
    except InvalidOperation:
        return Decimal(0)
