"""Sender: one answer on its way out: its turn, the message, and what became of it where the reply was lost."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from hayai.effects import EffectKind
from hayai.errors import RateLimited
from hayai_twilio.encoding import parts, plain
from hayai_twilio.gateway import Draft

if TYPE_CHECKING:
    from hayai.consent import Recipient
    from hayai.handlers import Context
    from hayai.ports.people import Contact
    from hayai_twilio.gateway import Gateway, Sent
    from hayai_twilio.settings import SMSSettings
    from hayai_twilio.store import Store

TEXT = EffectKind("sms", "reconcile", reaches_a_person=True)
"""A text message; Twilio's list says what became of one whose answer was lost."""
_CLOCKS_APART = timedelta(minutes=2)
"""Twilio's clock and ours may differ by so much."""


class Sender:
    """Sends each part of each answer once."""

    def __init__(self, gateway: Gateway, store: Store, settings: SMSSettings) -> None:
        self._gateway = gateway
        self._store = store
        self._settings = settings

    async def send(self, text: str, contact: Contact, callback: str | None, to: Recipient, context: Context) -> None:
        """Send `text` in as many messages as it takes, unless that was done.

        Raises ConsentMissing, QuietHours, and what Gateway.send raises.
        """
        for number, part in enumerate(parts(plain(text))):
            draft = Draft(contact.address, contact.via, part, callback)
            act, find = partial(self._act, draft, context), partial(self._find, draft, context)
            sent = await context.once(TEXT, f"part-{number}", act, find, to=replace(to, goes_on=number > 0))
            # Not within the act: what fails there is taken for not sent.
            await self._store.raised(context.tenant, sent["sid"], context.envelope.id, sent["status"])

    async def _act(self, draft: Draft, context: Context) -> dict[str, Any]:
        await self._turn(draft.sender, context)
        return _told(await self._gateway.send(draft))

    async def _find(self, draft: Draft, context: Context) -> dict[str, Any] | None:
        """The message that was sent, if it was: looked for now, and once more when it must be in Twilio's list."""
        for pause in (0.0, self._settings.settling):
            await asyncio.sleep(pause)
            found = await self._gateway.find(draft, since=context.envelope.time - _CLOCKS_APART)
            others = await self._store.of_others(context.tenant, [each.sid for each in found], context.envelope.id)
            if ours := [each for each in found if each.sid not in others]:
                return _told(ours[-1])
        return None

    async def _turn(self, number: str, context: Context) -> None:
        """Wait until the number may send. Raises RateLimited where too many wait already."""
        longest = self._settings.longest_wait
        each = 1 / self._settings.messages_per_second
        wait = await self._store.turn(context.tenant, number, each=each, longest=longest)
        if wait is None:
            raise RateLimited("Too many messages wait for this number: they are sent as it may.", after=longest)
        await asyncio.sleep(wait)


def _told(sent: Sent) -> dict[str, Any]:
    """What the ledger keeps: nothing of a person's."""
    return {"sid": sent.sid, "status": sent.status}
