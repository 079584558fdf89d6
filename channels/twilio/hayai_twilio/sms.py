"""TwilioSMS: text messages and WhatsApp, in by webhooks and out by the REST API."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, ClassVar

from fastapi import APIRouter, HTTPException, Request, Response

from hayai.channel import Channel, Inbound, accept
from hayai.consent import Recipient
from hayai.errors import ConsentMissing, EventMismatch, PermanentError, SettingsError, Withheld
from hayai.handlers import Context, Policy
from hayai.ports.consents import Consent
from hayai.tokens import derived
from hayai.vocabulary.consent import PURPOSES
from hayai.vocabulary.messages import DeliveryReported, MessageArrived, MessageFailed, MessageReceived
from hayai.vocabulary.operations import AccountLow
from hayai_twilio.balance import BalanceWatch
from hayai_twilio.complaints import Complaints
from hayai_twilio.gateway import Gateway
from hayai_twilio.refusals import RecipientOptedOut, is_permanent, reason
from hayai_twilio.sender import TEXT, Sender
from hayai_twilio.settings import SMSSettings
from hayai_twilio.signature import SignatureBad, Signatures
from hayai_twilio.statuses import turn
from hayai_twilio.store import Store
from hayai_twilio.webhook import asked, report, text
from hayai_twilio.zones import zones_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hayai.bus.base import Bus
    from hayai.clock import Clock
    from hayai.effects import EffectKind
    from hayai.event import Event
    from hayai.handlers import Handlers
    from hayai.interceptors import Interceptor
    from hayai.pools import Pool
    from hayai.ports.base import Settings
    from hayai.ports.conversations import Line
    from hayai.tier import Tier
    from hayai.vocabulary.messages import ReplyReady
    from hayai_twilio.form import Fields
    from hayai_twilio.webhook import Text

_log = logging.getLogger(__name__)
_KINDS = ("phone", "whatsapp")
_NOTHING_TO_SAY = '<?xml version="1.0" encoding="UTF-8"?><Response/>'
"""TwiML for: taken, and the answer comes by itself."""


class TwilioSMS(Channel):
    """POST /incoming for messages, POST /status/{tenant}/{conversation}/{reply} for how far an answer got."""

    name: ClassVar[str] = "sms"
    Settings: ClassVar[type[Settings]] = SMSSettings
    publishes: ClassVar[tuple[type[Event], ...]] = (MessageReceived, DeliveryReported, AccountLow)
    effects: ClassVar[tuple[EffectKind, ...]] = (TEXT,)

    def __init__(
        self,
        settings: SMSSettings,
        *,
        bus: Bus,
        tier: Tier,
        clock: Clock,
        pool: Pool,
        interceptors: Sequence[Interceptor] = (),
    ) -> None:
        self._settings = settings
        self._bus = bus
        self._tier = tier
        self._clock = clock
        self._interceptors = interceptors
        self._store = Store(pool)
        tokens = tuple(each.get_secret_value() for each in settings.auth_tokens)
        shared = {name: each.get_secret_value() for name, each in settings.shared_keys.items()}
        self._signatures = Signatures(tokens, shared)
        self._complaints = Complaints()
        gateway = _gateway(settings)
        self._sender = Sender(gateway, self._store, settings)
        self._balance = BalanceWatch(gateway, settings, bus, clock)

    async def start(self) -> None:
        """Raises SettingsError where a number is of a business that this install does not have."""
        if strange := sorted(set(self._settings.numbers.values()) - self._tier.businesses.keys()):
            raise SettingsError(
                f"[channel.sms] gives numbers to {', '.join(strange)}, and this install has no such business: correct "
                "`numbers`, or add the business file under `businesses`."
            )
        if not (self._settings.auth_tokens or self._settings.shared_keys):
            _log.warning("[channel.sms] has no auth_tokens: every webhook of Twilio's is refused.")
        self._balance.start()

    async def stop(self) -> None:
        """Look after the account no more."""
        await self._balance.stop()

    def router(self) -> APIRouter:
        """The routes, for after start()."""
        router = APIRouter(tags=["sms"], include_in_schema=False)
        router.add_api_route("/incoming", self._incoming, methods=["POST"])
        router.add_api_route("/status/{tenant}/{conversation}/{reply}", self._reported, methods=["POST"])
        return router

    def handlers(self) -> Handlers:
        """The outbound door, and the one that keeps how far each message got."""
        group = super().handlers()
        group.add(DeliveryReported, self._follow, Policy(transactional=True), name="follow")
        return group

    async def deliver(self, reply: ReplyReady, line: Line, context: Context) -> None:
        """Text the answer to where the person wrote from last, from the number that they wrote to.

        Raises what hayai_twilio.refusals tells, PermanentError where nobody of that id has ever written.
        """
        contact = await context.tier.people.reach(context.tenant, reply.person, _KINDS)
        if contact is None:
            raise PermanentError("Nobody of that id has ever written by text: answer on the channel that they used.")
        if reply.purpose == "consent" and contact.kind == "phone" and self._settings.carrier_answers_stop:
            raise Withheld("Twilio has answered that word itself: `carrier_answers_stop` of the channel says so.")
        to = Recipient(reply.person, self.name, reply.purpose, zones_of(contact.address))
        try:
            await self._sender.send(line.text, contact, self._callback(context), to, context)
        except RecipientOptedOut as refused:
            await self._learn(to, context)
            raise ConsentMissing(str(refused)) from refused

    async def _learn(self, to: Recipient, context: Context) -> None:
        """The carrier knows of a STOP that we have not heard: keep it as if we had."""
        source = derived("refused", context.envelope.id)
        stopped = Consent(to.person, self.name, PURPOSES, allowed=False, source=source, at=context.now())
        await context.tier.consents.record(context.tenant, stopped)

    def _callback(self, context: Context) -> str | None:
        where = self._settings.public_url
        ids = f"{context.tenant}/{context.conversation}/{context.envelope.id}"
        return f"{where}/{self.name}/status/{ids}" if where else None

    async def _incoming(self, request: Request) -> Response:
        """Take a message in; Twilio sends it again where it is not told that it was taken."""
        came = text(await self._signed(request))
        tenant = self._tenant(came.account, came.to)
        contact = await self._tier.people.met(tenant, came.kind, came.sender, via=came.to)
        message = Inbound(
            tenant, contact.conversation, contact.person, came.sid, _clean(came), self._clock(), came.attachments
        )
        await accept(self.name, message, bus=self._bus, tier=self._tier, interceptors=self._interceptors)
        return Response(_NOTHING_TO_SAY, media_type="text/xml")

    async def _reported(self, request: Request, tenant: str, conversation: str, reply: str) -> Response:
        """Take a report in; the path is ours, and signed."""
        told = report(await self._signed(request))
        self._known_account(told.account)
        event = DeliveryReported(channel=self.name, reply=reply, reference=told.sid, status=told.status, code=told.code)
        event_id = derived("delivery", told.sid, told.status, told.code)
        await self._bus.publish(event, tenant=tenant, id=event_id, conversation=conversation)
        return Response(status_code=204)

    async def _follow(self, told: DeliveryReported, context: Context) -> MessageArrived | MessageFailed | None:
        """Keep how far it got, and say so where that is news."""
        if told.channel != self.name:
            return None
        tenant, sid, reply = context.tenant, told.reference, told.reply
        further, before = await self._store.raised(tenant, sid, reply, told.status, told.code)
        news = turn(before, told.status) if further else None
        if news == "arrived":
            return MessageArrived(channel=self.name, reply=reply, reference=sid)
        if news == "failed":
            why, permanent = reason(told.code), is_permanent(told.code)
            return MessageFailed(
                channel=self.name, reply=reply, reference=sid, code=told.code, reason=why, permanent=permanent
            )
        return None

    async def _signed(self, request: Request) -> Fields:
        try:
            return self._signatures.check(await asked(request, self._settings.public_url))
        except SignatureBad as bad:
            self._complaints.tell(str(bad))
            raise HTTPException(403, str(bad)) from None

    def _tenant(self, account: str, to: str) -> str:
        self._known_account(account)
        if (tenant := self._settings.numbers.get(to)) is None:
            _log.error("A text came to a number that [channel.sms] gives to nobody: add it under `numbers`.")
            raise HTTPException(404, "That number is nobody's here: add it under `numbers` of the channel.")
        return tenant

    def _known_account(self, account: str) -> None:
        if account != self._settings.account_sid:
            raise EventMismatch("That is another account's webhook: correct `account_sid` of the channel.")


def _gateway(settings: SMSSettings) -> Gateway:
    token = settings.auth_tokens[0].get_secret_value() if settings.auth_tokens else ""
    user, secret = settings.account_sid, token
    if settings.api_key and settings.api_secret:
        user, secret = settings.api_key, settings.api_secret.get_secret_value()
    return Gateway(
        settings.account_sid, user or "nobody", secret or "none", url=settings.api_url, timeout=settings.timeout
    )


def _clean(came: Text) -> str:
    """What was written, without what no text is made of."""
    return came.body.replace("\0", "").strip()
