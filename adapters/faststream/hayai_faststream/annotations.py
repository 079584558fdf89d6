"""What a FastStream function can ask for and say: the house's Context by injection, and under which terms it runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from faststream import Context as FromContext

from hayai.handlers import Context, Policy

if TYPE_CHECKING:
    from collections.abc import Callable

    from hayai.effects import EffectKind

F = TypeVar("F", bound="Callable[..., Any]")

CONTEXT = "hayai"
"""The name of the house's Context among FastStream's."""
HayaiContext = Annotated[Context, FromContext(CONTEXT)]
"""A parameter of this type is given what any handler is given: envelope, tenant, tier, clock, effects."""

_TERMS = "__hayai_terms__"


@dataclass(frozen=True)
class Terms:
    """How a route is run, and which outward acts it may do."""

    policy: Policy = field(default_factory=Policy)
    effects: tuple[EffectKind, ...] = ()


def terms(policy: Policy | None = None, *, effects: tuple[EffectKind, ...] = ()) -> Callable[[F], F]:
    """Decorate a route's function, innermost, with its policy and its effects: FastStream has no words for these."""

    def note(function: F) -> F:
        setattr(function, _TERMS, Terms(policy or Policy(), effects))
        return function

    return note


def terms_of(function: Callable[..., Any]) -> Terms:
    """What the decorator noted; the defaults where it did not."""
    found: Terms = getattr(function, _TERMS, Terms())
    return found
