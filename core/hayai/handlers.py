"""Handlers: an event in, the events that follow out."""

from __future__ import annotations

import builtins
import inspect
import typing
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from typing_extensions import TypeVar as TypeVarWithDefault

from hayai.consent import refuse_at_night, refuse_unwanted
from hayai.errors import HandlerMisdeclared, SettingsError
from hayai.event import Event
from hayai.tokens import token

if TYPE_CHECKING:
    from datetime import datetime

    from hayai.clock import Clock
    from hayai.consent import Recipient
    from hayai.effects import Act, EffectKind, Effects, Reconcile
    from hayai.envelope import Envelope
    from hayai.tier import Tier

E = TypeVar("E", bound=Event)
Followed_co = TypeVarWithDefault("Followed_co", bound=Event, default=Event, covariant=True)


@dataclass(frozen=True)
class Keyed(Generic[Followed_co]):
    """A follow-up with its meaning told, for a handler that returns several events of one type.

    The meaning goes into the derived id, so it must be the same whenever the same event is handled again.
    """

    event: Followed_co
    meaning: str


FollowUp = Event | Keyed
Returned = FollowUp | Iterable[FollowUp] | None
Handler = Callable[[E, "Context"], Coroutine[Any, Any, Returned]]


@dataclass(frozen=True)
class Policy:
    """How often and how patiently a handler is tried; times in seconds.

    The defaults outlast a server that is away for five minutes: 26 tries wait 5 to 10 minutes between them, and the
    events of that key wait behind. A defect fails the same way each time, so it ends after 5 tries, 8 s of waiting.
    """

    attempts: int = 26
    """Tries in all, as long as what fails is a TransientError."""
    defects: int = 5
    """Of these, how many may end with any other exception, a defect in the handler, or run into the timeout."""
    first_delay: float = 0.5
    longest_delay: float = 30.0
    timeout: float = 120.0
    concurrency: int = 64
    """How many keys at once."""
    order: Literal["key", "none"] = "key"
    """Events of one key one at a time and in order, or all as they come."""
    stateless: bool = False
    """Keep no mark in the ledger: a redelivery runs the handler again, and derived ids keep its outcome single."""
    transactional: bool = False
    """Run inside one transaction of the tenant's, which domain rows, inbox mark and follow-ups share.

    For short handlers that await nothing but the database: no model and no provider.
    """


@dataclass(slots=True)  # made for every event: frozen would cost three times as much
class Context:
    """What a handler may know about the event that it was given, and reach."""

    envelope: Envelope
    handler: str
    attempt: int
    tier: Tier
    clock: Clock
    stream: Callable[[str], Awaitable[None]]
    """Send a piece of the answer ahead to whoever listens to this conversation: ephemeral, may be lost."""
    effects: Effects | None = None
    """Where outward acts go through; None without a ledger: no database, or a stateless handler."""
    declared: tuple[EffectKind, ...] = ()
    """The outward acts that the handler was subscribed with."""
    hold: Callable[[Event, datetime, str], Awaitable[None]] | None = None
    """Keep an event until it is due, on the bus; None where nobody runs the handler but a test."""

    @property
    def tenant(self) -> str:
        """Whose event it is; the only tenant that this handler's calls may name."""
        return self.envelope.tenant

    @property
    def conversation(self) -> str:
        """The conversation that the event belongs to; its own key where it belongs to none."""
        return self.envelope.conversation or self.envelope.subject

    async def once(
        self,
        kind: EffectKind,
        meaning: str,
        act: Act,
        reconcile: Reconcile | None = None,
        *,
        to: Recipient | None = None,
    ) -> Any:
        """Do an outward act unless it was done for this event already; see hayai.effects.Effects.once.

        An act of a kind that reaches a person says whom, and is not done without their consent: ConsentMissing.
        Raises HandlerMisdeclared where it does not say so, or where the handler's `effects` lack this kind,
        SettingsError where no ledger keeps effects or nobody keeps consents, and what `Effects.once` raises.
        """
        if self.effects is None:
            raise SettingsError(
                f"{self.handler} acts outside, and no ledger keeps what it does: give the tier a [database], "
                "and the handler a policy that is not stateless."
            )
        if kind not in self.declared:  # else the event documents would not tell all that happens outside
            raise HandlerMisdeclared(
                f"{self.handler} does not declare EffectKind({kind.name!r}, unknown={kind.unknown!r}): put that kind "
                "into the `effects=[...]` with which the handler is subscribed."
            )
        if kind.reaches_a_person:
            act = self._wanted(act, kind, to)
        return await self.effects.once(kind, meaning, act, reconcile)

    def _wanted(self, act: Act, kind: EffectKind, to: Recipient | None) -> Act:
        """`act`, done only if the person wants it at that moment: after the claim, and at every new try."""
        if to is None:
            raise HandlerMisdeclared(
                f"{self.handler} does not say whom {kind.name} reaches: give `context.once` its `to=Recipient(...)`."
            )

        async def asked() -> Any:
            await refuse_unwanted(self.tier.consents, self.tenant, to)
            if to.waits_for_day:
                await refuse_at_night(self.tier.business(self.tenant), to, self.now())
            return await act()

        return asked

    async def publish_at(self, event: Event, at: datetime, meaning: str = "") -> None:
        """Have `event` come at `at`, an aware instant, caused by the one in hand; on the bus once this returns.

        It is under way whatever becomes of the handler's try: the same `meaning` again takes its place, until it has
        come. Raises ValueError for a naive `at`, SettingsError where nobody keeps it, and for one later than the bus
        keeps events, MessageTooLarge, Unavailable.
        """
        if self.hold is None:
            raise SettingsError(f"{self.handler} wants an event to come later, and no bus runs it that could keep it.")
        await self.hold(event, at, meaning)

    def now(self) -> datetime:
        """The present as an aware instant; a test moves it."""
        return self.clock()


@dataclass(frozen=True)
class Subscription:
    """One handler of one event, as the bus runs it."""

    name: str
    """The durable consumer's name: the group, an underscore, the function."""
    event: type[Event]
    handler: Handler[Any]
    policy: Policy = field(default_factory=Policy)
    version: str = "0"
    """The version of the distribution that the handler came from."""
    produces: tuple[type[Event], ...] = ()
    """What it may return; `Event` itself stands for what nobody has said."""
    effects: tuple[EffectKind, ...] = ()
    """The outward acts that it may do; `context.once` refuses any other."""


class Handlers:
    """A named group of handlers; the name and a function's name together name a durable consumer."""

    def __init__(self, name: str) -> None:
        self.name = token(name, what="name of a handler group")
        self._subscriptions: dict[str, Subscription] = {}

    def on(
        self,
        event: type[E],
        policy: Policy | None = None,
        *,
        produces: Iterable[type[Event]] | None = None,
        effects: Iterable[EffectKind] = (),
    ) -> Callable[[Handler[E]], Handler[E]]:
        """Subscribe the decorated coroutine function to `event`; what it returns is published with its cause.

        `produces` is for a handler whose return annotation does not name its events; `effects` are the outward acts
        that it may do with `context.once`.
        """

        def subscribe(handler: Handler[E]) -> Handler[E]:
            self.add(event, handler, policy, produces=produces, effects=effects)
            return handler

        return subscribe

    def add(
        self,
        event: type[E],
        handler: Handler[E],
        policy: Policy | None = None,
        *,
        name: str = "",
        produces: Iterable[type[Event]] | None = None,
        effects: Iterable[EffectKind] = (),
    ) -> None:
        """Subscribe `handler` under `name`, or under its function's own. Raises HandlerMisdeclared."""
        verb = name or getattr(handler, "__name__", "")
        _check(handler, event, f"{self.name}.{verb}")
        if verb in self._subscriptions:
            raise HandlerMisdeclared(f"{self.name}.{verb} is there already: give this handler another name.")
        self._subscriptions[verb] = Subscription(
            f"{self.name}_{verb}",
            event,
            handler,
            policy or Policy(),
            produces=returned_events(handler) if produces is None else tuple(produces),
            effects=tuple(effects),
        )

    def __iter__(self) -> Iterator[Subscription]:
        """The subscriptions in the order in which they were made."""
        return iter(self._subscriptions.values())


def follow_ups(returned: Returned) -> list[Keyed]:
    """What a handler returned as a list; raises HandlerMisdeclared where two of a type have no meaning of their own."""
    several = [] if returned is None else [returned] if isinstance(returned, Event | Keyed) else list(returned)
    keyed = [each if isinstance(each, Keyed) else Keyed(each, "") for each in several]
    seen = [(each.event.type, each.meaning) for each in keyed]
    if len(set(seen)) < len(seen):
        raise HandlerMisdeclared("Two follow-ups of one type have the same meaning: return Keyed(event, meaning) each.")
    return keyed


def returned_events(handler: Callable[..., Any]) -> tuple[type[Event], ...]:
    """The events that the return annotation of `handler` names, in its order; `Event` where it names none outright.

    `Keyed[AppointmentBooked]` says what is inside of it.
    """
    hints = _hints(handler)
    return tuple(dict.fromkeys(_named(hints["return"]))) if "return" in hints else (Event,)


def _named(hint: Any) -> Iterator[type[Event]]:
    parts = typing.get_args(hint)
    if isinstance(hint, type) and issubclass(hint, Event):
        yield hint
    elif typing.get_origin(hint) is typing.Annotated:
        yield from _named(parts[0])
    elif parts:
        yield from (each for part in parts for each in _named(part))
    elif hint not in {None, type(None), ...}:  # Any, a bare list, a Keyed of what
        yield Event


def _check(handler: Handler[Any], event: type[Event], name: str) -> None:
    if not inspect.iscoroutinefunction(handler):
        raise HandlerMisdeclared(f"{name} is no coroutine function: write `async def`.")
    taken = list(inspect.signature(handler).parameters)
    if len(taken) != 2:  # noqa: PLR2004 - the event and the context
        raise HandlerMisdeclared(f"{name} takes ({', '.join(taken)}): a handler takes (event, context).")
    hinted = _hints(handler).get(taken[0])
    if hinted is not Any and isinstance(hinted, type) and not issubclass(event, hinted):
        raise HandlerMisdeclared(f"{name} takes {hinted.__name__} but is subscribed to {event.__name__}.")


class _Names(dict[str, Any]):
    """The names that a module has, and Any for those that it imports for the type checker alone."""

    def __missing__(self, name: str) -> Any:
        return getattr(builtins, name, Any)


def _hints(handler: Callable[..., Any]) -> dict[str, Any]:
    names = _Names(getattr(inspect.unwrap(handler), "__globals__", {}))
    try:
        return typing.get_type_hints(handler, localns=names, include_extras=True)
    except (NameError, TypeError, AttributeError):  # what the checker alone can read, it has seen
        return {}
