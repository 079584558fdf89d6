"""Every error, and what the bus does about each: the class decides delivery.

HayaiError
├── TransientError        worth another try          -> delivered again, with backoff
│   ├── Unavailable         a server or a vendor did not answer
│   ├── RateLimited         somebody asked us to slow down
│   ├── AnswerUnusable      a language model answered what is no answer
│   ├── TenantFull          a tenant has stored as much as it may
│   ├── HandlerTooSlow      a handler took longer than its policy allows
│   ├── OutcomeUnclear      an outward act may have been done or not
│   ├── Conflict            another event of that type and key was published first
│   └── Fenced              another process holds this partition by now
└── PermanentError        the same the next time     -> dead letter
    ├── EnvelopeMalformed   bytes that are no CloudEvent of ours
    ├── EventMismatch       an envelope whose data does not fit its event
    ├── VersionUnknown      an event version that this install cannot read
    ├── MessageTooLarge     more bytes than the bus carries
    ├── KeyNotOpaque        a tenant, key or id that is no opaque token
    ├── TenantWrong         a caller reaches for another tenant's things
    ├── CallerUnknown       no API key, or one that nobody issued
    ├── WindowEmpty         a stretch of time that ends before it begins
    ├── SecretMissing       a secret that the store does not hold
    ├── SettingsError       the tier file or the environment is wrong
    ├── PluginError         a plugin is missing, doubled or broken
    ├── DatabaseUnfit       the database cannot be trusted with tenants as it is configured
    ├── HandlerMisdeclared  a handler that is declared to take, return or do something else than it does
    ├── ContractBroken      plugins that do not agree on an event, or on what was installed before
    ├── EventTooOld         an event from before what the ledger remembers
    ├── GivenUp             an event that the server hands out no more, because of somebody else
    ├── TooManyHops         an event that follows from too many others, as one that causes itself does
    ├── Withheld            a message that is not sent, on purpose
    │   ├── ConsentMissing    the person does not want to be reached that way
    │   └── QuietHours        it is night where the person is
    ├── EffectUnknown       nobody can say whether an outward act was done
    ├── LocalStackRefused   the local servers cannot run here as asked
    └── BookingRefused      the calendar said no
        ├── SlotTaken         somebody was faster
        ├── OutsideHours      the business is closed then
        ├── InThePast         the start has gone by
        ├── TooSoon           nearer than the business's minimum notice
        ├── TooFar            beyond the business's horizon
        ├── HoldExpired       the hold ran out before it was confirmed
        ├── AppointmentGone   no such appointment, or it was cancelled
        ├── ServiceUnknown    the business does not offer that
        └── ResourceUnknown   nobody of that id, or nobody who could serve that

A TransientError is tried again for minutes, as long as a server may be away. Any other exception is a defect in a
handler: it is tried again a few times. What fails at its last try becomes a dead letter (hayai.handlers.Policy says
how many there are). The text of an error never holds what a person said or is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime


class HayaiError(Exception):
    """The base of every error that Hayai raises."""


class TransientError(HayaiError):
    """Worth another try: the bus delivers the event again."""


class PermanentError(HayaiError):
    """The same the next time: the bus keeps the event as a dead letter."""


class Unavailable(TransientError):
    """A server or a vendor did not answer."""


class RateLimited(TransientError):
    """Somebody asked us to slow down; `after` is the number of seconds they named, if they named one."""

    def __init__(self, message: str, *, after: float | None = None) -> None:
        super().__init__(message)
        self.after = after


class AnswerUnusable(TransientError):
    """A language model's server answered what is no answer: nothing, or something cut short or broken."""


class TenantFull(TransientError):
    """A tenant has stored as much as it may; what is old goes by days, so callers are told to wait `after` seconds."""

    after = 3600.0


class HandlerTooSlow(TransientError):
    """A handler took longer than its policy allows; counted as a defect, since it may never end."""


class OutcomeUnclear(TransientError):
    """An outward act may have been done or not (its answer was lost): the next try asks what became of it."""


class Conflict(TransientError):
    """Another event of that type and key was published first; who tries again looks again before."""


class Fenced(TransientError):
    """Another process holds this partition by now: what this one did for the event does not count."""


class EnvelopeMalformed(PermanentError):
    """The bytes are no CloudEvent of ours."""


class EventMismatch(PermanentError):
    """The envelope is sound, but its data does not fit the event it names."""


class VersionUnknown(PermanentError):
    """This install cannot read that version of the event."""


class MessageTooLarge(PermanentError):
    """The event has more bytes than the bus carries."""


class KeyNotOpaque(PermanentError):
    """A tenant, an ordering key or an id is no opaque token (a telephone number, an address, free text)."""


class TenantWrong(PermanentError):
    """The caller reached for something of another tenant."""


class CallerUnknown(PermanentError):
    """No API key was given, or nobody issued that one."""


class WindowEmpty(PermanentError):
    """The stretch of time that was asked about ends before it begins."""


class SecretMissing(PermanentError):
    """The store holds no secret of that name."""


class SettingsError(PermanentError):
    """The tier file or the environment is wrong; the message lists everything that is."""


class PluginError(PermanentError):
    """A plugin is missing, doubled or broken; the message names it and its distribution."""


class DatabaseUnfit(PermanentError):
    """The database as configured would not keep tenants apart."""


class BusUnsafe(PermanentError):
    """The NATS server may lose or double what it acknowledges, and the tier file demands that it does not."""


class HandlerMisdeclared(PermanentError):
    """What a handler is declared to take, to let follow or to do outside is not what it does."""


class ContractBroken(PermanentError):
    """The plugins of this install do not agree on an event, or one changed what it means; the message lists all."""


class EventTooOld(PermanentError):
    """The event is from before what the ledger remembers, so nobody can say what was done for it already."""


class GivenUp(PermanentError):
    """An event that the server hands out no more, because of somebody else."""


class TooManyHops(PermanentError):
    """The event would follow from so many others, one from the next, that it must be causing itself."""


class Withheld(PermanentError):
    """A message is not sent, on purpose; nothing was done."""


class ConsentMissing(Withheld):
    """The person does not want to be reached that way, for that purpose; nothing was done."""


class QuietHours(Withheld):
    """It is night where the person is, and they did not just write to us; nothing was done. `until` is aware."""

    def __init__(self, message: str, *, until: datetime) -> None:
        super().__init__(message)
        self.until = until


class EffectUnknown(PermanentError):
    """Nobody can say whether an outward act was done, and its kind leaves that to a person."""


class LocalStackRefused(PermanentError):
    """The local servers cannot run here as asked: a closed folder, a full disk, a missing wheel, a second start."""


class BookingRefused(PermanentError):
    """The calendar said no; `alternatives` are starts (aware instants) that were free a moment ago."""

    def __init__(self, message: str, *, alternatives: Sequence[datetime] = ()) -> None:
        super().__init__(message)
        self.alternatives = tuple(alternatives)


class SlotTaken(BookingRefused):
    """Somebody was faster."""


class OutsideHours(BookingRefused):
    """The business is closed then, or closes before the appointment would end."""


class InThePast(BookingRefused):
    """The start has gone by."""


class TooSoon(BookingRefused):
    """The start is nearer than the business's minimum notice."""


class TooFar(BookingRefused):
    """The start is beyond the business's horizon."""


class HoldExpired(BookingRefused):
    """The hold ran out before it was confirmed."""


class AppointmentGone(BookingRefused):
    """There is no such appointment, or it was cancelled."""


class ServiceUnknown(BookingRefused):
    """The business does not offer that service."""


class ResourceUnknown(BookingRefused):
    """The business has no resource of that id, or none that could serve what was asked for."""
