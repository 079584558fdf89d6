"""Placeholders: `${NAME}` and `secret:NAME` inside of a table, and what takes their place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

L = TypeVar("L")
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_SECRET = "secret:"  # noqa: S105 - the mark of a reference


@dataclass(frozen=True)
class Unset:
    """Stands for a value whose environment variable is not set, or is empty."""

    variable: str


@dataclass(frozen=True)
class Reference:
    """Stands for a value that the secrets port holds."""

    secret: str


Gap = Unset | Reference
Way = tuple[int | str, ...]
"""Keys and positions from the outside in."""


def substituted(value: object, environment: Mapping[str, str]) -> object:
    """`value` with its variables filled in; what waits for a variable or a secret becomes a Gap."""

    def filled(text: str) -> str | Gap:
        if unset := [name for name in _VARIABLE.findall(text) if not environment.get(name)]:
            return Unset(unset[0])
        full = _VARIABLE.sub(lambda found: environment[found[1]], text)
        return referred(full) if text.startswith(_SECRET) else full

    return _each(value, str, filled)


def resolved(value: object, secrets: Mapping[str, str]) -> object:
    """`value` with each Reference replaced by its secret. Raises KeyError where one is not in `secrets`."""
    return _each(value, Reference, lambda reference: secrets[reference.secret])


def referred(text: str) -> str | Reference:
    """The Reference that `text` makes, or `text` itself."""
    return Reference(text.removeprefix(_SECRET)) if text.startswith(_SECRET) else text


def gaps(value: object, way: Way = ()) -> Iterator[tuple[Way, Gap]]:
    """Every Gap inside of `value`, and the way to it."""
    if isinstance(value, Unset | Reference):
        yield way, value
    elif isinstance(value, Mapping):
        for key, each in cast("Mapping[str, object]", value).items():
            yield from gaps(each, (*way, key))
    elif isinstance(value, list):
        for position, each in enumerate(cast("list[object]", value)):
            yield from gaps(each, (*way, position))


def _each(value: object, kind: type[L], change: Callable[[L], object]) -> object:
    """`value`, of tables and lists, with every leaf of that kind changed."""
    if isinstance(value, kind):
        return change(value)
    if isinstance(value, Mapping):
        return {key: _each(each, kind, change) for key, each in cast("Mapping[str, object]", value).items()}
    if isinstance(value, list):
        return [_each(each, kind, change) for each in cast("list[object]", value)]
    return value
